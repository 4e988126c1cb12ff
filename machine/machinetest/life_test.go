package machinetest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The flags that are true in most lives, and the phases that run then.
var (
	both  = []string{"HasVolumes", "Quiesce"}
	whole = []string{"Validate", "StopTraffic", "Snapshot", "Upload", "StartTraffic", "Report"}
)

type life = machinetest.Life[*Backup, Cluster]

// calls returns the results of a phase's handler, in order.
func calls(l *life, phase string) (results []string) {
	for _, c := range l.Record().Calls {
		if c.Phase == phase {
			results = append(results, c.Result)
		}
	}
	return results
}

// Each line of a script, and its effect on the life.
func TestLifeLines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []machinetest.Line
		check  func(*testing.T, *life)
	}{
		{"nothing happens", nil, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
			l.WantEvaluated("HasVolumes", "Quiesce", "TrafficOff", "TrafficOff")
			assert.Equal(t, []string{"wait 5s: Waiting for the snapshot", "done"}, calls(l, "Snapshot"))
			assert.Equal(t, 5*time.Second, l.Record().Writes[len(l.Record().Writes)-1].At)
			assert.Equal(t, []string{"shop"}, l.World().Uploaded)
		}},
		{"a handler fails", []machinetest.Line{machinetest.Fail("Upload", "no space", "left")}, func(t *testing.T, l *life) {
			l.WantFailures("Backup/Upload: no space; left")
			l.WantItinerary("CleanUp")
			l.WantSteps("Prepare", "Volumes", "Upload", "CleanUp")
			l.WantMessages("Prepare: Completed", "Volumes: Completed", "Upload: Failed", "CleanUp: Completed")
			assert.Empty(t, l.World().Uploaded)
		}},
		{"a handler fails after its work", []machinetest.Line{machinetest.Fail("Upload", "late").AfterWork()}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"shop"}, l.World().Uploaded)
			l.WantItinerary("CleanUp")
		}},
		{"a phase fails in the cleanup itinerary", []machinetest.Line{
			machinetest.Fail("Upload").In("Backup"), machinetest.Fail("StartTraffic").In("CleanUp").AfterWork(),
		}, func(t *testing.T, l *life) {
			l.WantFailures("Backup/Upload: ", "CleanUp/StartTraffic: ")
		}},
		{"a handler errs twice", []machinetest.Line{machinetest.Err("Upload", "timeout"), machinetest.Err("Upload", "timeout").Call(2)}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"error: timeout", "error: timeout", "done"}, calls(l, "Upload"))
			assert.Contains(t, l.Transcript(), "      6s  error", "a retry each second")
			l.WantPhases("Backup", whole...)
		}},
		{"a handler panics", []machinetest.Line{machinetest.Panic("Upload", "nil map")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"panic: nil map", "done"}, calls(l, "Upload"))
		}},
		{"a handler hangs until its deadline", []machinetest.Line{machinetest.HangIn("Snapshot")}, func(t *testing.T, l *life) {
			l.WantFailures("Backup/Snapshot: phase Snapshot was not done within 10 min; the last error: context deadline exceeded")
		}},
		{"a handler without a deadline hangs until the reconcile is given up", []machinetest.Line{machinetest.HangIn("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"error: context deadline exceeded", "done"}, calls(l, "Upload"))
		}},
		{"a handler waits past its deadline", []machinetest.Line{machinetest.Wait("Snapshot", time.Hour)}, func(t *testing.T, l *life) {
			l.WantFailures("Backup/Snapshot: phase Snapshot was not done within 10 min; the last message: Waiting for the snapshot")
		}},
		{"a deadline that passes while the controller is down, although the snapshot is ready", []machinetest.Line{
			machinetest.Clock("Snapshot", 8*time.Hour).Call(2),
		}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
			l.WantFailures()
		}},
		{"a pause of eight hours, which does not count for the deadline", []machinetest.Line{
			machinetest.Edit("Snapshot", "pause").Call(2), machinetest.Clock("Snapshot", 8*time.Hour).Call(3), machinetest.Edit("Snapshot", "resume").Call(3),
			machinetest.Wait("Snapshot", time.Minute).Call(2),
		}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"wait 5s: Waiting for the snapshot", "wait 1m0s", "done"}, calls(l, "Snapshot"))
			l.WantFailures()
		}},
		{"a cancel of a paused run", []machinetest.Line{machinetest.Edit("Upload", "pause"), machinetest.Edit("Upload", "cancel").Call(2)}, func(t *testing.T, l *life) {
			l.WantItinerary("CleanUp")
			l.WantResult(phases.Canceled)
			assert.Empty(t, calls(l, "Upload"))
			assert.True(t, l.Object().Spec.Paused)
		}},
		{"a failure in a cleanup itinerary", []machinetest.Line{machinetest.Edit("Upload", "cancel"), machinetest.Fail("DeleteSnapshot", "busy")}, func(t *testing.T, l *life) {
			l.WantPhases("CleanUp", "StartTraffic", "DeleteSnapshot", "Report")
			l.WantResult(phases.Canceled)
			l.WantFailures("CleanUp/DeleteSnapshot: busy")
		}},
		{"the outcome of a phase", []machinetest.Line{machinetest.Decide("StopTraffic", "!TrafficOff")}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", "Validate", "StopTraffic", "Snapshot", "Upload", "Report")
		}},
		{"a flag that changes outside, which a run need not see", []machinetest.Line{machinetest.Flag("Upload", "HasVolumes", false)}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
		}},
		{"a source errs", []machinetest.Line{machinetest.FlagErr(machinetest.Start, "HasVolumes", "no route").Times(2)}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
			assert.Equal(t, 2, strings.Count(l.Transcript(), "flag     HasVolumes is unknown: no route"), l.Transcript())
		}},
		{"a source errs until the phase that decides its flag has run", []machinetest.Line{
			machinetest.FlagErr(machinetest.Start, "TrafficOff", "no route"),
		}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
			l.WantEvaluated("HasVolumes", "Quiesce", "TrafficOff", "TrafficOff")
		}},
		{"a source hangs", []machinetest.Line{machinetest.FlagHang("StopTraffic", "TrafficOff")}, func(t *testing.T, l *life) {
			assert.Contains(t, l.Transcript(), "TrafficOff is unknown: context deadline exceeded")
			l.WantPhases("Backup", whole...)
		}},
		{"a source answers late", []machinetest.Line{machinetest.FlagLate("StopTraffic", "TrafficOff")}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", whole...)
			assert.Equal(t, 35*time.Second, l.Record().Writes[len(l.Record().Writes)-1].At, "EvaluationTimeout has passed")
		}},
		{"a crash before the write", []machinetest.Line{machinetest.CrashBefore("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"done", "done"}, calls(l, "Upload"))
			assert.Equal(t, []string{"shop"}, l.World().Uploaded)
		}},
		{"a crash before the first write", []machinetest.Line{machinetest.CrashBefore(machinetest.Start)}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", append([]string{"Validate"}, whole...)...)
		}},
		{"a crash after the write", []machinetest.Line{machinetest.CrashAfter("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"done"}, calls(l, "Upload"))
		}},
		{"a write that is lost", []machinetest.Line{machinetest.LoseWrite("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"done", "done"}, calls(l, "Upload"))
		}},
		{"a write that is done twice", []machinetest.Line{machinetest.WriteTwice("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"done"}, calls(l, "Upload"))
			writes := l.Record().Writes
			assert.Equal(t, 1, countEqual(writes), "the same state twice in a row")
		}},
		{"a write that conflicts", []machinetest.Line{machinetest.Conflict("Upload")}, func(t *testing.T, l *life) {
			assert.Equal(t, []string{"done", "done"}, calls(l, "Upload"))
		}},
		{"a cancel", []machinetest.Line{machinetest.Edit("Snapshot", "cancel").Call(2)}, func(t *testing.T, l *life) {
			l.WantItinerary("CleanUp")
			l.WantResult(phases.Canceled)
			l.WantPhases("CleanUp", "StartTraffic", "DeleteSnapshot", "Report")
			l.WantMessages("Prepare: Completed", "Volumes: Canceled", "CleanUp: Completed")
			assert.Empty(t, l.World().Snapshots)
		}},
		{"a cancel before anything began", []machinetest.Line{machinetest.Edit(machinetest.Start, "cancel")}, func(t *testing.T, l *life) {
			l.WantPhases("Backup")
			l.WantItinerary("CleanUp")
		}},
		{"a cancel after the end", []machinetest.Line{machinetest.Edit(machinetest.End, "cancel")}, func(t *testing.T, l *life) {
			l.WantItinerary("Backup")
		}},
		{"a stop while the run is paused", []machinetest.Line{
			machinetest.Edit("Upload", "pause"), machinetest.Stop("Upload").Call(1),
		}, func(t *testing.T, l *life) {
			assert.True(t, l.Object().Spec.Paused)
			assert.Equal(t, "Upload", l.State().Phase)
		}},
		{"a new release with another name for a phase", []machinetest.Line{machinetest.Release("Upload", "renamed")}, func(t *testing.T, l *life) {
			l.WantPhases("Backup", "Validate", "StopTraffic", "Snapshot", "Upload", "StartTraffic", "Report")
			assert.Equal(t, []string{"done"}, calls(l, "Send"))
		}},
		{"a clock that jumps", []machinetest.Line{machinetest.Clock("Upload", -time.Hour), machinetest.Clock("Report", 24*time.Hour)}, func(t *testing.T, l *life) {
			assert.Equal(t, 23*time.Hour+5*time.Second, l.Record().Writes[len(l.Record().Writes)-1].At)
		}},
		{"the middle", []machinetest.Line{machinetest.Stop("Snapshot").Call(2)}, func(t *testing.T, l *life) {
			l.WantMessages("Prepare: Completed", "Volumes: Waiting for the snapshot", "Upload: Not started", "Finish: Not started")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := setup()
			s.Releases = map[string]func(*Cluster) runner.Options[*Backup]{"renamed": renamed}
			l := machinetest.New(t, s)
			l.Run(append([]machinetest.Line{machinetest.Flags(both...)}, tt.script...)...)
			tt.check(t, l)
		})
	}
}

// renamed is a release in which Upload is named Send.
func renamed(c *Cluster) runner.Options[*Backup] {
	all := itineraries()
	for i := range all[0].Phases {
		if p := &all[0].Phases[i]; p.Name == "Upload" {
			p.Name, p.Formerly = "Send", []string{"Upload"}
		}
	}
	o := optionsOf(c, machine.MustCompileSet(all...))
	o.Phases["Send"] = o.Phases["Upload"]
	delete(o.Phases, "Upload")
	return o
}

// countEqual counts writes that equal the previous one.
func countEqual(writes []machinetest.Write) (n int) {
	for i := 1; i < len(writes); i++ {
		if fmt.Sprint(writes[i].State) == fmt.Sprint(writes[i-1].State) {
			n++
		}
	}
	return n
}

// reported is a life, and the reports of its problems.
type reported struct {
	name string
	live func(machinetest.TB)
	want []string
}

// testReports checks that each problem is reported, and nothing else.
func testReports(t *testing.T, all []reported) {
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			wantReports(t, reports(tt.live), tt.want...)
		})
	}
}

