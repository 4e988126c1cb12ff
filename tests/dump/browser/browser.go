package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// Themes are the color schemes that a reader may prefer.
var Themes = []string{"light", "dark"}

// Timeout is far above the duration of any step in a page.
const Timeout = 2 * time.Minute

// running is the browser that all tests of a package share. Each test opens its own pages
// in it.
var running context.Context

// RunTests starts a browser, runs the tests of a package, stops the browser and checks
// for leaked goroutines. It returns the exit code for TestMain.
func RunTests(m *testing.M) (code int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Chromium's sandbox does not work for root, the user in CI.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	var cancel context.CancelFunc
	running, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(running); err != nil {
		stop()
		return fail(fmt.Errorf("starting a browser: %w; run the script install of this module", err))
	}
	code = m.Run()
	patience, done := context.WithTimeout(running, 10*time.Second)
	err := chromedp.Cancel(patience)
	done()
	stop()
	if err == nil {
		err = goleak.Find()
	}
	if err != nil && code == 0 {
		return fail(err)
	}
	return code
}

// Page is a page of the browser in its own window.
type Page struct {
	T   testing.TB
	Ctx context.Context
}

// Open opens an empty page, which is closed at the end of the test.
func Open(t testing.TB, options ...chromedp.ContextOption) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(running, options...)
	t.Cleanup(cancel)
	// The first use of a context binds the page to it, so it must have no deadline.
	require.NoError(t, chromedp.Do(ctx))
	return &Page{T: t, Ctx: ctx}
}

// OpenMain opens a page with an empty <main> and loads the given script files into it.
func OpenMain(t testing.TB, scripts ...string) *Page {
	t.Helper()
	p := Open(t)
	const html = `<!doctype html><html lang="en"><title>test</title><meta name="color-scheme" content="light dark"><main></main>`
	p.Do(chromedp.Navigate("data:text/html;charset=utf-8," + url.PathEscape(html)))
	for _, file := range scripts {
		p.Load(file)
	}
	return p
}

// Load runs a script file.
func (p *Page) Load(file string) {
	p.T.Helper()
	text, err := os.ReadFile(file)
	require.NoError(p.T, err, "run the script install of this module")
	p.Do(chromedp.Evaluate[chromedp.Void](string(text) + "\n;undefined"))
}

// Do performs steps in the page.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Timeout)
	defer cancel()
	require.NoError(p.T, chromedp.Do(ctx, steps...))
}

// Theme sets the reader's preferred color scheme.
func (p *Page) Theme(name string) {
	p.T.Helper()
	_, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(p.T, err)
}

// Call calls a JavaScript function, possibly async, and returns its result.
func Call[T any](p *Page, function string, args ...any) T {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Timeout)
	defer cancel()
	v, err := Try[T](ctx, function, args...)
	require.NoError(p.T, err)
	return v
}

// Try is Call in the page of a context. It returns an error, for example if the page is
// navigated away meanwhile.
func Try[T any](ctx context.Context, function string, args ...any) (T, error) {
	var list string
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			var none T
			return none, err
		}
		if i > 0 {
			list += ","
		}
		list += string(text)
	}
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s)(%s)", function, list), chromedp.EvalAwaitPromise))
}
