package dump

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
)

const root = "../.."

var (
	// drawings are what all tests of this module dump.
	drawings []dumptest.Drawing
	// browser is shared: each test opens a page of its own in it.
	browser context.Context
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var err error
	if drawings, err = dumptest.Drawings(root); err != nil {
		return fail(err)
	}
	// Chromium's own sandbox does not work for root, as which CI runs.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		stop()
		return fail(fmt.Errorf("starting a browser: %w; run ./install", err))
	}
	code = m.Run()
	patience, done := context.WithTimeout(browser, 10*time.Second)
	err = chromedp.Cancel(patience)
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
