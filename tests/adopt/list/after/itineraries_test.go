package after

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The warm itinerary equals the one recorded from forklift, apart from steps,
// the end phase, and one choice that forklift's handlers do not have.
func TestWarmItineraryIsAsRecorded(t *testing.T) {
	type jump struct {
		To  string   `json:"to"`
		All []string `json:"all"`
	}
	type phase struct {
		Name    string   `json:"name"`
		All     []string `json:"all"`
		Decides []string `json:"decides"`
		Jumps   []jump   `json:"jumps"`
	}
	var recorded struct {
		Phases []phase `json:"phases"`
	}
	data, err := os.ReadFile("../../../conformance/testdata/forklift-warm.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &recorded))

	g, err := itineraries.Graph("Warm")
	require.NoError(t, err)
	var written []phase
	for i := range g.Len() {
		p := g.Phase(i)
		w := phase{Name: p.Name, All: vocabulary.Names(p.Guard.All), Decides: vocabulary.Names(p.Decides)}
		for _, j := range p.Jumps {
			if !j.Choice {
				w.Jumps = append(w.Jumps, jump{To: j.To, All: vocabulary.Names(j.Guard.All)})
			}
		}
		written = append(written, w)
	}
	// The absence of flags is a nil list in one and an empty list in the
	// other.
	for _, list := range [][]phase{recorded.Phases, written} {
		for i := range list {
			list[i].All, list[i].Decides = orNil(list[i].All), orNil(list[i].Decides)
			for k := range list[i].Jumps {
				list[i].Jumps[k].All = orNil(list[i].Jumps[k].All)
			}
		}
	}
	assert.Empty(t, cmp.Diff(recorded.Phases, written), "-recorded +written")
}

func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
