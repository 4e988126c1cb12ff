"use strict";
// The pages work without this script. It updates them without a reload, lets the slider
// move through the moments, and applies filters and settings at once.
(() => {
  const stream = document.body.dataset.stream;
  const live = document.getElementById("live");
  document.documentElement.classList.add("js");

  function say(text, state) {
    live.dataset.state = state;
    if (live.textContent !== text) live.textContent = text;
  }

  // show replaces the live parts of the page with those of another page.
  let current;
  async function show(url) {
    if (current) current.abort();
    const request = current = new AbortController();
    try {
      const response = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store", signal: request.signal });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.body.dataset.page) throw new Error("not a page");
      swap(page);
      return true;
    } catch (error) {
      if (error.name === "AbortError") return true;
      say("Connection lost, retrying", "lost");
      return false;
    } finally {
      if (current === request) current = undefined;
    }
  }

  function swap(page) {
    const focused = document.activeElement && document.activeElement.id;
    const whole = page.body.dataset.page !== document.body.dataset.page ||
      page.querySelectorAll("[data-live]").length !== document.querySelectorAll("[data-live]").length;
    document.body.dataset.page = page.body.dataset.page;
    document.title = page.title;
    if (whole) {
      replace(document.getElementById("main"), page.getElementById("main"));
    } else {
      for (const part of document.querySelectorAll("[data-live]")) replace(part, page.getElementById(part.id));
      follow(page.getElementById("moment"));
    }
    centre();
    const again = focused && document.getElementById(focused);
    if (again && document.activeElement !== again) again.focus({ preventScroll: true });
  }

  function replace(part, by) {
    if (!by || part.innerHTML === by.innerHTML) return;
    const open = new Map();
    for (const d of part.querySelectorAll("details[id]")) open.set(d.id, d.open);
    part.replaceChildren(...by.childNodes);
    for (const [id, is] of open) {
      const d = document.getElementById(id);
      if (d) d.open = is;
    }
  }

  // centre scrolls the graph to the current phase.
  let at = "";
  function centre() {
    const graph = document.querySelector(".picture");
    const here = graph && graph.querySelector(".dp .tint");
    if (!here || at === here.getAttribute("y")) return;
    at = here.getAttribute("y");
    graph.scrollTop += here.getBoundingClientRect().top - graph.getBoundingClientRect().top - graph.clientHeight / 3;
  }

  // follow moves the slider to the shown moment, unless the user is dragging it.
  function follow(by) {
    const slider = document.getElementById("moment");
    if (!slider || !by) return;
    slider.min = by.min;
    slider.max = by.max;
    slider.disabled = by.disabled;
    if (!sliding) slider.value = by.value;
  }

  // Links and forms load their page in place.
  const address = () => location.pathname + location.search;
  let shown = address();
  function visit(url, replaced) {
    history[replaced ? "replaceState" : "pushState"](null, "", url);
    shown = address();
    return show(url);
  }

  function target(form, submitter) {
    const url = new URL(form.getAttribute("action"), location.href);
    for (const [name, value] of new FormData(form, submitter)) if (value) url.searchParams.append(name, value);
    return url.href;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-soft] a[href]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.pathname !== location.pathname) return;
    event.preventDefault();
    visit(link.href);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-auto], [data-scrub]")) return;
    event.preventDefault();
    visit(target(event.target, event.submitter), event.target.matches(".filters"));
  });

  let typing, sliding;
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form) return;
    if (form.matches(".filters")) {
      clearTimeout(typing);
      typing = setTimeout(() => visit(target(form), true), event.target.type === "search" ? 200 : 0);
    } else if (form.matches("[data-scrub]")) {
      clearTimeout(sliding);
      sliding = setTimeout(() => {
        sliding = undefined;
        const url = new URL(target(form));
        if (event.target.value === event.target.max) url.searchParams.delete("moment");
        visit(url.href, true);
      }, 60);
    }
  });

  window.addEventListener("popstate", () => {
    if (shown !== address()) location.reload(); // unless it is a link into this page
  });

  centre();
  if (!stream) return;

  // Over HTTP/1.1 a browser opens at most six connections to a host. Locks let at most
  // three of its pages hold a stream. The others poll, and hidden pages do neither.
  const slots = ["pipeline-stream-1", "pipeline-stream-2", "pipeline-stream-3"];
  let source, release, timer, last = 0, cost = 0, refused = 0;

  function schedule(delay) {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, delay);
  }

  async function refresh() {
    if (current || typing && document.activeElement.type === "search" && Date.now() - last < 1000) return schedule(500);
    last = Date.now();
    const ok = await show(location.href);
    cost = Date.now() - last;
    if (ok) say(source ? "Live" : "Live, every 5 s", "live");
    schedule(source ? 30000 : 5000);
    if (!source) take();
  }

  // changed schedules a refresh. A slow page refreshes less often.
  function changed() {
    schedule(Math.max(0, last + Math.max(1000, 3 * cost) - Date.now()));
  }

  async function take() {
    if (source || release || !navigator.locks || document.hidden || Date.now() < refused) return;
    for (const slot of slots) {
      const got = await new Promise((resolve) => {
        navigator.locks.request(slot, { ifAvailable: true }, (lock) => {
          resolve(lock);
          return lock && new Promise((done) => { release = done; });
        }).catch(() => resolve(null));
      });
      if (got) return document.hidden ? drop() : listen();
    }
  }

  function listen() {
    source = new EventSource(stream);
    source.onopen = changed; // there may be changes since the page was rendered
    source.onmessage = changed;
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      refused = Date.now() + 30000;
      drop();
      schedule(1000);
    };
  }

  function drop() {
    if (source) source.close();
    if (release) release();
    source = release = undefined;
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return refresh();
    drop();
    clearTimeout(timer);
  });
  window.addEventListener("pagehide", drop);
  window.addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  schedule(5000);
  take();
})();
