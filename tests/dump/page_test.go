package dump

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
)

// themes are what a reader may prefer.
var themes = []string{"light", "dark"}

// page is a tab of the browser with an empty <main>.
type page struct {
	t   *testing.T
	ctx context.Context
}

// timeout is far above what any step in a page takes.
const timeout = 2 * time.Minute

// openPage opens a page that is closed at the end of the test. Scripts are
// files that it loads.
func openPage(t *testing.T, scripts ...string) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	// The first use of a context binds the tab to it: no deadline here.
	require.NoError(t, chromedp.Do(ctx))
	p := &page{t: t, ctx: ctx}
	const html = `<!doctype html><html lang="en"><title>test</title><meta name="color-scheme" content="light dark"><main></main>`
	p.do(chromedp.Navigate("data:text/html;charset=utf-8," + url.PathEscape(html)))
	for _, file := range scripts {
		text, err := os.ReadFile(file)
		require.NoError(t, err, "run ./install")
		p.do(chromedp.Evaluate[chromedp.Void](string(text) + "\n;undefined"))
	}
	return p
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...))
}

// theme sets what the reader prefers.
func (p *page) theme(name string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(p.t, err)
}

// call calls a JavaScript function, which may be async, and returns its result.
func call[T any](p *page, function string, args ...any) T {
	p.t.Helper()
	var list string
	for i, arg := range args {
		text, err := json.Marshal(arg)
		require.NoError(p.t, err)
		if i > 0 {
			list += ","
		}
		list += string(text)
	}
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s)(%s)", function, list), chromedp.EvalAwaitPromise))
	require.NoError(p.t, err)
	return v
}
