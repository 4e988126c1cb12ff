package machinetest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// again is the backup controller with repeated runs, and users who request them.
func again() machinetest.Setup[*Backup, Cluster] {
	s := setup()
	s.Options = func(cluster *Cluster) runner.Options[*Backup] {
		o := options(cluster)
		o.Token = func(_ context.Context, b *Backup) (string, runner.RunFrom, error) {
			if b.Spec.FromFailed {
				return b.Spec.Again, runner.FromFailedPhase, nil
			}
			return b.Spec.Again, runner.FromStart, nil
		}
		o.OnRunAgain = func(_ context.Context, b *Backup, _ runner.PastRun) error { b.Status.Failed = false; return nil }
		return o
	}
	s.Edits["again"] = func(b *Backup) { b.Spec.Again += "x"; b.Spec.FromFailed = false }
	s.Edits["again from the failed phase"] = func(b *Backup) { b.Spec.Again += "x"; b.Spec.FromFailed = true }
	return s
}

// A user requests another run while the first is in its cleanup, and one from the failed phase when
// the second has failed as well.
func TestLifeOfSeveralRuns(t *testing.T) {
	life := machinetest.New(t, again())
	life.Run(machinetest.Flags("HasVolumes"),
		machinetest.Fail("Upload"), machinetest.Edit("DeleteSnapshot", "again"),
		machinetest.Fail("Upload").Call(2), machinetest.Edit(machinetest.End, "again from the failed phase").Call(2))
	s := life.Object().Status.State
	assert.Equal(t, int64(3), s.Run)
	assert.Equal(t, phases.Succeeded, s.Result)
	var past []string
	for _, r := range s.Runs {
		past = append(past, string(r.Result)+" at "+r.Itinerary+"/"+r.Phase)
	}
	assert.Equal(t, []string{"Failed at Backup/Upload", "Failed at Backup/Upload"}, past)
	assert.Equal(t, []string{"Prepare", "Volumes", "Upload", "Finish"}, names(s))
}

func names(s runner.State) (all []string) {
	for i := range s.Pipeline {
		all = append(all, s.Pipeline[i].Name)
	}
	return all
}

// Every life in which users request other runs keeps the promises, and ends.
func TestExploreSeveralRuns(t *testing.T) {
	r := machinetest.Explore(t, machinetest.Exploration[*Backup, Cluster]{
		Setup: again(), Edits: []string{"again", "again from the failed phase"}, Failures: 1, Crashes: -1,
		NeverFails: []string{"StopTraffic", "StartTraffic"}, Settled: []string{"StartTraffic"},
		MaxStates: testscale.Of(0, 250), MayBeInconclusive: testscale.Reduced,
	})
	assert.Greater(t, r.States, 200)
}

// Faults of a runner that begins new runs, each with its report.
func TestPromisesAboutNewRunsBroken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plant func(before runner.State, s *runner.State)
		want  string
	}{
		{"failures are kept", func(before runner.State, s *runner.State) { s.Failures, s.Result = before.Failures, before.Result },
			"a new run has failures of the previous run: Failed"},
		{"visits are counted from one again", func(_ runner.State, s *runner.State) { s.Visit = 1 }, "visits are not numbered after those of the previous run"},
		{"the number of the run is wrong", func(_ runner.State, s *runner.State) { s.Run = 7 }, "the number of the run is wrong: run 7 after 0"},
		{"the token is not recorded", func(before runner.State, s *runner.State) { s.Token = before.Token },
			"a run begins although the token is the same"},
		{"a step is lost", func(_ runner.State, s *runner.State) { s.Pipeline = s.Pipeline[1:] },
			"a step of the previous run changes its place or its start"},
		{"a step stays failed", func(_ runner.State, s *runner.State) { s.Pipeline[0].Failed = true }, "a step of a new run has failed: Prepare"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var past runner.State
			s := again()
			build := s.Options
			s.Options = func(cluster *Cluster) runner.Options[*Backup] {
				o := build(cluster)
				write := o.Storage.Write
				o.Storage.Write = func(ctx context.Context, b *Backup, s runner.State) error {
					switch before := b.Status.State; {
					case before.Done && s.Run == 2: // for the selector
						past = before
					case before.Run == 2 && before.Phase == "" && s.Phase != "":
						tt.plant(past, &s)
					}
					return write(ctx, b, s)
				}
				return o
			}
			got := reports(func(tb machinetest.TB) {
				machinetest.New(tb, s).Run(machinetest.Flags("HasVolumes"),
					machinetest.Fail("Upload"), machinetest.Edit(machinetest.End, "again from the failed phase"))
			})
			assert.Contains(t, strings.Join(got, "\n"), tt.want)
		})
	}
}
