package verify

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var update = flag.Bool("update", false, "write the goldens anew")

// releaseOf compiles itineraries as a release.
func releaseOf(t testing.TB, name string, itineraries ...phases.Itinerary) *Release {
	t.Helper()
	r, err := ReleaseOfFile(name, &phases.File{Vocabulary: itineraries[0].Vocabulary, Itineraries: itineraries})
	require.NoError(t, err)
	return r
}

// parse reads a release from YAML.
func parse(t testing.TB, name, text string) *Release {
	t.Helper()
	f, err := phases.Load(strings.NewReader(text), name)
	require.NoError(t, err)
	r, err := ReleaseOfFile(name, f)
	require.NoError(t, err)
	return r
}

// fingerprints are those of the breaks, in order.
func fingerprints(breaks []Break) []string {
	all := make([]string, len(breaks))
	for i, b := range breaks {
		all[i] = b.Fingerprint()
	}
	return all
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(string(want), got), "run with -update if this is meant")
}

func TestNamesOfRulesAreFrozen(t *testing.T) {
	var b strings.Builder
	for _, r := range CompatRules() {
		fmt.Fprintf(&b, "%s %s: %s\n", r.Name, r.Severity, r.Definition)
	}
	golden(t, "compat-rules.txt", b.String())
}

func TestAReleaseIsCompatibleWithItself(t *testing.T) {
	r := releaseOf(t, "mtc", mtc.Itineraries()...)
	report := Compat(r, r, CompatOptions{everything: true})
	assert.Empty(t, cmp.Diff([]Break{}, report.Breaks), "all states are looked at")
	assert.Empty(t, Compat(r, r, CompatOptions{}).Breaks)
	assert.False(t, report.Reaches(Info))
}

// final returns a copy of MTC's Final that may be changed.
func final() phases.Itinerary {
	i := slices.IndexFunc(mtc.Itineraries(), func(it phases.Itinerary) bool { return it.Name == mtc.Final })
	it := mtc.Itineraries()[i]
	it.Phases = slices.Clone(it.Phases)
	return it
}

func fromPhase(it phases.Itinerary, phase string) int {
	return slices.IndexFunc(it.Phases, func(p phases.Phase) bool { return p.Name == phase })
}

// move puts a phase before another.
func move(it *phases.Itinerary, phase, before string) {
	p := it.Phases[fromPhase(*it, phase)]
	it.Phases = slices.Delete(it.Phases, fromPhase(*it, phase), fromPhase(*it, phase)+1)
	it.Phases = slices.Insert(it.Phases, fromPhase(*it, before), p)
}

func TestPlantedChangesInFinalAreFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(it *phases.Itinerary)
	}{
		{"a phase is moved", func(it *phases.Itinerary) {
			move(it, mtc.PhaseEnsureSrcQuiesced, mtc.PhasePreRestoreHooks)
		}},
		{"a phase is renamed", func(it *phases.Itinerary) {
			it.Phases[fromPhase(*it, mtc.PhaseEnsureSrcQuiesced)].Name = "EnsureSourceQuiesced"
		}},
		{"a phase is renamed, and says so", func(it *phases.Itinerary) {
			p := &it.Phases[fromPhase(*it, mtc.PhaseEnsureSrcQuiesced)]
			p.Formerly, p.Name = append(slices.Clone(p.Formerly), p.Name), "EnsureSourceQuiesced"
		}},
		{"a phase is dropped", func(it *phases.Itinerary) {
			i := fromPhase(*it, mtc.PhaseVerification)
			it.Phases = slices.Delete(it.Phases, i, i+1)
		}},
		{"a flag is added", func(it *phases.Itinerary) {
			const more = mtc.FirstOwnFlag
			defs := append(mtc.Vocabulary().Defs(), phases.FlagDef{Flag: more, Name: "HasQuota"})
			it.Vocabulary = phases.MustVocabulary(defs, mtc.Vocabulary().Relations()...)
			it.Phases[fromPhase(*it, mtc.PhasePostRestoreHooks)].Guard.None = more
		}},
		{"a guard is changed", func(it *phases.Itinerary) {
			it.Phases[fromPhase(*it, mtc.PhaseEnsureInitialBackupReplicated)].Guard = phases.Guard{All: mtc.Quiesce}
		}},
		{"a step is renamed", func(it *phases.Itinerary) {
			for i := range it.Phases {
				if it.Phases[i].Step == mtc.Restore {
					it.Phases[i].Step = "RestoreDefinitions"
				}
			}
		}},
		{"a loop is added", func(it *phases.Itinerary) {
			it.Phases[fromPhase(*it, mtc.PhaseVerification)].Jumps = []phases.Jump{{To: mtc.PhasePostRestoreHooks, Guard: phases.Guard{All: mtc.HasVerify}}}
			it.Phases[fromPhase(*it, mtc.PhaseVerification)].Decides = mtc.HasVerify
		}},
		{"the work of a phase is another's", func(it *phases.Itinerary) {
			it.Phases[fromPhase(*it, mtc.PhaseWaitForRefresh)].Decides |= mtc.Quiesce
		}},
		{"the result is another", func(it *phases.Itinerary) { it.Result = phases.Canceled }},
		{"it becomes a cleanup itinerary", func(it *phases.Itinerary) { it.Cleanup = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := final()
			c.change(&changed)
			report := Compat(releaseOf(t, "old", final()), releaseOf(t, "new", changed), CompatOptions{})
			var b strings.Builder
			for _, one := range report.Breaks {
				fmt.Fprintf(&b, "%s %s\n  %s\n", one.Severity(), one.Fingerprint(), one.Text)
				if s := one.State; s != nil {
					fmt.Fprintf(&b, "  smallest: at %q with %s after %d phases\n", s.Phase, strings.Join(s.Facts.True, ", "), len(s.Ran))
				}
				if one.Suggestion != "" {
					fmt.Fprintf(&b, "  suggestion: %s\n", one.Suggestion)
				}
			}
			golden(t, "compat/"+strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(c.name)+".txt", b.String())
		})
	}
}

var _ = machine.Compile
