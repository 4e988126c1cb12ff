package mtc_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestCatalogueWithoutOptions(t *testing.T) {
	c, err := mtc.NewCatalogue(mtc.Options{})
	require.NoError(t, err)
	assert.Same(t, mtc.Vocabulary(), c.Vocabulary)
	assert.Equal(t, mtc.Itineraries(), c.Itineraries)
}

// changed makes every kind of change except FailedEndsAtOnce.
var changed = mtc.Options{
	Flags:     []phases.FlagDef{{Flag: NeedsApproval, Name: "NeedsApproval", Description: "a person approves the result"}},
	Relations: []phases.Clause{{False: NeedsApproval, True: mtc.HasVerify}},
	Live:      mtc.Quiesce | mtc.HasVerify,
	Phases: map[string][]phases.Phase{
		mtc.Stage: {{Name: mtc.PhaseRestartVelero, Step: mtc.DataBackup, Description: "Waiting for Velero"}},
	},
	Descriptions: map[string]string{mtc.PhaseCompleted: "The end"},
	// Two of the names are swapped.
	Steps: map[string]string{mtc.Cleanup: mtc.CleanupHelpers, mtc.CleanupHelpers: mtc.Cleanup, mtc.DataBackup: "Data"},
}

func TestCatalogueChangesOnlyWhatItsOptionsName(t *testing.T) {
	c, err := mtc.NewCatalogue(changed)
	require.NoError(t, err)

	want := mtc.Itineraries()
	for i := range want {
		for j := range want[i].Phases {
			p := &want[i].Phases[j]
			if want[i].Name == mtc.Stage && p.Name == mtc.PhaseRestartVelero {
				*p = phases.Phase{Name: p.Name, Step: mtc.DataBackup, Description: "Waiting for Velero"}
			}
			if p.Name == mtc.PhaseCompleted {
				p.Description = "The end"
			}
			if step, ok := changed.Steps[p.Step]; ok {
				p.Step = step
			}
		}
		assert.Same(t, c.Vocabulary, c.Itineraries[i].Vocabulary)
		assert.Equal(t, want[i].Cleanup, c.Itineraries[i].Cleanup)
		assert.Equal(t, want[i].Result, c.Itineraries[i].Result)
		if diff := cmp.Diff(want[i].Phases, c.Itineraries[i].Phases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want[i].Name, diff)
		}
	}
	names := append(mtc.Vocabulary().Names(mtc.Vocabulary().All()), "NeedsApproval")
	assert.Equal(t, names, c.Vocabulary.Names(c.Vocabulary.All()))
	assert.Equal(t, append(mtc.Vocabulary().Relations(), changed.Relations...), c.Vocabulary.Relations())
	assert.Equal(t, changed.Live, c.Vocabulary.Live())
	assert.Zero(t, mtc.Vocabulary().Live(), "the built-in vocabulary is not changed")

	_, err = machine.CompileSet(c.Itineraries...)
	require.NoError(t, err)
}

func TestCatalogueDoesNotChangeItsOptions(t *testing.T) {
	own := []phases.GuardedStep{{Step: mtc.DataBackup, Guard: phases.Guard{All: mtc.Quiesce}}}
	c, err := mtc.NewCatalogue(mtc.Options{
		Phases: map[string][]phases.Phase{mtc.Final: {{Name: mtc.PhaseVerification, Step: "Approval", Steps: own}}},
		Steps:  map[string]string{mtc.DataBackup: "StateBackup"},
	})
	require.NoError(t, err)
	var steps []phases.GuardedStep
	for _, it := range c.Itineraries {
		for _, p := range it.Phases {
			if it.Name == mtc.Final && p.Name == mtc.PhaseVerification {
				steps = p.Steps
			}
		}
	}
	require.Len(t, steps, 1)
	assert.Equal(t, "StateBackup", steps[0].Step)
	assert.Equal(t, mtc.DataBackup, own[0].Step)
}

