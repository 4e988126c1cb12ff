package bigswitch

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// lives is the number of lives that are played.
var lives = testscale.Of[int64](1000, 100)

const maxDifferent = 15 // percent

// kind is an intended kind of difference between before and after.
type kind struct {
	name, reason string
	// is reports whether a life differs in this way. The first n visits are
	// equal.
	is func(l life, before, after played, n int) bool
}

var (
	migrationFailed  = world.Visit{Itinerary: mtc.Failed, Phase: mtc.PhaseMigrationFailed}
	deleteRegistries = world.Visit{Itinerary: mtc.Failed, Phase: mtc.PhaseDeleteRegistries}
	deleteAnnotation = world.Visit{Itinerary: mtc.Failed, Phase: mtc.PhaseEnsureAnnotationsDeleted}
	swapReferences   = world.Visit{Itinerary: mtc.Rollback, Phase: mtc.PhaseSwapPVCReferences}
)

// kinds lists all intended differences. A life is of the first kind that
// matches.
var kinds = []kind{
	{
		"MigrationFailed jumps over the cleanup behind it",
		"before, registries and annotations of a failed migration stay; after, the phases that the itinerary lists run",
		func(_ life, before, after played, n int) bool {
			return n > 0 && before.Visits[n-1] == migrationFailed && len(before.Visits) == n &&
				(slices.Equal(after.Visits[n:], []world.Visit{deleteRegistries}) ||
					slices.Equal(after.Visits[n:], []world.Visit{deleteRegistries, deleteAnnotation}))
		},
	},
	{
		"a list of image streams fails",
		"before, one failed request of the search for the next phase fails the migration; after, a flag that cannot be evaluated is retried, if anything depends on it",
		func(_ life, before, after played, n int) bool {
			return before.FailedLists > 0 && slices.Equal(before.Visits[n:], []world.Visit{migrationFailed}) &&
				slices.Contains(before.last().Status.Errors, world.ErrOutage.Error()) &&
				(len(after.Visits) == n || after.Visits[n] != migrationFailed)
		},
	},
	{
		"a phase of a cleanup fails",
		"before, a failed phase ends the cancel or rollback, and the source applications stay scaled down; after, the cleanup continues to its end",
		func(_ life, before, after played, n int) bool {
			return n > 0 && (before.Visits[n-1].Itinerary == mtc.Cancel || before.Visits[n-1].Itinerary == mtc.Rollback) &&
				slices.Equal(before.Visits[n:], []world.Visit{migrationFailed}) &&
				!slices.ContainsFunc(after.Visits[n:], func(v world.Visit) bool { return v.Itinerary == mtc.Failed })
		},
	},
	{
		"a running migration is rolled back",
		"StorageConversion reads spec.rollback; before, it is evaluated again; after, its value carries over into the rollback",
		func(l life, before, after played, n int) bool {
			return !l.spec.Rollback && before.last().Spec.Rollback && n < len(before.Visits) &&
				before.Visits[n] == swapReferences && slices.Equal(before.Visits[n+1:], after.Visits[n:])
		},
	},
	{
		"the plan is edited while the migration runs",
		"before, the migration follows each edit half-way; after, it keeps to the plan that it began with",
		func(l life, _, _ played, n int) bool { return l.edited > 0 && l.edited <= n },
	},
}

// tally is the sum of all lives.
type tally struct {
	sync.Mutex
	different, visits  int
	counts             []int // by kind
	examples           []int64
	lists              map[string]int
	skipped, lostSteps int // lives before
}

// TestSameLives plays random lives before, from the side and whole. All
// variants enter the same phases, except for the intended kinds of
// differences.
func TestSameLives(t *testing.T) {
	all := tally{counts: make([]int, len(kinds)), examples: make([]int64, len(kinds)), lists: map[string]int{}}
	t.Run("lives", func(t *testing.T) {
		const at = 50
		for first := int64(0); first < lives; first += at {
			t.Run(fmt.Sprint(first), func(t *testing.T) {
				t.Parallel()
				for seed := first; seed < first+at; seed++ {
					all.compare(t, seed)
				}
			})
		}
	})

	t.Logf("%d visits before", all.visits)
	if testscale.Reduced {
		return
	}
	readme(t, "lives in which the same phases are entered", int(lives)-all.different)
	readme(t, "lives before with a step that reads `Skipped`", all.skipped)
	readme(t, "lives before with a phase whose step is not listed", all.lostSteps)
	readme(t, "lists of image streams before", all.lists["before"])
	readme(t, "lists of image streams from the side", all.lists["side"])
	readme(t, "lists of image streams whole", all.lists["whole"])
	for k, kind := range kinds {
		t.Logf("%3d: %s (such as seed %d): %s", all.counts[k], kind.name, all.examples[k], kind.reason)
		assert.Positive(t, all.counts[k], "no life is of kind %q; remove it", kind.name)
		assert.Contains(t, readmeText(t), fmt.Sprintf("| %d | %s |", all.counts[k], kind.name))
	}
	assert.Less(t, all.different*100, maxDifferent*int(lives), "too many lives differ")
}

