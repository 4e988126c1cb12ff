package conformance

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// interruption is what interrupts a migration: a failure, or the edit of that name.
type interruption string

const (
	fails        interruption = "fails"
	isCanceled   interruption = "is canceled"
	isRolledBack interruption = "is rolled back"
)

// outcomes lists the results of migrations that begin in an itinerary and are
// interrupted there, possibly again in the next itinerary.
var outcomes = []struct {
	begins       string
	first, again interruption
	result       phases.Result
	ends         string
	// failed and inCleanup are the numbers of failed phases, outside and in cleanup
	// itineraries.
	failed, inCleanup int64
}{
	{mtc.Stage, "", "", phases.Succeeded, mtc.Stage, 0, 0},
	{mtc.Stage, fails, "", phases.Failed, mtc.Failed, 1, 0},
	{mtc.Stage, isCanceled, "", phases.Canceled, mtc.Cancel, 0, 0},
	{mtc.Stage, isRolledBack, "", phases.RolledBack, mtc.Rollback, 0, 0},
	{mtc.Stage, fails, fails, phases.Failed, mtc.Failed, 1, 1},
	{mtc.Stage, fails, isCanceled, phases.Failed, mtc.Cancel, 1, 0},
	{mtc.Stage, fails, isRolledBack, phases.Failed, mtc.Rollback, 1, 0},
	{mtc.Stage, isCanceled, fails, phases.Canceled, mtc.Cancel, 0, 1},
	{mtc.Stage, isCanceled, isRolledBack, phases.Canceled, mtc.Rollback, 0, 0},
	{mtc.Stage, isRolledBack, fails, phases.RolledBack, mtc.Rollback, 0, 1},
	{mtc.Stage, isRolledBack, isCanceled, phases.Canceled, mtc.Cancel, 0, 0},

	{mtc.Final, "", "", phases.Succeeded, mtc.Final, 0, 0},
	{mtc.Final, fails, "", phases.Failed, mtc.Failed, 1, 0},
	{mtc.Final, isCanceled, "", phases.Canceled, mtc.Cancel, 0, 0},
	{mtc.Final, isRolledBack, "", phases.RolledBack, mtc.Rollback, 0, 0},
	{mtc.Final, fails, fails, phases.Failed, mtc.Failed, 1, 1},
	{mtc.Final, fails, isCanceled, phases.Failed, mtc.Cancel, 1, 0},
	{mtc.Final, fails, isRolledBack, phases.Failed, mtc.Rollback, 1, 0},
	{mtc.Final, isCanceled, fails, phases.Canceled, mtc.Cancel, 0, 1},
	{mtc.Final, isCanceled, isRolledBack, phases.Canceled, mtc.Rollback, 0, 0},
	{mtc.Final, isRolledBack, fails, phases.RolledBack, mtc.Rollback, 0, 1},
	{mtc.Final, isRolledBack, isCanceled, phases.Canceled, mtc.Cancel, 0, 0},

	{mtc.Rollback, "", "", phases.RolledBack, mtc.Rollback, 0, 0},
	{mtc.Rollback, fails, "", phases.RolledBack, mtc.Rollback, 0, 1},
	{mtc.Rollback, isCanceled, "", phases.Canceled, mtc.Cancel, 0, 0},
	{mtc.Rollback, isCanceled, fails, phases.Canceled, mtc.Cancel, 0, 1},
	{mtc.Rollback, isCanceled, isRolledBack, phases.Canceled, mtc.Rollback, 0, 0},

	{mtc.Cancel, "", "", phases.Canceled, mtc.Cancel, 0, 0},
	{mtc.Cancel, fails, "", phases.Canceled, mtc.Cancel, 0, 1},
	{mtc.Cancel, isRolledBack, "", phases.Canceled, mtc.Rollback, 0, 0},
	{mtc.Cancel, isRolledBack, fails, phases.Canceled, mtc.Rollback, 0, 1},

	{mtc.Failed, "", "", phases.Failed, mtc.Failed, 0, 0},
	{mtc.Failed, fails, "", phases.Failed, mtc.Failed, 0, 1},
	{mtc.Failed, isCanceled, "", phases.Canceled, mtc.Cancel, 0, 0},
	{mtc.Failed, isRolledBack, "", phases.Failed, mtc.Rollback, 0, 0},
}