func TestLifeReports(t *testing.T) {
	testReports(t, []reported{
		{"a line for a phase that does not run", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Fail("StopTraffic"))
		}, []string{`the line machinetest.Fail("StopTraffic") was never used: the run never reached it`}},
		{"a line for a call that never comes", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Fail("Upload").Call(7))
		}, []string{`the line machinetest.Fail("Upload").Call(7) was never used: calls of its handler: 1`}},
		{"a line for a flag that is not evaluated", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.FlagErr("Upload", "Quiesce", "no"))
		}, []string{"was never used: the runner did not evaluate that flag there"}},
		{"a line for a phase that a reconcile passes", func(t machinetest.TB) {
			s := setup()
			s.Options = func(c *Cluster) runner.Options[*Backup] {
				o := options(c)
				o.MaxPhases = 50
				return o
			}
			machinetest.New(t, s).Run(machinetest.Edit("Upload", "cancel"))
		}, []string{"with MaxPhases above 1"}},
		{"a check that never ran", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Check("StopTraffic", func(machinetest.Snapshot[*Backup, Cluster]) error { return nil })
			l.Run()
		}, []string{`the check at "StopTraffic" never ran`}},
		{"a check that fails", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Check("Upload", func(s machinetest.Snapshot[*Backup, Cluster]) error {
				return fmt.Errorf("%d snapshots", len(s.World.Snapshots))
			})
			l.Run()
		}, []string{`the check at "Upload": 1 snapshots`}},
		{"an unknown phase", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Fail("Uplaod")) },
			[]string{`machinetest: machinetest.Fail("Uplaod"): no itinerary has a phase "Uplaod"; did you mean "Upload"?`}},
		{"a phase of another itinerary", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Fail("Upload").In("CleanUp")) },
			[]string{`itinerary "CleanUp" has no phase "Upload"`}},
		{"an unknown flag", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Decide("StopTraffic", "!Traffic")) },
			[]string{`unknown flag "Traffic"`}},
		{"an unknown flag at the beginning", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Flags("Quiese")) },
			[]string{`unknown flag "Quiese"; did you mean "Quiesce"?`}},
		{"an unknown edit", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Edit("Upload", "abort")) },
			[]string{`Setup.Edits has no "abort"`}},
		{"an unknown release", func(t machinetest.TB) { machinetest.New(t, setup()).Run(machinetest.Release("Upload", "2.0")) },
			[]string{`Setup.Releases has no "2.0"`}},
		{"a run that does not end", func(t machinetest.TB) {
			s := setup()
			s.MaxReconciles = 30
			machinetest.New(t, s).Run(machinetest.Edit("Upload", "pause"))
		}, []string{`after 30 reconciles the run is not done; it is in itinerary "Backup" at phase "Upload"`}},
		{"a run that stops", func(t machinetest.TB) {
			s := setup()
			s.Releases = map[string]func(*Cluster) runner.Options[*Backup]{"without": without}
			machinetest.New(t, s).Run(machinetest.Release("Upload", "without"))
		}, []string{`the run stopped: itinerary "Backup" has no phase "Upload"`}},
		{"a run that must stop", func(t machinetest.TB) { _ = machinetest.New(t, setup()).RunToError() },
			[]string{"the run must stop with an error"}},
		{"an assertion before anything ran", func(t machinetest.TB) { machinetest.New(t, setup()).WantSteps("Prepare") },
			[]string{"nothing has run yet; call Run first"}},
		{"a life that is run twice", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Run()
			l.Run()
		}, []string{"a life runs only once"}},
		{"other phases", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Run()
			l.WantPhases("Backup", "Validate", "Upload", "Report")
		}, []string{"phases of Backup: -want +got"}},
		{"other steps", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Run()
			l.WantSteps("Prepare")
			l.WantMessages("Prepare: Completed")
			l.WantItinerary("CleanUp")
			l.WantResult(phases.Canceled)
			l.WantFailures("Backup/Upload: no")
			l.WantEvaluated("HasVolumes")
		}, []string{"steps: -want +got", "messages: -want +got", "itinerary: -want +got", "result: -want +got", "failures: -want +got",
			"flags evaluated: -want +got"}},
		{"an invariant", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Flags("Quiesce"), machinetest.Flag("Report", "TrafficOff", true))
		}, []string{"traffic is never off at the end"}},
		{"an undeclared flag", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Decide("Upload", "Quiesce"))
		}, []string{"the phase does not declare that it decides all of these flags"}},
		{"two lines that exclude each other", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Fail("Upload"), machinetest.Wait("Upload", 1).In("Backup"))
		}, []string{"are about the same call; keep one of them"}},
		{"two faults of one write", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.CrashBefore("Upload"), machinetest.WriteTwice("Upload"))
		}, []string{"are about the same call; keep one of them"}},
		{"a line for another itinerary", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.FlagErr("StartTraffic", "TrafficOff", "no").In("CleanUp"))
		}, []string{"was never used"}},
		{"a call of a source", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.FlagErr("Upload", "Quiesce", "no").Call(2))
		}, []string{"Call is not for lines about a source"}},
		{"no times", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.FlagErr("Upload", "Quiesce", "no").Times(0))
		}, []string{"Times must be at least 1, and applies only to lines about a source"}},
		{"times of a handler", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Err("Upload", "no").Times(3))
		}, []string{"Times must be at least 1, and applies only to lines about a source"}},
		{"call number zero", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.Fail("Upload").Call(0))
		}, []string{"Call must be at least 1"}},
		{"a write after the work", func(t machinetest.TB) {
			machinetest.New(t, setup()).Run(machinetest.CrashBefore("Upload").AfterWork())
		}, []string{"AfterWork is for lines that replace what a handler returns"}},
		{"a lost write that is none", func(t machinetest.TB) {
			s := setup()
			s.Elapse = func(c *Cluster, now time.Time) {
				if now.After(time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)) {
					c.Elapse(now)
				}
			}
			machinetest.New(t, s).Run(machinetest.LoseWrite("Snapshot").Call(3)) // it waits, and nothing changes
		}, []string{`the line machinetest.LoseWrite("Snapshot").Call(3) was never used`}},
		{"a failure that the selector does not answer", func(t machinetest.TB) {
			s := scripted()
			build := s.Options
			s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
				o := build(w)
				o.OnFail = nil
				return o
			}
			machinetest.New(t, s).Run(machinetest.Fail("C1"))
		}, []string{`the run stopped: phase "C1" of itinerary "Main" failed; Select still names "Main", so the run is stopped`}},
		{"no golden file", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Run()
			l.Golden("testdata/none.golden", false)
		}, []string{"run the test once with update set to write the file"}},
		{"another golden file", func(t machinetest.TB) {
			l := machinetest.New(t, setup())
			l.Run(machinetest.Flags())
			l.Golden("testdata/backup.golden", false)
		}, []string{"testdata/backup.golden: -want +got"}},
	})
}

