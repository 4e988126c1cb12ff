package pages

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Over HTTP/1.1 a browser opens at most six connections to a host, and each stream
// occupies one.
func TestEightTabsLoadAndAreLive(t *testing.T) {
	s := newSite(t)
	m := debugtest.Final("payments", mtc.PhaseEnsureInitialBackup, "backup payments-initial is in progress")
	s.Drive(m)
	var tabs []*tab
	for i := range 8 {
		page := runPage(m)
		if i%2 == 1 {
			page = ""
		}
		p := s.open(t, page)
		p.shows("main", "backup payments-initial is in progress")
		p.mark()
		tabs = append(tabs, p)
	}
	for _, p := range tabs { // each has chosen between a stream and polling
		p.until(`() => document.visibilityState === "visible" && document.getElementById("live").textContent.startsWith("Live")`)
	}
	m.Result = runner.Wait(0, "backup payments-initial has 3 of 9 items")
	s.Reconcile(m)
	for _, p := range tabs {
		p.shows("main", "3 of 9 items")
		p.notReloaded()
	}
}
