package pages

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// download clicks a link and returns the name and contents of the file that the browser
// writes.
func (p *tab) download(link string) (name, text string) {
	p.T.Helper()
	dir := p.T.TempDir()
	ctx, cancel := context.WithTimeout(p.Ctx, browser.Timeout)
	defer cancel()
	begun := chromedp.Events(ctx, cdpbrowser.DownloadWillBegin)
	progress := chromedp.Events(ctx, cdpbrowser.DownloadProgress)
	enabled := true
	_, err := chromedp.Call(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: &enabled,
	})
	require.NoError(p.T, err)
	p.click(link)
	for e, err := range begun {
		require.NoError(p.T, err)
		name = e.SuggestedFilename
		break
	}
	for e, err := range progress {
		require.NoError(p.T, err)
		require.NotEqual(p.T, cdpbrowser.DownloadProgressStateCanceled, e.State)
		if e.State == cdpbrowser.DownloadProgressStateCompleted {
			body, err := os.ReadFile(filepath.Join(dir, e.GUID))
			require.NoError(p.T, err)
			return name, string(body)
		}
	}
	return name, ""
}

func TestDownloads(t *testing.T) {
	s := newSite(t)
	m := debugtest.Final("payments", debugtest.Copying, "3 of 5 volumes are copied")
	s.Drive(m)
	for _, tt := range []struct{ link, name, has string }{
		{`.files a[href*="format=svg"]`, "openshift-migration-payments.svg", "<svg"},
		{`.files a[href*="format=dot"]`, "openshift-migration-payments.dot", "digraph"},
		{`.files a[href*="format=mermaid"]`, "openshift-migration-payments.mmd", "flowchart"},
		{`.files a[href*="format=json"]`, "openshift-migration-payments.json", `"itineraries"`},
		{`.files a[href*="format=text"]`, "openshift-migration-payments.txt", debugtest.Copying},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, runPage(m))
			name, text := p.download(tt.link)
			assert.Equal(t, tt.name, name)
			assert.Contains(t, text, tt.has)
			assert.Contains(t, text, debugtest.Copying)
		})
	}
	t.Run("the history", func(t *testing.T) {
		p := s.open(t, runPage(m))
		name, text := p.download(`.files a[href^="history"]`)
		assert.Equal(t, "openshift-migration-payments-history.json", name)
		var history struct {
			Kind, APIVersion string
			Moments          []struct{ Phase string }
			Events           []struct{ Text string }
		}
		require.NoError(t, json.Unmarshal([]byte(text), &history))
		assert.Equal(t, "RunHistory", history.Kind)
		assert.NotEmpty(t, history.APIVersion)
		assert.NotEmpty(t, history.Events)
		require.NotEmpty(t, history.Moments)
		assert.Equal(t, debugtest.Copying, history.Moments[len(history.Moments)-1].Phase)
	})
	t.Run("the graph of an itinerary with its switches", func(t *testing.T) {
		p := s.open(t, finalDirect)
		name, text := p.download(`.files a[href*="format=text"]`)
		assert.Equal(t, "Final.txt", name)
		assert.Contains(t, text, "DirectImage")
	})
}