func TestLifeReportsSetup(t *testing.T) {
	testReports(t, []reported{
		{"no options", func(t machinetest.TB) { machinetest.New(t, machinetest.Setup[*Backup, Cluster]{Object: &Backup{}}) },
			[]string{"Setup.Options is missing"}},
		{"no object", func(t machinetest.TB) { machinetest.New(t, machinetest.Setup[*Backup, Cluster]{Options: options}) },
			[]string{"Setup.Object must be a pointer that is not nil"}},
		{"an object that is no pointer", func(t machinetest.TB) {
			build := func(*Cluster) runner.Options[Backup] { return runner.Options[Backup]{} }
			machinetest.New(t, machinetest.Setup[Backup, Cluster]{Options: build})
		}, []string{"it is a machinetest_test.Backup"}},
		{"options that the runner refuses", func(t machinetest.TB) {
			s := setup()
			s.Options = func(c *Cluster) runner.Options[*Backup] {
				o := options(c)
				o.Select = nil
				return o
			}
			machinetest.New(t, s)
		}, []string{"runner options: Select is missing"}},
		{"a world that JSON does not keep", func(t machinetest.TB) {
			machinetest.New(t, machinetest.Setup[*Backup, struct{ pods int }]{Object: &Backup{},
				Options: func(*struct{ pods int }) runner.Options[*Backup] { return options(&Cluster{}) }})
		}, []string{"pods is not exported and would be lost"}},
		{"a world with a pointer", func(t machinetest.TB) {
			type world struct{ Cluster *Cluster }
			machinetest.New(t, machinetest.Setup[*Backup, world]{Object: &Backup{},
				Options: func(w *world) runner.Options[*Backup] { return options(w.Cluster) }})
		}, []string{"world.Cluster is a pointer; a function that keeps it would miss the next reconcile's world"}},
	})
}