func TestCatalogueRefusesUnknownNames(t *testing.T) {
	own := func(flag phases.Flags, name string) []phases.FlagDef {
		return []phases.FlagDef{{Flag: flag, Name: name}}
	}
	for _, tt := range []struct {
		name    string
		options mtc.Options
		as      any
		want    string
	}{
		{"a phase", mtc.Options{Phases: map[string][]phases.Phase{mtc.Final: {{Name: "StartRefesh"}}}}, new(*mtc.UnknownNameError),
			`itinerary "Final": unknown phase "StartRefesh"; did you mean "StartRefresh"?`},
		{"a phase of another itinerary", mtc.Options{Phases: map[string][]phases.Phase{mtc.Failed: {{Name: mtc.PhaseDeleteBackups}}}}, new(*mtc.UnknownNameError),
			`itinerary "Failed": unknown phase "DeleteBackups"; known: MigrationFailed, DeleteRegistries and 2 more`},
		{"an itinerary", mtc.Options{Phases: map[string][]phases.Phase{"final": {{Name: mtc.PhaseCreated}}}}, new(*phases.UnknownItineraryError),
			`unknown itinerary "final"; did you mean "Final"?`},
		{"a phase that is described", mtc.Options{Descriptions: map[string]string{"Verify": "Checking"}}, new(*mtc.UnknownNameError),
			`unknown phase "Verify"; known: Created, Started and 64 more`},
		{"a step", mtc.Options{Steps: map[string]string{"Verify": "X", "DataBackups": "X"}}, new(*mtc.UnknownNameError),
			`unknown step "DataBackups"; did you mean "DataBackup" or "Backup"?` + "\n" + `unknown step "Verify"; known: Prepare, DataBackup and 15 more`},
		{"a step without a name", mtc.Options{Steps: map[string]string{mtc.Restore: ""}}, new(phases.DefinitionErrors), ""},
		{"a flag in the place of MTC's", mtc.Options{Flags: own(mtc.HasPVs, "Own")}, new(*phases.VocabularyError),
			`flag "Own": is in row 19 and must be the bit 1<<19; put the rows in the order of the constants`},
		{"a flag with the name of one of MTC's", mtc.Options{Flags: own(mtc.FirstOwnFlag, "HasPVs")}, new(*phases.VocabularyError),
			`flag "HasPVs": is defined twice`},
		{"a live flag of the embedder's own", mtc.Options{Flags: own(mtc.FirstOwnFlag, "Own"), Live: mtc.FirstOwnFlag}, new(*phases.VocabularyError),
			`flag "0x80000": is in Live, which is for MTC's flags; set Live of its FlagDef`},
		{"a relation of an unknown flag", mtc.Options{Relations: []phases.Clause{{True: mtc.FirstOwnFlag}}}, new(*phases.VocabularyError),
			"relation 13: names a flag that the vocabulary does not have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mtc.NewCatalogue(tt.options)
			assert.Zero(t, c)
			require.ErrorAs(t, err, tt.as)
			if tt.want != "" {
				assert.EqualError(t, err, tt.want)
			}
		})
	}
}

// Upstream's handler of MigrationFailed jumps over the phases after it.
func TestCatalogueFailedEndsAtOnce(t *testing.T) {
	for atOnce, want := range map[bool][]string{
		false: {mtc.PhaseMigrationFailed, mtc.PhaseDeleteRegistries, mtc.PhaseEnsureAnnotationsDeleted, mtc.PhaseCompleted},
		true:  {mtc.PhaseMigrationFailed, mtc.PhaseCompleted},
	} {
		c, err := mtc.NewCatalogue(mtc.Options{FailedEndsAtOnce: atOnce})
		require.NoError(t, err)
		failed := machine.MustCompile(c.Itineraries[3])
		assert.Equal(t, mtc.Failed, failed.Name())
		facts := phases.NewFacts(mtc.HasStageBackup, mtc.Vocabulary().All()&^mtc.HasStageBackup)
		assert.Equal(t, want, failed.Plan(facts).Running())
	}
}

func TestSourcesOverride(t *testing.T) {
	objects := mtc.Objects{
		Migration: &mtc.Migration{}, Plan: &mtc.Plan{}, Source: &mtc.Cluster{}, Destination: &mtc.Cluster{},
		ImageStreams: mtc.ReadImageStreams{Complete: true},
	}
	yes := func(context.Context, phases.Facts) (phases.Truth, error) { return phases.True, nil }
	all := mtc.Vocabulary().All()
	for flag := range all.Each {
		override := phases.Source{Flag: flag, Evaluate: yes}
		s := sources(t, objects, override)
		assert.Equal(t, all, s.Flags())
		answer := s.Evaluate(t.Context(), phases.Request{Read: all})
		require.NoError(t, answer.Err())
		assert.Equal(t, phases.True, answer.Facts.Of(flag), "%v", mtc.Vocabulary().Names(flag))
	}

	for _, overrides := range [][]phases.Source{
		{{Flag: mtc.HasPVs}},
		{{Flag: NeedsApproval, Evaluate: yes}},
		{{}},
	} {
		s, err := mtc.Sources(objects, overrides...)
		assert.Nil(t, s)
		var refused *phases.SourceError
		assert.ErrorAs(t, err, &refused)
	}
	_, err := mtc.Catalogue{}.Sources(objects)
	assert.EqualError(t, err, "sources need the vocabulary of their flags, not nil")
}

func TestConditionsFromLooksUpAllTypes(t *testing.T) {
	var asked []string
	got := mtc.ConditionsFrom(func(conditionType string) (string, string) {
		asked = append(asked, conditionType)
		switch conditionType {
		case "MigrationTypeIdentified":
			return "True", "StateMigrationPlan"
		case "Failed":
			return "False", ""
		}
		return "", "NotStaged"
	})
	assert.Equal(t, []string{"Failed", "Canceled", "Canceling", "StagePodsCreated", "MigrationTypeIdentified"}, asked)
	assert.Equal(t, mtc.Conditions{
		{Type: "Failed", Status: "False"},
		{Type: "MigrationTypeIdentified", Status: "True", Reason: "StateMigrationPlan"},
	}, got)
	assert.False(t, got.Has("Failed", "StagePodsCreated"))
}

func TestMustCatalogue(t *testing.T) {
	assert.Len(t, mtc.MustCatalogue(mtc.Options{Live: mtc.Quiesce}).Itineraries, 5)
	assert.PanicsWithError(t, mustFail(t).Error(), func() { mtc.MustCatalogue(mtc.Options{Steps: map[string]string{"Nowhere": "X"}}) })
}

func mustFail(t *testing.T) error {
	t.Helper()
	_, err := mtc.NewCatalogue(mtc.Options{Steps: map[string]string{"Nowhere": "X"}})
	require.Error(t, err)
	return err
}
