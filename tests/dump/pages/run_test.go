package pages

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// isAt waits until the page shows a phase as the current one: in the sentence, in the
// plan and in the graph.
func (p *tab) isAt(phase string) {
	p.T.Helper()
	p.until(`phase => {
		const fact = [...document.querySelectorAll(".facts div")].find(e => e.querySelector("dt").textContent === "Phase");
		return fact?.querySelector("dd").textContent === phase
			&& document.querySelector(".phases .here th")?.textContent === phase
			&& [...document.querySelectorAll("#graph text.here")].map(e => e.textContent).join("") === phase;
	}`, phase)
}

func TestRunPageShowsActivity(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	for _, tt := range []struct {
		name string
		want map[string]string // texts by element
	}{
		{"payments", map[string]string{
			".sentence": "3 of 5 volumes are copied", ".facts": "Deadline", "#pipeline .open": "data-0: 41 of 120 GiB",
			"#pipeline": "DirectVolume", "#leftout": "DataBackup", "#timeline": debugtest.Copying, "#flags": "HasPVs", "#events": "is entered",
		}},
		{"shop", map[string]string{".sentence": "Retrying", ".facts": "Next try", ".error": "connection refused", "#events": "connection refused"}},
		{"crm", map[string]string{".sentence": "EnsureInitialBackups", ".error": "EnsureInitialBackup"}},
		{"ledger", map[string]string{".facts .late": "ago"}},
		{"billing", map[string]string{".sentence": "failed", "#past": "cloud-credentials"}},
		{"mail", map[string]string{".sentence": "rolled back", "#past": "From Final"}},
		{"wiki", map[string]string{".error": "get imagestreams"}},
		{"forum", map[string]string{".sentence": "Paused in phase EnsureInitialBackup"}},
		{"portal", map[string]string{".sentence": "Paused"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, runPage(all[tt.name]))
			for selector, want := range tt.want {
				assert.Contains(t, strings.Join(p.texts(selector), "\n"), want, selector)
			}
		})
	}
}

func TestLiveRunMovesTheCurrentPhase(t *testing.T) {
	s := newSite(t)
	m := debugtest.Final("payments", mtc.PhaseEnsureInitialBackup, "backup payments-initial is in progress")
	s.Drive(m)
	list, p := s.open(t, ""), s.open(t, runPage(m))
	p.isAt(mtc.PhaseEnsureInitialBackup)
	list.mark()
	p.mark()
	open := browser.Call[bool](p.Page, `() => document.getElementById("all-phases").open = true`)
	require.True(t, open)
	m.Holds, m.Result = debugtest.Copying, runner.Wait(0, "3 of 5 volumes are copied")
	s.Drive(m)
	p.isAt(debugtest.Copying)
	p.shows(".sentence", "3 of 5 volumes are copied")
	p.shows("#pipeline .open", "DirectVolume")
	list.shows(".runs td", debugtest.Copying)
	assert.True(t, browser.Call[bool](p.Page, `() => document.getElementById("all-phases").open`), "what was opened stays open")
	m.Holds = ""
	s.Drive(m)
	p.shows(".sentence", "succeeded")
	p.notReloaded()
	list.notReloaded()
}

func TestSliderShowsEarlierMoments(t *testing.T) {
	s := newSite(t)
	m := debugtest.Final("payments", mtc.PhaseEnsureInitialBackup, "backup payments-initial is in progress")
	s.Drive(m)
	m.Holds, m.Result = debugtest.Copying, runner.Wait(0, "3 of 5 volumes are copied")
	s.Drive(m)
	p := s.open(t, runPage(m))
	p.isAt(debugtest.Copying)
	p.mark()
	latest := p.texts("#pipeline")[0]
	require.Contains(t, latest, "3 of 5 volumes")

	p.Do(chromedp.Focus(chromedp.CSS("#moment")), chromedp.KeyEvent(kb.Home))
	p.until(`() => new URL(location.href).searchParams.get("moment") === "1"`)
	p.shows("#doing", "As it was at")
	p.until(`latest => document.querySelector("#pipeline").innerText.trim() !== latest`, latest)
	first := browser.Call[string](p.Page, `() => [...document.querySelectorAll("#graph text.here")].map(e => e.textContent).join("")`)
	assert.NotEqual(t, debugtest.Copying, first, "the graph has moved")
	assert.NotContains(t, p.texts("#pipeline")[0], "3 of 5 volumes")
	p.isAt(first)

	// The shown moment stays when something happens meanwhile.
	m.Result = runner.Wait(0, "4 of 5 volumes are copied")
	before := browser.Call[string](p.Page, `() => document.getElementById("moment").max`)
	s.Reconcile(m)
	p.until(`before => document.getElementById("moment").max !== before`, before)
	p.isAt(first)

	p.click("#next")
	p.until(`() => document.getElementById("moment").value === "2"`)
	p.Do(chromedp.Focus(chromedp.CSS("#moment")), chromedp.KeyEvent(kb.End))
	p.isAt(debugtest.Copying)
	p.shows("#pipeline", "4 of 5 volumes")
	p.until(`() => !new URL(location.href).searchParams.has("moment")`)
	m.Holds = ""
	s.Drive(m)
	p.shows(".sentence", "succeeded")
	p.notReloaded()
}

func TestHostileTextsStayTexts(t *testing.T) {
	s := newSite(t)
	const hostile = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"'\u202e` + "\x1b[31m"
	m := debugtest.Final("payments", mtc.PhaseEnsureInitialBackup, hostile, hostile)
	m.Name.Name = hostile
	s.Drive(m)
	f := debugtest.Final("orders", mtc.PhaseEnsureInitialBackup, "")
	f.Name.Namespace = "javascript:window.hacked=1"
	s.Drive(f)
	f.Result = runner.Fail(hostile)
	s.Reconcile(f)
	s.Reconcile(f)
	for _, page := range []string{"", runPage(m), runPage(f)} {
		p := s.open(t, page)
		p.shows("main", `<img src=x onerror="window.hacked=1">`)
		assert.False(t, browser.Call[bool](p.Page, `() => "hacked" in window || document.querySelector("main img, main script") !== null`))
		assert.NotContains(t, strings.Join(p.texts("main"), ""), "\x1b")
	}
	p := newTab(t, s.url)
	p.expected = "status of 404"
	p.visit("run?name=" + "%3Cscript%3Ewindow.hacked%3D1%3C%2Fscript%3E")
	p.shows("main", "<script>window.hacked")
	assert.False(t, browser.Call[bool](p.Page, `() => "hacked" in window`))
}