// without is a release without the phase Upload.
func without(c *Cluster) runner.Options[*Backup] {
	all := itineraries()
	drop(&all[0], "Upload")
	o := optionsOf(c, machine.MustCompileSet(all...))
	delete(o.Phases, "Upload")
	return o
}

func TestRunToError(t *testing.T) {
	s := setup()
	s.Releases = map[string]func(*Cluster) runner.Options[*Backup]{"without": without}
	l := machinetest.New(t, s)
	err := l.RunToError(machinetest.Release("Upload", "without"))
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "Upload", unknown.Phase)
	l.WantItinerary("Backup")
}

// A run that a failure has stopped continues once a user fixes the object.
func TestRunToErrorOfFixedRun(t *testing.T) {
	s := scripted()
	build := s.Options
	s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
		o := build(w)
		o.OnFail = nil
		return o
	}
	l := machinetest.New(t, s)
	var unanswered *runner.UnansweredFailureError
	require.ErrorAs(t, l.RunToError(machinetest.Fail("C1", "no space left")), &unanswered)
	assert.Equal(t, "C1", unanswered.Phase)
	require.NotNil(t, l.State().Stopped)
	assert.False(t, l.State().Done)

	l = machinetest.New(t, s)
	l.Run(machinetest.Fail("C1", "no space left"), machinetest.Edit("C1", "cancel").Call(2))
	l.WantItinerary("Canceled")
	assert.Nil(t, l.State().Stopped)
	assert.Equal(t, phases.Failed, l.State().Result)
}

