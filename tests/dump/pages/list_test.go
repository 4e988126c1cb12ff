package pages

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// choose selects an option of a filter, as a user does.
func (p *tab) choose(id, value string) {
	p.T.Helper()
	browser.Call[bool](p.Page, `(id, value) => {
		const select = document.getElementById(id);
		select.value = value;
		return select.dispatchEvent(new Event("input", {bubbles: true}));
	}`, id, value)
}

const runNames = ".runs tbody th a"

// lists waits until the list has exactly these runs, in this order.
func (p *tab) lists(names ...string) {
	p.T.Helper()
	p.until(`(selector, names) => {
		const rows = [...document.querySelectorAll(selector)].map(e => e.textContent.trim());
		return JSON.stringify(rows) === JSON.stringify(names);
	}`, runNames, names)
}

func TestListIsSearchedAndFiltered(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	p := s.open(t, "")
	p.mark()
	rows := p.texts(runNames)
	assert.Len(t, rows, len(all))
	assert.Equal(t, "crm", rows[0], "what needs a person comes first")

	t.Run("a search shows what matches while it is typed", func(t *testing.T) {
		p.Do(chromedp.SendKeys(chromedp.CSS("#q"), "volumes are"))
		p.lists("ledger", "payments")
		assert.Equal(t, "volumes are", p.address().Query().Get("q"))
		p.Do(chromedp.Clear(chromedp.CSS("#q")), chromedp.SendKeys(chromedp.CSS("#q"), "no such run"))
		p.shows("#runs", "No run matches")
		p.visit("")
	})
	for _, tt := range []struct {
		filter, value string
		want          []string
	}{
		{"itinerary", "Rollback", []string{"mail"}},
		{"step", "DirectVolume", []string{"ledger", "payments"}},
		{"phase", "EnsureInitialBackup", []string{"shop", "forum"}},
		{"result", "Failed", []string{"billing"}},
	} {
		t.Run("by "+tt.filter, func(t *testing.T) {
			p.visit("")
			p.choose(tt.filter, tt.value)
			p.lists(tt.want...)
			assert.Equal(t, tt.value, p.address().Query().Get(tt.filter))
			// The address of the page contains the filter.
			s.open(t, "?"+p.address().RawQuery).lists(tt.want...)
		})
	}
	t.Run("what fails", func(t *testing.T) {
		p.visit("")
		p.click("#failing")
		p.until(`selector => document.querySelectorAll(selector).length < 13`, runNames)
		failing := p.texts(runNames)
		for _, name := range []string{"crm", "shop", "wiki", "billing"} {
			assert.Contains(t, failing, name)
		}
		assert.NotContains(t, failing, "payments")
	})
	t.Run("by what they do", func(t *testing.T) {
		p.visit("")
		p.click("#tab-Retrying")
		p.lists("shop")
		p.click("#tab-all")
		p.until(`(selector, n) => document.querySelectorAll(selector).length === n`, runNames, len(all))
	})
	t.Run("by name and by what lasts longest", func(t *testing.T) {
		p.visit("")
		p.click("#by-name")
		p.lists("billing", "catalog", "crm", "forum", "ledger", "loyalty", "mail", "orders", "payments", "portal", "search", "shop", "wiki")
		p.choose("sort", "since")
		p.until(`selector => {
			const rows = [...document.querySelectorAll(selector)].map(e => e.textContent.trim());
			return rows.indexOf("ledger") < rows.indexOf("shop") && rows.indexOf("shop") < rows.indexOf("catalog");
		}`, runNames)
	})
	t.Run("a run is one click away", func(t *testing.T) {
		p.visit("?q=payments")
		p.click(runNames)
		p.shows("h1", "openshift-migration/payments")
	})
}

func TestEmptyListExplainsWhatToDo(t *testing.T) {
	s := newSite(t)
	p := s.open(t, "")
	p.shows(".empty", "No run has been seen yet")
	p.mark()
	s.Drive(debugtest.Final("payments", debugtest.Copying, "3 of 5 volumes are copied"))
	p.lists("payments")
	p.notReloaded()
}

func TestThousandRunsAreOnePage(t *testing.T) {
	s := newSite(t)
	s.Many(1000)
	p := s.open(t, "")
	assert.Len(t, p.texts(runNames), 1000)
	times := browser.Call[map[string]float64](p.Page, `() => new Promise(resolve => {
		const [page] = performance.getEntriesByType("navigation");
		const paint = performance.getEntriesByName("first-contentful-paint")[0];
		const begin = performance.now();
		document.body.style.width = "1279.5px";
		document.body.getBoundingClientRect();
		resolve({
			response: page.responseEnd - page.requestStart, interactive: page.domInteractive,
			loaded: page.loadEventEnd, paint: paint ? paint.startTime : 0, layout: performance.now() - begin,
			size: page.decodedBodySize / 1024,
		});
	})`)
	t.Logf("1,000 runs: %.0f KiB, response after %.0f ms, first paint at %.0f ms, DOM at %.0f ms, "+
		"loaded at %.0f ms, a new layout in %.0f ms",
		times["size"], times["response"], times["paint"], times["interactive"], times["loaded"], times["layout"])
	p.Do(chromedp.SendKeys(chromedp.CSS("#q"), "migration-0999"))
	p.lists("migration-0999")
}
