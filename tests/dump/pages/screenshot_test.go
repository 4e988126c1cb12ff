package pages

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

const (
	screenshots  = root + "/machine/debug/testdata"
	maxPNG       = 200 << 10
	pictureWidth = 1280
)

// READMEs show the screenshots. They are not compared, because font rendering differs
// between machines.
func TestScreenshots(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	p := newTab(t, s.url)
	for _, tt := range []struct{ name, page string }{
		{"list", ""}, {"run", runPage(all["payments"])},
	} {
		for _, theme := range browser.Themes {
			t.Run(tt.name+" in "+theme, func(t *testing.T) {
				p.width(pictureWidth)
				p.Theme(theme)
				p.visit(tt.page)
				p.until(`() => document.getElementById("live").textContent === "Live"`)
				ctx, cancel := context.WithTimeout(p.Ctx, browser.Timeout)
				defer cancel()
				taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				require.NoError(t, err)
				file := filepath.Join(screenshots, tt.name+"-"+theme+".png")
				if *update {
					require.NoError(t, os.WriteFile(file, taken, 0o644))
				}
				stored, err := os.ReadFile(file)
				require.NoError(t, err, "run go test -run %s -update", "TestScreenshots")
				assert.LessOrEqual(t, len(stored), maxPNG)
				got, err := png.DecodeConfig(bytes.NewReader(taken))
				require.NoError(t, err)
				want, err := png.DecodeConfig(bytes.NewReader(stored))
				require.NoError(t, err)
				assert.Equal(t, []int{want.Width, want.Height}, []int{got.Width, got.Height})
			})
		}
	}
}
