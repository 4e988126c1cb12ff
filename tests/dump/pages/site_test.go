package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// site serves the pages of a fixture over HTTP/1.1.
type site struct {
	*debugtest.Fixture
	url string
}

const mounted = "/debug/pipeline/"

func newSite(t testing.TB) *site {
	t.Helper()
	f := debugtest.New(t, debug.Options{})
	mux := http.NewServeMux()
	mux.Handle(mounted, f.Handler(debug.HandlerOptions{Title: "Migrations"}))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		// All pages are closed by now, but a stream may not have noticed yet.
		ctx, cancel := context.WithTimeout(context.Background(), browser.Timeout)
		defer cancel()
		assert.NoError(t, server.Config.Shutdown(ctx))
		server.Close()
	})
	return &site{f, server.URL + mounted}
}

// runPage returns the page of a migration.
func runPage(m *debugtest.Migration) string { return "run?name=" + url.QueryEscape(m.Name.String()) }

// tab is a page of a site. At the end of the test it must have logged no errors and
// requested no other host.
type tab struct {
	*browser.Page
	site string

	mu         sync.Mutex
	complaints []string
	expected   string // part of the expected complaints
}

// open opens a page of a site.
func (s *site) open(t testing.TB, page string) *tab {
	t.Helper()
	return openTab(t, s.url, page)
}

func openTab(t testing.TB, site, page string) *tab {
	t.Helper()
	p := newTab(t, site)
	p.visit(page)
	return p
}

func newTab(t testing.TB, site string) *tab {
	t.Helper()
	p := &tab{site: site}
	p.Page = browser.Open(t, chromedp.WithListener(p.listen))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.complaints {
			if p.expected == "" || !strings.Contains(c, p.expected) {
				t.Errorf("a page complains: %s", c)
			}
		}
	})
	p.width(1280)
	return p
}

// listen records console messages and requests to other hosts.
func (p *tab) listen(event any) {
	complain := func(format string, args ...any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.complaints = append(p.complaints, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var texts []string
		for _, arg := range e.Args {
			texts = append(texts, string(arg.Value)+arg.Description)
		}
		complain("console.%s: %s", e.Type, strings.Join(texts, " "))
	case *runtime.EventExceptionThrown:
		complain("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		complain("%s of %s: %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.site) && e.Request.URL != "about:blank" {
			complain("a request to %s", e.Request.URL)
		}
	}
}

// visit navigates to a page of the site.
func (p *tab) visit(page string) {
	p.T.Helper()
	p.Do(chromedp.Navigate(p.site + page))
}

// width sets the width of the page, in pixels.
func (p *tab) width(pixels int64) {
	p.T.Helper()
	p.Do(chromedp.EmulateViewport(pixels, 900))
}

// withoutScript disables scripts in pages that are opened from now on.
func (p *tab) withoutScript() {
	p.T.Helper()
	_, err := chromedp.Call(p.Ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(p.T, err)
}

// until waits for a JavaScript condition that becomes true without further action of the
// test.
func (p *tab) until(condition string, args ...any) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, browser.Timeout)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		// An error may mean that the page is just being navigated away.
		is, err := browser.Try[bool](ctx, condition, args...)
		if err == nil && is {
			return
		}
		select {
		case <-ctx.Done():
			page := context.WithoutCancel(p.Ctx)
			text, _ := browser.Try[string](page, `() => location.href + "\n" + document.body.innerText.slice(0, 1500)`)
			require.FailNow(p.T, "the page never gets there", "%s %v (%v) in\n%s", condition, args, err, text)
		case <-poll.C:
		}
	}
}

// shows waits for an element whose text contains text.
func (p *tab) shows(selector, text string) {
	p.T.Helper()
	p.until(`(selector, text) => [...document.querySelectorAll(selector)].some(e => e.textContent.includes(text))`, selector, text)
}

// click clicks an element as a user does. If the page replaces the element between the moments
// when it is found and clicked, for example by reloading, click tries again.
func (p *tab) click(selector string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, browser.Timeout)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
	for err != nil && strings.Contains(err.Error(), "Could not find node with given id") {
		err = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
	}
	require.NoError(p.T, err)
}

// texts returns the texts of elements as a reader sees them.
func (p *tab) texts(selector string) []string {
	p.T.Helper()
	return browser.Call[[]string](p.Page, `selector => [...document.querySelectorAll(selector)].map(e => e.innerText.trim())`, selector)
}

func (p *tab) address() *url.URL {
	p.T.Helper()
	u, err := url.Parse(browser.Call[string](p.Page, `() => location.href`))
	require.NoError(p.T, err)
	return u
}

// mark marks the page, so that a reload can be detected.
func (p *tab) mark() {
	p.T.Helper()
	browser.Call[bool](p.Page, `() => window.marked = true`)
}

// notReloaded checks that the page is still the marked one.
func (p *tab) notReloaded() {
	p.T.Helper()
	assert.True(p.T, browser.Call[bool](p.Page, `() => window.marked === true`), "the page was loaded again")
}