// readme checks a number in a row of a table in README.md.
func readme(t *testing.T, what string, number int) {
	t.Helper()
	t.Logf("%s: %d", what, number)
	assert.Contains(t, readmeText(t), fmt.Sprintf("| %s | %d |", what, number))
}

func readmeText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "`MigrationFailed`", "MigrationFailed")
}

// compare plays a life three times.
func (all *tally) compare(t *testing.T, seed int64) {
	l := randomLife(seed)
	before, side, whole := play(t, l, beforeIt), play(t, l, sideIt), play(t, l, wholeIt)
	require.Equal(t, whole.Visits, side.Visits, "seed %d: side and whole differ", seed)
	checkSteps(t, side, fmt.Sprintf("seed %d, from the side", seed))
	checkSteps(t, whole, fmt.Sprintf("seed %d, whole", seed))
	if !l.script.Lost[1] { // otherwise the side has not begun: it begins in its first write
		require.Equal(t, shown(whole.last()), shown(side.last()), "seed %d", seed)
	}

	all.Lock()
	defer all.Unlock()
	all.visits += len(before.Visits)
	all.lists["before"] += before.Lists
	all.lists["side"] += side.Lists
	all.lists["whole"] += whole.Lists
	if hasSkipped(before.last()) {
		all.skipped++
	}
	if lostStep(before) != "" {
		all.lostSteps++
	}
	n, same := commonVisits(before, whole)
	if same {
		return
	}
	all.different++
	k := slices.IndexFunc(kinds, func(k kind) bool { return k.is(l, before, whole, n) })
	if k < 0 {
		t.Errorf("seed %d differs in a way that is not listed, after %d visits:\nbefore: %v\nafter:  %v",
			seed, n, before.Visits[n:], whole.Visits[n:])
		return
	}
	if all.counts[k] == 0 || seed < all.examples[k] {
		all.examples[k] = seed
	}
	all.counts[k]++
}

// commonVisits returns the number of leading visits that two lives have in
// common, and reports whether these are all.
func commonVisits(a, b played) (n int, all bool) {
	for n < min(len(a.Visits), len(b.Visits)) && a.Visits[n] == b.Visits[n] {
		n++
	}
	return n, n == len(a.Visits) && n == len(b.Visits)
}

// checkSteps checks that no stored pipeline has skipped or lost a step.
func checkSteps(t *testing.T, p played, name string) {
	t.Helper()
	require.Empty(t, lostStep(p), name)
	for i, m := range p.stored {
		require.False(t, hasSkipped(m), name)
		if i == 0 {
			continue
		}
		for _, was := range p.stored[i-1].Status.Pipeline {
			if is := m.Status.Step(was.Name); was.Started != nil {
				require.NotNil(t, is, "%s: step %s is gone", name, was.Name)
				require.True(t, was.Started.Equal(is.Started), "%s: step %s starts twice", name, was.Name)
			}
		}
	}
	for _, step := range p.last().Status.Pipeline {
		require.NotNil(t, step.Completed, "%s: step %s is open at the end", name, step.Name)
	}
}

func hasSkipped(m *api.MigMigration) bool {
	return slices.ContainsFunc(m.Status.Pipeline, func(s *api.Step) bool { return s.Skipped })
}

// stepOf maps a phase to its step. A phase that rides, and so never makes its
// step visible, is not in it.
var stepOf = func() map[world.Visit]string {
	steps := map[world.Visit]string{}
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			if !p.Rides {
				steps[world.Visit{Itinerary: it.Name, Phase: p.Name}] = p.Step
			}
		}
	}
	return steps
}()

// lostStep returns the first phase that was stored while its step was not
// listed, or the empty string.
func lostStep(p played) string {
	for _, m := range p.stored {
		step := stepOf[world.Visit{Itinerary: m.Status.Itinerary, Phase: m.Status.Phase}]
		former := strings.Replace(step, "Data", "Stage", 1)
		if step != "" && m.Status.Step(step) == nil && m.Status.Step(former) == nil {
			return m.Status.Phase
		}
	}
	return ""
}

// shown returns the visible text of a pipeline, without times.
func shown(m *api.MigMigration) (lines []string) {
	for _, step := range m.Status.Pipeline {
		lines = append(lines, fmt.Sprintf("%s: %s %v %v", step.Name, step.Message, step.Failed, step.Progress))
	}
	return lines
}
