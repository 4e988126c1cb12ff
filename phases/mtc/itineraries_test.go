package mtc_test

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// row is a phase in mtc-itineraries.json.
type row struct {
	Name    string   `json:"name"`
	Step    string   `json:"step"`
	All     []string `json:"all"`
	Any     []string `json:"any"`
	None    []string `json:"none"`
	Rides   bool     `json:"rides"`
	Decides []string `json:"decides"`
}

func TestItinerariesAreThoseOfTheCurrentController(t *testing.T) {
	var file struct {
		Itineraries []struct {
			Name   string
			Phases []row
		}
	}
	require.NoError(t, json.Unmarshal(testdata(t, "mtc-itineraries.json"), &file))

	itineraries := mtc.Itineraries()
	require.Len(t, itineraries, len(file.Itineraries))
	for i, want := range file.Itineraries {
		t.Run(want.Name, func(t *testing.T) {
			got := itineraries[i]
			assert.Equal(t, want.Name, got.Name)
			require.Len(t, got.Phases, len(want.Phases))
			for j, p := range got.Phases {
				if diff := cmp.Diff(byFlags(t, want.Phases[j]), rowOf(p)); diff != "" {
					t.Errorf("phase %d (-want +got):\n%s", j, diff)
				}
			}
		})
	}
}

// byFlags sorts the names of flags by the vocabulary, since guards are sets.
func byFlags(t *testing.T, r row) row {
	for _, names := range []*[]string{&r.All, &r.Any, &r.None, &r.Decides} {
		set, err := mtc.Vocabulary().Parse(*names...)
		require.NoError(t, err)
		*names = mtc.Vocabulary().Names(set)
	}
	return r
}

func rowOf(p phases.Phase) row {
	names := mtc.Vocabulary().Names
	return row{
		Name: p.Name, Step: p.Step, Rides: p.Rides, Decides: names(p.Decides),
		All: names(p.Guard.All), Any: names(p.Guard.Any), None: names(p.Guard.None),
	}
}

func TestItinerariesAreValid(t *testing.T) {
	for _, it := range mtc.Itineraries() {
		t.Run(it.Name, func(t *testing.T) {
			require.NoError(t, it.Validate())
			assert.Same(t, mtc.Vocabulary(), it.Vocabulary)
			assert.Equal(t, mtc.PhaseCompleted, it.Phases[len(it.Phases)-1].Name)
			for _, p := range it.Phases {
				assertSentence(t, p.Name, p.Description)
				assert.True(t, unicode.IsUpper([]rune(p.Description)[0]), "%s: %q", p.Name, p.Description)
			}
		})
	}
}

// If the migration is a rollback, upstream's handler of Canceling continues after
// EnsureAnnotationsDeleted. No other phase jumps.
func TestJumpsOfItineraries(t *testing.T) {
	got := map[string][]phases.Jump{}
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			if len(p.Jumps) > 0 {
				got[it.Name+" "+p.Name] = p.Jumps
			}
		}
	}
	assert.Equal(t, map[string][]phases.Jump{
		"Cancel Canceling": {{To: "UnQuiesceSrcApplications", Guard: phases.Guard{All: mtc.RollingBack}}},
	}, got)

	it, err := mtc.Itinerary(mtc.Cancel)
	require.NoError(t, err)
	for i, p := range it.Phases[1:] {
		if p.Name == "UnQuiesceSrcApplications" {
			assert.Equal(t, "EnsureAnnotationsDeleted", it.Phases[i].Name)
		}
	}
}

func TestDescriptionsAreTheSameInEveryItinerary(t *testing.T) {
	byName := map[string]string{}
	byText := map[string]string{}
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			if text, ok := byName[p.Name]; ok {
				assert.Equal(t, text, p.Description, "%s in %s", p.Name, it.Name)
			}
			if name, ok := byText[p.Description]; ok {
				assert.Equal(t, name, p.Name, "two phases read %q", p.Description)
			}
			byName[p.Name], byText[p.Description] = p.Description, p.Name
		}
	}
}