// If OnFail panics outside a cleanup itinerary, the failure is recorded once OnFail returns; until
// then the handler is called again.
func TestLifeWhoseOnFailPanics(t *testing.T) {
	s := scripted()
	build := s.Options
	s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
		o := build(w)
		onFail, calls := o.OnFail, 0
		o.OnFail = func(_ context.Context, object *machinetest.Object, f runner.Failure) error {
			if calls++; calls == 1 {
				panic("no lister")
			}
			return onFail(context.Background(), object, f)
		}
		return o
	}
	l := machinetest.New(t, s)
	l.Run(machinetest.Fail("C1", "no"), machinetest.Fail("C1", "no").Call(2))
	l.WantFailures("Main/C1: no")
	l.WantItinerary("Failed")
	l.WantResult(phases.Failed)
}

// If OnFail or the selector panics at a failure in a cleanup itinerary, the cleanup continues
// later, and the flags that the phase decides are evaluated all the same.
func TestLifeWhoseCleanupPanics(t *testing.T) {
	for name, plant := range map[string]func(*runner.Options[*machinetest.Object]){
		"OnFail panics": func(o *runner.Options[*machinetest.Object]) {
			o.OnFail = func(context.Context, *machinetest.Object, runner.Failure) error { panic("no lister") }
		},
		"the selector panics": func(o *runner.Options[*machinetest.Object]) {
			selects, calls := o.Select, 0
			o.Select = func(_ context.Context, object *machinetest.Object) (string, error) {
				if object.State.Phase == "Y1" && object.State.PhaseFailed() {
					if calls++; calls == 1 {
						panic("no lister")
					}
				}
				return selects(context.Background(), object)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted()
			build := s.Options
			s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
				o := build(w)
				plant(&o)
				return o
			}
			l := machinetest.New(t, s)
			l.Run(machinetest.Flags("X"), machinetest.Edit("A2", "cancel"), machinetest.Decide("Y1", "Y"), machinetest.Fail("Y1", "no"))
			l.WantPhases("Canceled", "Y1", "Y2", "Y3")
			l.WantFailures("Canceled/Y1: no")
		})
	}
}

