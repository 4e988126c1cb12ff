package pages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

const axe = "../node_modules/axe-core/axe.min.js"

// pagesOf returns a page of each kind, by what it shows.
func pagesOf(all map[string]*debugtest.Migration) map[string]string {
	pages := map[string]string{
		"list": "", "list without a match": "?q=none", "itineraries": "itineraries",
		"itinerary": finalDirect + "&turn=IndirectImage%3Dtrue", "cleanup itinerary": "itinerary?name=Rollback",
		"moment before": runPage(all["payments"]) + "&moment=3", "unknown run": "run?name=payment",
	}
	for _, name := range []string{"payments", "shop", "crm", "billing", "mail", "wiki", "portal"} {
		pages["run "+name] = runPage(all[name])
	}
	return pages
}

func TestPagesAreAccessible(t *testing.T) {
	s := newSite(t)
	pages := pagesOf(s.Dozen())
	p := newTab(t, s.url)
	p.expected = "status of 404"
	check := func(name, url string) {
		for _, width := range []int64{375, 1600} {
			for _, theme := range browser.Themes {
				t.Run(fmt.Sprintf("%s in %s at %d", name, theme, width), func(t *testing.T) {
					p.width(width)
					p.Theme(theme)
					p.visit(url)
					p.Load(axe)
					browser.Call[bool](p.Page, `() => document.querySelectorAll("details").forEach(d => d.open = true) ?? true`)
					found := browser.Call[[]string](p.Page, `async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
						.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html.slice(0, 200) + n.failureSummary).join(", "))`)
					assert.Empty(t, found)
					wide := browser.Call[float64](p.Page,
						`() => document.documentElement.scrollWidth - document.documentElement.clientWidth`)
					assert.Zero(t, wide, "the page itself scrolls sideways, by pixels")
				})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		check(name, pages[name])
	}
	empty := newSite(t)
	p.site = empty.url
	check("empty list", "")
}

func TestListHasRoomForItsTexts(t *testing.T) {
	s := newSite(t)
	s.Dozen()
	p := s.open(t, "")
	for _, width := range []int64{1280, 1440, 1600} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			p.width(width)
			assert.Empty(t, browser.Call[[]string](p.Page, `() => [...document.querySelectorAll(".runs th, .runs td")]
				.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)`))
		})
	}
}

// focused describes the focused element and its outline.
type focused struct {
	Element string // unique in the page; empty if nothing has the focus
	Outline float64
	Seen    bool // in the window, and not covered
}

const describe = `
	const describe = e => e === document.body || !e ? "" :
		e.tagName + "#" + e.id + " " + (e.getAttribute("href") || e.getAttribute("name") || "") + " " + (e.innerText || "").slice(0, 40);
`

func (p *tab) focus() focused {
	p.T.Helper()
	return browser.Call[focused](p.Page, `() => {`+describe+`
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
		return {
			element: describe(e),
			outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
			seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
		};
	}`)
}

func TestKeyboardReachesEverything(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	for _, tt := range []struct{ name, page string }{
		{"list", ""}, {"run", runPage(all["payments"])}, {"itineraries", "itineraries"}, {"itinerary", finalDirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.open(t, tt.page)
			want := browser.Call[[]string](p.Page, `() => {`+describe+`
				return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")]
					.filter(e => !e.disabled && e.checkVisibility()).map(describe);
			}`)
			require.NotEmpty(t, want)
			got := make(map[string]bool)
			for range len(want) + 20 {
				p.Do(chromedp.KeyEvent(kb.Tab))
				f := p.focus()
				if f.Element == "" {
					break // full circle
				}
				got[f.Element] = true
				assert.GreaterOrEqual(t, f.Outline, 2.0, "the focus on %s is seen", f.Element)
				assert.True(t, f.Seen, "%s is in the window", f.Element)
			}
			for _, element := range want {
				assert.True(t, got[element], "Tab does not reach %s", element)
			}
		})
	}
}