// follows maps an interruption to the itinerary that the object then selects.
var follows = map[interruption]string{fails: mtc.Failed, isCanceled: mtc.Cancel, isRolledBack: mtc.Rollback}

// The result of a migration is recorded as data, for interruptions at every position
// of every itinerary, including the start, and in the next itinerary.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	direct := mtc.DirectImage | mtc.DirectVolume | mtc.HasPVs | mtc.HasISs | mtc.EnableImage | mtc.EnableVolume | mtc.Quiesce
	indirect := mtc.IndirectImage | mtc.IndirectVolume | mtc.HasPVs | mtc.HasISs | mtc.HasStageBackup | mtc.HasStagePods |
		mtc.EnableImage | mtc.EnableVolume | mtc.Quiesce
	planned, lives := 0, 0
	for _, row := range outcomes {
		t.Run(fmt.Sprintf("%s %s %s", row.begins, row.first, row.again), func(t *testing.T) {
			for _, yes := range []phases.Flags{direct, indirect} {
				first := positions(t, row.begins, row.first, yes)
				if row.again != "" || testscale.Reduced && len(first) > 1 { // some of them, with all of the next
					first = []string{first[0], first[len(first)/2], first[len(first)-1]}
				}
				for _, at := range first {
					next := follows[row.first]
					for _, then := range positions(t, next, row.again, yes) {
						if planned++; testscale.Reduced && planned%5 > 0 { // a few suffice
							continue
						}
						lives++
						life := outcome(t, row.begins, yes, line(row.first, row.begins, at), line(row.again, next, then))
						s := life.State()
						life.WantItinerary(row.ends)
						assert.True(t, s.Done)
						assert.Equal(t, row.result, s.Result)
						assert.Equal(t, []int64{row.failed, row.inCleanup}, []int64{s.FailedPhases, s.FailedInCleanup})
						if t.Failed() {
							t.Fatalf("at %q, and then at %q, with %q\n%s", at, then, mtc.Vocabulary().Names(yes), life.Transcript())
						}
					}
				}
			}
		})
	}
	require.Greater(t, lives, testscale.Of(500, 100))
}

// A migration that is canceled or rolled back before its first phase never
// enters the itinerary that it was created for.
func TestOutcomesBeforeTheFirstPhase(t *testing.T) {
	for _, begins := range []string{mtc.Stage, mtc.Final} {
		for happens, result := range map[interruption]phases.Result{isCanceled: phases.Canceled, isRolledBack: phases.RolledBack} {
			life := outcome(t, begins, mtc.DirectImage, []machinetest.Line{machinetest.Edit(machinetest.Start, string(happens))}, nil)
			life.WantPhases(begins)
			life.WantItinerary(follows[happens])
			assert.Equal(t, result, life.State().Result)
		}
	}
}

// positions returns the working phases of an itinerary that run, as the places of an
// interruption. Without one there is only the start.
func positions(t *testing.T, itinerary string, happens interruption, yes phases.Flags) []string {
	if happens == "" {
		return []string{machinetest.Start}
	}
	g := graph(t, itinerary)
	running := working(g, g.Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)).Running())
	require.NotEmpty(t, running)
	return running
}

func line(happens interruption, itinerary, phase string) []machinetest.Line {
	switch happens {
	case "":
		return nil
	case fails:
		return []machinetest.Line{machinetest.Fail(phase, "no space left").In(itinerary)}
	}
	return []machinetest.Line{machinetest.Edit(phase, string(happens)).In(itinerary)}
}

// outcome plays a life of a migration with a selector that answers each failure with
// Failed.
func outcome(t *testing.T, begins string, yes phases.Flags, lines ...[]machinetest.Line) *machinetest.Life[*machinetest.Object, struct{}] {
	onFail := make(map[string]string)
	for _, name := range itineraries.Names() {
		onFail[name] = mtc.Failed
	}
	s := machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: begins, OnFail: onFail})
	for _, happens := range []interruption{isCanceled, isRolledBack} {
		s.Edits[string(happens)] = func(o *machinetest.Object) { o.Itinerary = follows[happens] }
	}
	life := machinetest.New(t, s)
	script := []machinetest.Line{machinetest.Flags(mtc.Vocabulary().Names(yes)...)}
	for _, some := range lines {
		script = append(script, some...)
	}
	life.Run(script...)
	return life
}