func TestLifeGolden(t *testing.T) {
	l := machinetest.New(t, setup())
	l.Run(machinetest.Flags("HasVolumes", "Quiesce"), machinetest.Err("Snapshot", "timeout"), machinetest.Fail("Upload", "no space left"))
	l.Golden("testdata/backup.golden", *update)
}

// The clock does not move, moves in steps, or follows the requeues.
func TestLifeClock(t *testing.T) {
	end := func(change func(*machinetest.Setup[*Backup, Cluster]), script ...machinetest.Line) (time.Time, *life) {
		s := setup()
		change(&s)
		l := machinetest.New(t, s)
		l.Run(script...)
		writes := l.Record().Writes
		return s.Start.Add(writes[len(writes)-1].At), l
	}
	start := time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC)
	at, _ := end(func(s *machinetest.Setup[*Backup, Cluster]) { s.Start = start })
	assert.Equal(t, start.Add(5*time.Second), at, "it follows the requeue of Snapshot")

	at, l := end(func(s *machinetest.Setup[*Backup, Cluster]) { s.Start, s.Step = start, time.Minute })
	assert.Equal(t, start.Add(5*time.Second+time.Duration(l.Record().Reconciles)*time.Minute), at)

	at, l = end(func(s *machinetest.Setup[*Backup, Cluster]) { s.Start, s.NoAutoAdvance = start, true })
	assert.Equal(t, start, at)
	assert.Equal(t, "Snapshot", l.State().Phase, "nothing is due")

	at, l = end(func(s *machinetest.Setup[*Backup, Cluster]) { s.Start, s.NoAutoAdvance = start, true },
		machinetest.Clock("Snapshot", 5*time.Second).Call(2))
	assert.Equal(t, start.Add(5*time.Second), at)
	assert.True(t, l.State().Done)
}

// Outside a life, Hang waits in real time until its context ends.
func TestHangOutsideLife(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, machinetest.Hang(ctx), context.DeadlineExceeded)
}

// A real handler that hangs moves the clock to its deadline, which also ends contexts derived from
// its own.
func TestLifeWhoseHandlerHangs(t *testing.T) {
	s := setup()
	var child, parent error
	s.Options = func(c *Cluster) runner.Options[*Backup] {
		o := options(c)
		p := o.Phases["Snapshot"]
		p.Handler = runner.HandlerFunc[*Backup](func(ctx context.Context, _ *Backup) (runner.Result, error) {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			child = machinetest.Hang(own)
			parent = ctx.Err()
			return runner.Result{}, child
		})
		o.Phases["Snapshot"] = p
		return o
	}
	l := machinetest.New(t, s)
	l.Run()
	assert.Equal(t, 11*time.Minute+time.Second, l.Record().Writes[len(l.Record().Writes)-1].At, "not an hour more")
	assert.ErrorIs(t, child, context.DeadlineExceeded)
	assert.ErrorIs(t, parent, context.DeadlineExceeded)
	l.WantItinerary("CleanUp")
}