func TestCleanupItinerariesAndResults(t *testing.T) {
	type ends struct {
		cleanup bool
		result  phases.Result
	}
	got := map[string]ends{}
	for _, it := range mtc.Itineraries() {
		got[it.Name] = ends{it.Cleanup, it.Result.OrDefault()}
	}
	assert.Equal(t, map[string]ends{
		mtc.Stage:    {false, phases.Succeeded},
		mtc.Final:    {false, phases.Succeeded},
		mtc.Cancel:   {true, phases.Canceled},
		mtc.Failed:   {true, phases.Failed},
		mtc.Rollback: {true, phases.RolledBack},
	}, got)
}

func TestPhasesRememberTheirFormerNames(t *testing.T) {
	got := map[string]map[string]string{}
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			for _, former := range p.Formerly {
				if got[it.Name] == nil {
					got[it.Name] = map[string]string{}
				}
				got[it.Name][former] = p.Name
			}
		}
	}
	assert.Equal(t, map[string]map[string]string{
		mtc.Stage: {
			"Prepare":                     "StartRefresh",
			"EnsureStagePods":             "EnsureStagePodsFromRunning",
			"ResticRestarted":             "WaitForResticReady",
			"EnsureLabelsDeleted":         "EnsureAnnotationsDeleted",
			"QuiesceApplications":         "QuiesceSourceApplications",
			"EnsureQuiesced":              "EnsureSrcQuiesced",
			"CreateDirectVolumeMigration": "CreateDirectVolumeMigrationStage",
		},
		mtc.Final: {
			"Prepare":                     "StartRefresh",
			"EnsureStagePods":             "EnsureStagePodsFromRunning",
			"ResticRestarted":             "WaitForResticReady",
			"EnsureLabelsDeleted":         "EnsureAnnotationsDeleted",
			"QuiesceApplications":         "QuiesceSourceApplications",
			"EnsureQuiesced":              "EnsureSrcQuiesced",
			"CreateDirectVolumeMigration": "CreateDirectVolumeMigrationFinal",
		},
		mtc.Cancel:   {"UnQuiesceApplications": "UnQuiesceSrcApplications"},
		mtc.Rollback: {"UnQuiesceApplications": "UnQuiesceSrcApplications"},
	}, got)
}

func TestItinerariesShareNothing(t *testing.T) {
	want, got := mtc.Itineraries(), mtc.Itineraries()
	for i := range got {
		for j := range got[i].Phases {
			p := &got[i].Phases[j]
			for k := range p.Formerly {
				p.Formerly[k] = "changed"
			}
			*p = phases.Phase{Name: "changed"}
		}
	}
	again := mtc.Itineraries()
	for i := range want {
		if diff := cmp.Diff(want[i].Phases, again[i].Phases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want[i].Name, diff)
		}
	}
}

func TestItineraryByName(t *testing.T) {
	for _, want := range mtc.Itineraries() {
		got, err := mtc.Itinerary(want.Name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}

	_, err := mtc.Itinerary("final")
	var unknown *phases.UnknownItineraryError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, &phases.UnknownItineraryError{
		Name: "final", Nearest: []string{"Final"}, Known: []string{"Stage", "Final", "Cancel", "Failed", "Rollback"},
	}, unknown)
	assert.EqualError(t, err, `unknown itinerary "final"; did you mean "Final"?`)
}

// The enhancement's third test, for the guards: without a stage backup and without
// volumes that are copied indirectly, each phase of DataBackup and DataRestore that
// runs also rides.
func TestNothingToBackUpShowsNoDataSteps(t *testing.T) {
	all := mtc.Vocabulary().All()
	for _, name := range []string{mtc.Stage, mtc.Final} {
		it, err := mtc.Itinerary(name)
		require.NoError(t, err)
		for f := phases.Flags(0); f <= all; f++ {
			if !realistic(f) || !f.Has(mtc.DirectImage) || f.Has(mtc.HasStageBackup) || f.Has(mtc.HasPVs|mtc.IndirectVolume) {
				continue
			}
			facts := phases.NewFacts(f, all&^f)
			for _, p := range it.Phases {
				if (p.Step == mtc.DataBackup || p.Step == mtc.DataRestore) && !p.Rides && p.Guard.Eval(facts) == phases.True {
					t.Fatalf("%s: %s shows %s with %v", name, p.Name, p.Step, mtc.Vocabulary().Names(f))
				}
			}
		}
	}
}