func TestKeyboardOperatesEverything(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	press := func(p *tab, keys string) {
		t.Helper()
		p.Do(chromedp.KeyEvent(keys))
	}
	t.Run("the skip link comes first", func(t *testing.T) {
		p := s.open(t, "")
		press(p, kb.Tab)
		require.Contains(t, p.focus().Element, "#main")
		press(p, kb.Enter)
		p.until(`() => document.activeElement.id === "main"`)
		press(p, kb.Tab)
		assert.Contains(t, p.focus().Element, "tab-all")
	})
	t.Run("a filter", func(t *testing.T) {
		p := s.open(t, "")
		p.Do(chromedp.Focus(chromedp.CSS("#failing")))
		press(p, " ")
		p.until(`() => new URL(location.href).searchParams.get("failing") === "true"`)
		p.until(`selector => document.querySelectorAll(selector).length < 13`, runNames)
		p.Do(chromedp.Focus(chromedp.CSS("#tab-Retrying")))
		press(p, kb.Enter)
		p.lists("shop")
		assert.Contains(t, p.focus().Element, "tab-Retrying", "the focus stays")
	})
	t.Run("a switch", func(t *testing.T) {
		p := s.open(t, finalDirect)
		p.Do(chromedp.Focus(chromedp.CSS("#turn-IndirectImage-true")))
		press(p, " ")
		p.hasSteps("DataBackup", "DirectImage")
		assert.Contains(t, p.focus().Element, "turn-IndirectImage-true", "the focus stays")
		p.Do(chromedp.Focus(chromedp.CSS("#turn-IndirectImage-false")))
		press(p, kb.Enter)
		p.hasSteps("DirectImage", "DataBackup")
	})
	t.Run("the slider", func(t *testing.T) {
		p := s.open(t, runPage(all["payments"]))
		p.Do(chromedp.Focus(chromedp.CSS("#moment")))
		press(p, kb.ArrowLeft)
		p.until(`() => new URL(location.href).searchParams.has("moment")`)
		p.shows("#doing", "As it was at")
		press(p, kb.ArrowRight)
		p.until(`() => !new URL(location.href).searchParams.has("moment")`)
	})
	t.Run("what is folded", func(t *testing.T) {
		p := s.open(t, runPage(all["payments"]))
		p.Do(chromedp.Focus(chromedp.CSS("#all-phases summary")))
		press(p, kb.Enter)
		p.until(`() => document.getElementById("all-phases").open`)
	})
}

func TestPagesWorkWithoutScript(t *testing.T) {
	s := newSite(t)
	all := s.Dozen()
	p := newTab(t, s.url)
	p.withoutScript()
	p.visit("")
	require.False(t, browser.Call[bool](p.Page, `() => document.documentElement.classList.contains("js")`))
	assert.Len(t, p.texts(runNames), len(all))
	t.Run("a search", func(t *testing.T) {
		p.Do(chromedp.SendKeys(chromedp.CSS("#q"), "volumes are"))
		p.click(".filters button")
		p.lists("ledger", "payments")
		p.click("#clear")
		p.until(`(selector, n) => document.querySelectorAll(selector).length === n`, runNames, len(all))
	})
	t.Run("what they do", func(t *testing.T) {
		p.click("#tab-Retrying")
		p.lists("shop")
	})
	t.Run("a run and its moments", func(t *testing.T) {
		p.visit("?q=payments")
		p.click(runNames)
		p.isAt(debugtest.Copying)
		p.click("#previous")
		p.shows("#doing", "As it was at")
		p.click("#all-phases summary")
		p.until(`() => document.getElementById("all-phases").open`)
		_, text := p.download(`.files a[href^="history"]`)
		assert.Contains(t, text, debugtest.Copying)
	})
	t.Run("an itinerary", func(t *testing.T) {
		p.visit(finalDirect)
		p.hasSteps("DirectImage", "DataBackup")
		assert.True(t, strings.Contains(p.texts("#graph")[0], "DirectImage"))
	})
}