// Lives with several phases per reconcile break no promise, whatever is decided on the way.
func TestLifeWithSeveralPhasesPerReconcile(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		it := itinerarytest.Generate(r, false, true)
		set := machine.MustCompileSet(it)
		s := machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: it.Name})
		build := s.Options
		s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
			o := build(w)
			o.MaxPhases = 2 + r.IntN(3)
			return o
		}
		script := []machinetest.Line{machinetest.Flags("B", "C")}
		got := reports(func(tb machinetest.TB) {
			life := machinetest.New(tb, s)
			for i, p := range it.Phases {
				for flag := range p.Decides.Each {
					name := it.Vocabulary.Names(flag)[0]
					if (seed+uint64(i))%2 == 0 {
						name = "!" + name
					}
					script = append(script, machinetest.Decide(p.Name, name))
				}
			}
			life.Run(script...)
		})
		for _, text := range got {
			assert.Contains(t, text, "was never used", "seed %d", seed) // a phase that does not run
		}
	}
}

// A flag that Elapse changes while a phase waits breaks no promise: the run need not see the
// change.
func TestLifeWhoseElapseChangesFlag(t *testing.T) {
	s := setup()
	s.Elapse = func(c *Cluster, now time.Time) {
		c.TrafficOff = now.After(time.Date(2000, 1, 1, 0, 0, 20, 0, time.UTC)) && now.Before(time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC))
		if now.After(time.Date(2000, 1, 1, 0, 2, 0, 0, time.UTC)) {
			c.Elapse(now)
		}
	}
	machinetest.New(t, s).Run()
}

// Each evaluation uses one line: the first remaining one.
func TestFlagErrTwice(t *testing.T) {
	l := machinetest.New(t, setup())
	l.Run(machinetest.FlagErr(machinetest.Start, "Quiesce", "one"), machinetest.FlagErr(machinetest.Start, "Quiesce", "two"))
	for _, text := range []string{"one", "two"} {
		assert.Equal(t, 1, strings.Count(l.Transcript(), "flag     Quiesce is unknown: "+text), l.Transcript())
	}
}

// clocked is a world that has the time, for handlers that need it.
type clocked struct {
	Now  time.Time
	Made []string
}

// A handler that adopts what it made before a crash, one wait later, is idempotent although time
// has passed.
func TestLifeWhoseWorldHasTime(t *testing.T) {
	machinetest.Explore(t, machinetest.Exploration[*Backup, clocked]{Setup: machinetest.Setup[*Backup, clocked]{
		Object: &Backup{Spec: Spec{Name: "shop"}},
		Elapse: func(w *clocked, now time.Time) { w.Now = now },
		Options: func(w *clocked) runner.Options[*Backup] {
			o := optionsOf(&Cluster{}, machine.MustCompileSet(phases.Itinerary{Name: "Backup", Vocabulary: phases.MustVocabulary(nil),
				Phases: []phases.Phase{{Name: "Snapshot", Step: "Volumes"}}}))
			o.Select = func(context.Context, *Backup) (string, error) { return "Backup", nil }
			o.OnFail = nil
			o.Sources = func(context.Context, *Backup) (*phases.Sources, error) {
				return phases.NewSources(phases.MustVocabulary(nil))
			}
			o.Phases = map[string]runner.Phase[*Backup]{"Snapshot": {Handler: runner.HandlerFunc[*Backup](func(_ context.Context, b *Backup) (runner.Result, error) {
				switch {
				case len(w.Made) == 0:
					w.Made, b.Status.Snapshot = []string{b.Spec.Name}, b.Spec.Name
					return runner.Done(), nil
				case b.Status.Snapshot == "": // from before the crash
					b.Status.Snapshot = w.Made[0]
					return runner.Wait(time.Second, "adopting the snapshot"), nil
				}
				return runner.Done(), nil
			})}}
			return o
		}}, Failures: -1})
}

