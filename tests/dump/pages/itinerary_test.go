package pages

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const finalDirect = "itinerary?name=Final&set=DirectImage,EnableImage,HasISs"

// hasSteps waits until the pipeline has one step but not another.
func (p *tab) hasSteps(step, not string) {
	p.T.Helper()
	p.until(`(step, not) => {
		const names = [...document.querySelectorAll("#pipeline .name")].map(e => e.textContent.trim());
		return names.includes(step) && !names.includes(not);
	}`, step, not)
}

func (p *tab) valueOf(flag string) string {
	p.T.Helper()
	all := p.texts("button[id^=turn-" + flag + "-][aria-pressed=true]")
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

func TestFlagChangesThePipeline(t *testing.T) {
	s := newSite(t)
	p := s.open(t, "itineraries")
	p.click(`a[href="itinerary?name=Final"]`)
	p.shows("h1", "Final")
	for _, flag := range []string{"DirectImage", "EnableImage", "HasISs"} {
		p.mark()
		p.click("#turn-" + flag + "-true")
		p.until(`id => document.getElementById(id).getAttribute("aria-pressed") === "true"`, "turn-"+flag+"-true")
		p.notReloaded()
	}
	p.hasSteps("DirectImage", "DataBackup")
	assert.Contains(t, p.texts("#leftout")[0], "DataBackup")
	graph := p.texts("#graph")[0]

	p.click("#turn-IndirectImage-true")
	p.hasSteps("DataBackup", "DirectImage")
	said := p.texts("#said")[0]
	for _, want := range []string{
		"IndirectImage is true", "DirectImage is false", "HasStageBackup is true", "DirectImage vanishes", "DataBackup",
	} {
		assert.Contains(t, said, want)
	}
	assert.Equal(t, "false", p.valueOf("DirectImage"))
	assert.Equal(t, "true", p.valueOf("HasStageBackup"))
	assert.NotEqual(t, graph, p.texts("#graph")[0], "the graph is another")
	p.notReloaded()

	// The address can be shared.
	u := p.address()
	other := s.open(t, "itinerary?"+u.RawQuery)
	other.hasSteps("DataBackup", "DirectImage")
	for _, selector := range []string{"#pipeline", "#leftout", "#graph", "#switches", "#said"} {
		assert.Equal(t, p.texts(selector), other.texts(selector), selector)
	}

	p.click("#reset")
	p.until(`() => !location.search.includes("set=")`)
	p.shows("h1", "Final")
}
