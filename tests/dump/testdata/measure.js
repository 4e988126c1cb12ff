// Shows a picture in <main> at the given width and measures it. All lengths are in
// pixels of the page.
(svg, width) => {
  const main = document.querySelector("main");
  document.body.style.margin = "0";
  main.style.width = width + "px";
  main.innerHTML = svg;
  const root = main.querySelector("svg");
  const box = r => ({ x: r.left, y: r.top, w: r.width, h: r.height });
  const frame = root.getBoundingClientRect();
  const scale = frame.width / root.viewBox.baseVal.width;
  const rects = [...root.querySelectorAll("rect")];
  const bands = [...root.querySelectorAll("g.band")];
  const panels = rects.filter(r => r.classList.contains("panel"));

  const texts = [];
  for (const text of root.querySelectorAll("text")) {
    const style = getComputedStyle(text);
    let opacity = 1;
    for (let e = text; e !== main; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
    const boxes = [box(frame)];
    const band = bands.indexOf(text.closest("g.band"));
    if (band >= 0) boxes.push(box(panels[band].getBoundingClientRect()));
    const around = text.parentElement.querySelector(":scope > rect");
    if (around && text.parentElement !== root) boxes.push(box(around.getBoundingClientRect()));
    const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(walk.currentNode);
      const r = range.getBoundingClientRect();
      const [x, y] = [r.left + r.width / 2, r.top + r.height / 2];
      let below = null;
      for (const e of rects) {
        const b = e.getBoundingClientRect();
        if (e.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING && b.left <= x && x <= b.right && b.top <= y && y <= b.bottom) below = e;
      }
      texts.push({
        text: walk.currentNode.data, box: box(r), boxes, opacity,
        size: parseFloat(style.fontSize) * scale, color: style.fill,
        ground: below ? getComputedStyle(below).fill : "none", select: style.userSelect,
      });
    }
  }

  const crossed = [];
  for (const arc of root.querySelectorAll("path.arc, path.arcmay, path.arcgone, path.arcchoice, path.arcmaychoice, path.arcnew, path.arcold, path.rail, path.may")) {
    if (arc.closest("g")) continue; // part of a mark or the legend
    const around = arc.getBoundingClientRect();
    const near = texts.filter(({box: b}) => b.x < around.right && around.left < b.x + b.w && b.y < around.bottom && around.top < b.y + b.h);
    if (near.length === 0) continue;
    const length = arc.getTotalLength();
    for (let d = 0; d <= length; d += 4) {
      const p = arc.getPointAtLength(d);
      const [x, y] = [frame.left + p.x * scale, frame.top + p.y * scale];
      const hit = near.find(t => t.box.x < x && x < t.box.x + t.box.w && t.box.y < y && y < t.box.y + t.box.h);
      if (hit) { crossed.push(hit.text); break; }
    }
  }
  const selection = getSelection();
  selection.selectAllChildren(root);
  const selected = selection.toString();
  selection.removeAllRanges();
  return { frame: box(frame), texts, crossed, selected };
}