func TestLineString(t *testing.T) {
	for _, tt := range []struct {
		line machinetest.Line
		want string
	}{
		{machinetest.Flags(), `machinetest.Flags()`},
		{machinetest.Fail("A", "x", "y").In("I").Call(2).AfterWork(), `machinetest.Fail("A", "x", "y").In("I").Call(2).AfterWork()`},
		{machinetest.FlagErr(machinetest.Start, "F", "no").Times(3), `machinetest.FlagErr(machinetest.Start, "F", "no").Times(3)`},
		{machinetest.Flag(machinetest.End, "F", true), `machinetest.Flag(machinetest.End, "F", true)`},
		{machinetest.Clock("A", -time.Minute), `machinetest.Clock("A", -60*time.Second)`},
		{machinetest.Wait("A", 5), `machinetest.Wait("A", 5)`},
		{machinetest.HangIn("A"), `machinetest.HangIn("A")`},
	} {
		assert.Equal(t, tt.want, tt.line.String())
	}
}

// A program that imports the package does not import testing.
func TestImportsWithoutTesting(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatal(string(exit.Stderr))
	}
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	assert.Contains(t, deps, "github.com/konveyor/dynamic-pipeline/machine/runner")
	for _, dep := range deps {
		assert.False(t, dep == "testing" || strings.HasPrefix(dep, "testing/") || strings.Contains(dep, "testify"), dep)
	}
}

// The harness expects what OnError decides: a phase fails before its deadline or without one, a run
// stops, a cleanup continues.
func TestLifeWithOnError(t *testing.T) {
	for action, name := range map[runner.ErrorAction]string{
		runner.ActionRetry: "retry", runner.ActionFail: "fail", runner.ActionStop: "stop",
	} {
		for _, deadline := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint(name, ", deadline ", deadline), func(t *testing.T) {
				s := setup()
				build := s.Options
				s.Options = func(c *Cluster) runner.Options[*Backup] {
					o := build(c)
					o.Deadline = deadline
					o.OnError = func(*Backup, runner.Visit, error) runner.ErrorAction { return action }
					return o
				}
				l := machinetest.New(t, s)
				script := []machinetest.Line{machinetest.Flags("HasVolumes"), machinetest.Err("Upload", "no route")}
				switch action {
				case runner.ActionRetry:
					l.Run(script...)
					l.WantResult(phases.Succeeded)
				case runner.ActionFail:
					l.Run(append(script, machinetest.Err("DeleteSnapshot", "gone"))...)
					l.WantFailures("Backup/Upload: no route", "CleanUp/DeleteSnapshot: gone")
					l.WantResult(phases.Failed)
				case runner.ActionStop:
					var stop *runner.StopError
					require.ErrorAs(t, l.RunToError(script...), &stop)
					require.Equal(t, "Upload", stop.Phase)
				}
			})
		}
	}
}

// A handler for all phases is called for the phases that have none, with the visit, and is checked
// like theirs.
func TestLifeWithOptionsHandler(t *testing.T) {
	s := setup()
	build := s.Options
	var at []string
	s.Options = func(c *Cluster) runner.Options[*Backup] {
		o := build(c)
		work := o.Phases
		o.Phases = nil
		o.PassThrough = false
		o.Handler = runner.VisitFunc[*Backup](func(ctx context.Context, b *Backup, v runner.Visit) (runner.Result, error) {
			at = append(at, v.Itinerary+"/"+v.Phase)
			if p := work[v.Phase]; p.Handler != nil {
				return p.Handler.Handle(ctx, b, v)
			}
			return runner.Done(), nil
		})
		return o
	}
	l := machinetest.New(t, s)
	l.Run(machinetest.Flags("HasVolumes"), machinetest.Err("Upload", "no route"))
	l.WantResult(phases.Succeeded)
	require.Contains(t, at, "Backup/Upload")
	require.Contains(t, at, "Backup/Validate")
}

// A report of a life that does not end prints the beginning and the end of its transcript.
func TestReportsCutLongTranscripts(t *testing.T) {
	s := scripted()
	s.MaxReconciles = 500
	build := s.Options
	s.Options = func(w *struct{}) scriptedOptions {
		o := build(w)
		o.Phases = map[string]runner.Phase[*machinetest.Object]{"A1": {
			Handler: runner.HandlerFunc[*machinetest.Object](func(context.Context, *machinetest.Object) (runner.Result, error) {
				return runner.Result{}, errors.New("down")
			}),
		}}
		return o
	}
	got := reports(func(tb machinetest.TB) { machinetest.New(tb, s).Run() })
	require.NotEmpty(t, got)
	assert.Contains(t, got[0], "after 500 reconciles the run is not done")
	assert.Contains(t, got[0], "lines are left out; Life.Transcript returns all")
	assert.Less(t, strings.Count(got[0], "\n"), 110)
}
