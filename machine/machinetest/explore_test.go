package machinetest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

type backupExploration = machinetest.Exploration[*Backup, Cluster]

func exploration() backupExploration {
	return backupExploration{Setup: setup(), Settled: []string{"StartTraffic"}, NeverFails: []string{"CleanUp/StartTraffic"}}
}

// with replaces the handler of a phase.
func with(x *backupExploration, phase string, h func(*Cluster, *Backup) (runner.Result, error)) {
	build := x.Setup.Options
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		o := build(c)
		handler := func(_ context.Context, b *Backup) (runner.Result, error) { return h(c, b) }
		o.Phases[phase] = runner.Phase[*Backup]{Handler: runner.HandlerFunc[*Backup](handler)}
		return o
	}
}

// itinerary changes the itineraries.
func itinerary(x *backupExploration, change func(backup, cleanUp *phases.Itinerary)) {
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		all := itineraries()
		change(&all[0], &all[1])
		return optionsOf(c, machine.MustCompileSet(all...))
	}
}

func drop(it *phases.Itinerary, name string) {
	var rest []phases.Phase
	for _, p := range it.Phases {
		if p.Name != name {
			rest = append(rest, p)
		}
	}
	it.Phases = rest
}

func guard(it *phases.Itinerary, name string, g phases.Guard) {
	for i := range it.Phases {
		if it.Phases[i].Name == name {
			it.Phases[i].Guard = g
		}
	}
}

// Each bug is found, with a shortest path that a reader can follow.
func TestExploreFindsBugs(t *testing.T) {
	for i, tt := range []struct {
		name  string
		plant func(*backupExploration)
		want  []string // of each report
		trace []string
	}{
		{"a handler that makes another snapshot after a crash", func(x *backupExploration) {
			with(x, "Snapshot", func(c *Cluster, b *Backup) (runner.Result, error) {
				if b.Status.Snapshot == "" {
					b.Status.Snapshot = fmt.Sprintf("%s-%d", b.Spec.Name, len(c.Snapshots))
					if c.Snapshots == nil {
						c.Snapshots = map[string]bool{}
					}
					c.Snapshots[b.Status.Snapshot] = true
				}
				return runner.Done(), nil
			})
		}, []string{"handlers are idempotent, in itinerary Backup: after a crash before the write, repeated calls reach a different world: Snapshot"},
			[]string{"flags: HasVolumes", "Backup: Validate, Snapshot, Upload", `life.Run(machinetest.Flags("HasVolumes"))`}},

		{"an itinerary that cleans up and leaves traffic off", func(x *backupExploration) {
			itinerary(x, func(_, cleanUp *phases.Itinerary) { drop(cleanUp, "StartTraffic") })
			x.NeverFails = nil
		}, []string{"traffic is never off at the end, in itinerary CleanUp: the invariant does not hold: the backup is done, and traffic is off"},
			[]string{"flags: TrafficOff", "Backup: Validate", "Validate fails", "CleanUp: Report, the end"}},

		{"a guard that reads one flag too many", func(x *backupExploration) {
			itinerary(x, func(backup, _ *phases.Itinerary) {
				guard(backup, "StartTraffic", phases.Guard{All: TrafficOff | HasVolumes})
			})
		}, []string{"traffic is never off at the end, in itinerary Backup"},
			[]string{"flags: TrafficOff", "Backup: Validate, Upload, Report, the end"}},

		{"a handler that is done and then is not", func(x *backupExploration) {
			with(x, "Upload", func(c *Cluster, b *Backup) (runner.Result, error) {
				if len(c.Uploaded) > 0 {
					return runner.Result{}, errors.New("the backup exists already")
				}
				c.Uploaded = append(c.Uploaded, b.Spec.Name)
				return runner.Done(), nil
			})
		}, []string{
			"handlers are idempotent, in itinerary Backup: a handler that is done returns something else when it is called once more: Upload: the backup exists already",
			"a run ends, in itinerary Backup: from here the run cannot end: at Upload: itinerary \"Backup\": phase \"Upload\": the backup exists already",
		}, nil},

		{"a handler that fails after a crash", func(x *backupExploration) {
			with(x, "Upload", func(c *Cluster, b *Backup) (runner.Result, error) {
				if b.Status.Snapshot != "uploaded" && len(c.Uploaded) > 0 {
					return runner.Fail("the backup exists already"), nil
				}
				b.Status.Snapshot, c.Uploaded = "uploaded", []string{b.Spec.Name}
				return runner.Done(), nil
			})
		}, []string{"handlers are idempotent, in itinerary Backup: after a crash before the write, repeated calls do not finish the work: " +
			"Upload: fail: the backup exists already"},
			[]string{"2. Backup: Validate, Upload, Report"}},

		{"a handler that uploads again when it is called again", func(x *backupExploration) {
			with(x, "Upload", func(c *Cluster, b *Backup) (runner.Result, error) {
				c.Uploaded = append(c.Uploaded, b.Spec.Name)
				return runner.Done(), nil
			})
			x.MaxStates, x.MayBeInconclusive = 200, true
		}, []string{"a handler that is done changes the world when it is called once more: Upload"}, nil},

		{"a phase that changes a flag it does not decide", func(x *backupExploration) {
			with(x, "Upload", func(c *Cluster, b *Backup) (runner.Result, error) {
				c.TrafficOff = true
				return runner.Done(), nil
			})
			x.Setup.Invariants = nil
		}, []string{
			"a phase changes only flags that it decides, in itinerary Backup: a phase changes a flag that it does not decide: " +
				"Upload changes TrafficOff; add it to Decides of the phase",
			"phases are judged by an outdated value: TrafficOff",
		}, nil},

		{"a phase that no life reaches", func(x *backupExploration) {
			x.Fixed = []string{"!Quiesce"}
		}, []string{"no life reaches Backup/StopTraffic"}, nil},

		{"a handler that waits forever", func(x *backupExploration) {
			with(x, "Upload", func(*Cluster, *Backup) (runner.Result, error) { return runner.Wait(0, "waiting"), nil })
		}, []string{
			"a run ends, in itinerary Backup: from here the run cannot end: at Upload",
			"no life reaches Backup/StartTraffic; list it in NeverCalled if that is intended\n" +
				"  the handler of Backup/Upload is never done; it returns, for example: wait: waiting",
			"no life reaches Backup/Report",
		}, nil},

		{"a handler that always fails after one that waits", func(x *backupExploration) {
			x.Fixed = []string{"HasVolumes"}
			with(x, "Upload", func(*Cluster, *Backup) (runner.Result, error) { return runner.Result{}, errors.New("refused") })
		}, []string{
			"a run ends, in itinerary Backup: from here the run cannot end: at Upload: itinerary \"Backup\": phase \"Upload\": refused",
			"no life reaches Backup/StartTraffic; list it in NeverCalled if that is intended\n" +
				"  the handler of Backup/Upload is never done; it returns, for example: error: refused",
			"no life reaches Backup/Report",
		}, nil},

		{"an edit after which a handler waits forever", func(x *backupExploration) {
			x.Setup.Edits["rename"] = func(b *Backup) { b.Spec.Name = "" }
			x.Edits = []string{"rename", "pause"} // a paused run need not end
			with(x, "Upload", func(_ *Cluster, b *Backup) (runner.Result, error) {
				if b.Spec.Name == "" {
					return runner.Wait(0, "waiting for a name"), nil
				}
				return runner.Done(), nil
			})
		}, []string{"a run ends, in itinerary Backup: from here the run cannot end: at Upload"},
			[]string{"1. flags: none is true", "2. Backup: Validate, Upload", "3. rename, at Upload"}},
	} {
		if testscale.Reduced && i%4 > 0 {
			continue // the rows differ in what is found, not in how it is sought
		}
		t.Run(tt.name, func(t *testing.T) {
			x := exploration()
			tt.plant(&x)
			var r *machinetest.Report
			got := reports(func(tb machinetest.TB) { r = machinetest.Explore(tb, x) })
			wantReports(t, got, tt.want...)
			for _, f := range r.Found {
				assert.True(t, f.Reproduced, f)
				assert.Less(t, strings.Count(f.String(), "\n")+1, 10, f)
			}
			for _, line := range tt.trace {
				assert.Contains(t, got[0], line)
			}
			t.Log(strings.Join(got, "\n"))
		})
	}
}

// The script of a break makes a life that breaks in the same way.
func TestFoundScript(t *testing.T) {
	x := exploration()
	itinerary(&x, func(_, cleanUp *phases.Itinerary) { drop(cleanUp, "StartTraffic") })
	x.NeverFails, x.Edits = nil, []string{"cancel"}
	var r *machinetest.Report
	reports(func(tb machinetest.TB) { r = machinetest.Explore(tb, x) })
	require.NotEmpty(t, r.Found)
	for _, f := range r.Found {
		got := reports(func(tb machinetest.TB) { machinetest.New(tb, x.Setup).Run(f.Script...) })
		require.NotEmpty(t, got, f)
		assert.Contains(t, got[0], f.How)
	}
}

func TestExploreMaxStates(t *testing.T) {
	x := exploration()
	x.MaxStates = 20
	var r *machinetest.Report
	got := reports(func(tb machinetest.TB) { r = machinetest.Explore(tb, x) })
	wantReports(t, got, "inconclusive at 20 states, more of them at the start than anywhere else: raise MaxStates")
	assert.True(t, r.Inconclusive)
	assert.Equal(t, 20, r.States)

	x.MayBeInconclusive = true
	assert.Empty(t, reports(func(tb machinetest.TB) { r = machinetest.Explore(tb, x) }))
	assert.True(t, r.Inconclusive)
}

// The report does not depend on the number of workers, nor on whether states with the same future
// are taken for one.
func TestExploreWorkersAndExact(t *testing.T) {
	explore := func(workers int, exact bool) *machinetest.Report {
		x := exploration()
		x.Edits, x.Workers, x.Exact = []string{"cancel"}, workers, exact
		x.Switches = map[string][]string{"Backup": {"CleanUp"}}
		return machinetest.Explore(t, x)
	}
	one, two := explore(1, false), explore(2, false)
	one.Took, two.Took = 0, 0
	assert.Equal(t, one, two)
	assert.Equal(t, 8, one.Assignments)
	if testscale.Reduced {
		return // the rest has one worker
	}
	exact := explore(1, true)
	assert.Greater(t, exact.States, one.States)
	t.Logf("%d states, exact %d", one.States, exact.States)
}

func TestExploreKnownBreaks(t *testing.T) {
	x := exploration()
	itinerary(&x, func(_, cleanUp *phases.Itinerary) { drop(cleanUp, "StartTraffic") })
	x.NeverFails = nil
	x.Known = []machinetest.Break{{Promise: "traffic is never off at the end", Itinerary: "CleanUp", How: "the invariant does not hold"}}
	assert.Empty(t, reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) }))

	x = exploration()
	x.Known = []machinetest.Break{{Promise: "traffic is never off at the end", Itinerary: "CleanUp", How: "the invariant does not hold"}}
	wantReports(t, reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) }),
		"known, but no longer broken: traffic is never off at the end")
}

func TestExploreStaleNeverCalled(t *testing.T) {
	x := exploration()
	x.NeverCalled = []string{"Upload"}
	wantReports(t, reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) }), "NeverCalled lists Upload, which a life reaches")
}

// Explorations that are too large are reported at once.
func TestExploreTooManyFlags(t *testing.T) {
	var defs []phases.FlagDef
	for i := range 40 {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	all := phases.Flags(1<<40 - 1)
	scripted := func(fixed []string, decides phases.Flags, relations ...phases.Clause) []string {
		v := phases.MustVocabulary(defs, relations...)
		set := machine.MustCompileSet(phases.Itinerary{Name: "Main", Vocabulary: v, Phases: []phases.Phase{
			{Name: "A", Step: "A", Decides: decides}, {Name: "B", Step: "B", Guard: phases.Guard{Any: all}}}})
		return reports(func(tb machinetest.TB) {
			machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{
				Setup: machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: "Main"}), Fixed: fixed, Failures: -1, MaxStates: 1000})
		})
	}
	wantReports(t, scripted(nil, 0), "inconclusive at 1000 states")
	var allFalse []string
	for _, d := range defs {
		allFalse = append(allFalse, "!"+d.Name)
	}
	wantReports(t, scripted(allFalse, all), "inconclusive at")
	wantReports(t, scripted([]string{"F0"}, 0, phases.Clause{False: 1, True: 1 << 39}, phases.Clause{False: 1<<39 | 1}),
		"no assignment of flags satisfies the relations of the vocabulary and Fixed")
}

// A flag without a source stays unknown, and is not tried both ways.
func TestExploreFlagWithoutSource(t *testing.T) {
	x := exploration()
	build := x.Setup.Options
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		o := build(c)
		o.Sources = func(ctx context.Context, b *Backup) (*phases.Sources, error) {
			sources, err := Controller{c}.sources(ctx, b)
			if err != nil {
				return nil, err
			}
			return phases.NewSources(flags, sources.All()[1:]...) // HasVolumes has none
		}
		return o
	}
	x.NeverCalled = []string{"Snapshot", "DeleteSnapshot"}
	var r *machinetest.Report
	reports(func(tb machinetest.TB) { r = machinetest.Explore(tb, x) })
	require.NotNil(t, r)
	assert.Equal(t, 4, r.Assignments)
}

// A controller that keeps something elsewhere is reported as such, not with a misleading trace.
func TestExploreNotReproduced(t *testing.T) {
	x := exploration()
	uploads := 0
	with(&x, "Upload", func(c *Cluster, b *Backup) (runner.Result, error) {
		if uploads++; uploads == 4 { // after the calls that check idempotence
			c.TrafficOff = !c.TrafficOff
		}
		return runner.Done(), nil
	})
	got := reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) })
	require.NotEmpty(t, got)
	assert.Contains(t, got[0], "something is kept outside the object and the world")
}

func TestExploreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*backupExploration)
		want   string
	}{
		{"no way to set flags", func(x *backupExploration) { x.Setup.SetFlag = nil }, "machinetest: Setup.SetFlag is missing"},
		{"a flag that is set and does not change", func(x *backupExploration) {
			x.Setup.SetFlag = func(*Backup, *Cluster, string, bool) error { return nil }
		}, "after SetFlag HasVolumes=no its source returns yes"},
		{"a flag that cannot be set", func(x *backupExploration) {
			x.Setup.SetFlag = func(*Backup, *Cluster, string, bool) error { return errors.New("no cluster") }
		}, "SetFlag HasVolumes=no: no cluster"},
		{"a flag whose source then fails", func(x *backupExploration) {
			build := x.Setup.Options
			x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
				o := build(c)
				o.Sources = func(_ context.Context, b *Backup) (*phases.Sources, error) {
					return phases.NewSources(flags, phases.SourceOf(HasVolumes, phases.TruthOf(b.Spec.Volumes)),
						phases.SourceOf(Quiesce, phases.TruthOf(b.Spec.Quiesce)),
						phases.Source{Flag: TrafficOff, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
							return phases.Unknown, errors.New("no route")
						}})
				}
				return o
			}
		}, "after SetFlag TrafficOff=no its source returns unknown"},
		{"an unknown flag", func(x *backupExploration) { x.Fixed = []string{"HasVolume"} }, `Fixed: unknown flag "HasVolume"; did you mean "HasVolumes"?`},
		{"an unknown phase", func(x *backupExploration) { x.NeverFails = []string{"Restore"} }, `names a phase "Restore", which no itinerary has`},
		{"a phase of another itinerary", func(x *backupExploration) { x.Settled = []string{"CleanUp/Upload"} }, `names a phase "CleanUp/Upload", which no itinerary has`},
		{"an unknown edit", func(x *backupExploration) { x.Edits = []string{"abort"} }, `names an edit "abort", which Setup.Edits does not have`},
		{"an unknown itinerary", func(x *backupExploration) { x.Switches = map[string][]string{"Backup": {"Cleanup"}} }, `Switches: unknown itinerary "Cleanup"`},
		{"a switch that is not named", func(x *backupExploration) { x.Switches = map[string][]string{"CleanUp": nil} },
			"the run switches from itinerary Backup to CleanUp, which Switches does not name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := exploration()
			tt.change(&x)
			got := reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) })
			wantReports(t, got, tt.want)
		})
	}
}

// An exploration tries both values of a flag even if its source cannot know the flag yet.
func TestExploreFlagNotKnownYet(t *testing.T) {
	seen := map[phases.Truth]bool{}
	x := exploration()
	build := x.Setup.Options
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		o := build(c)
		o.Sources = func(ctx context.Context, b *Backup) (*phases.Sources, error) {
			volumes := phases.Unknown // until the backup has begun
			if b.Status.State.Phase != "" {
				volumes = phases.TruthOf(b.Spec.Volumes)
			}
			return phases.NewSources(flags, phases.SourceOf(HasVolumes, volumes),
				phases.SourceOf(Quiesce, phases.TruthOf(b.Spec.Quiesce)), phases.SourceOf(TrafficOff, phases.TruthOf(c.TrafficOff)))
		}
		return o
	}
	itinerary := func(all []phases.Itinerary) *machine.Set {
		all[0].Phases[0].Decides |= HasVolumes
		return machine.MustCompileSet(all...)
	}
	withSources := x.Setup.Options
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		o := withSources(c)
		o.Itineraries = itinerary(itineraries())
		return o
	}
	x.Settled = append(x.Settled, "Validate")
	x.Setup.Invariants = append(x.Setup.Invariants, machinetest.Invariant[*Backup, Cluster]{Name: "seen", Check: func(s machinetest.Snapshot[*Backup, Cluster]) error {
		if s.State.Phase == "Report" {
			seen[flags.Facts(s.State.Facts).Of(HasVolumes)] = true
		}
		return nil
	}})
	r := machinetest.Explore(t, x)
	assert.Equal(t, 8, r.Assignments)
	assert.Equal(t, map[phases.Truth]bool{phases.True: true, phases.False: true}, seen)
}

// Explorations of generated itineraries, with and without loops and choices, break no promise,
// except that some loops never end because nothing in them decides a flag.
func TestExploreGeneratedItineraries(t *testing.T) {
	states, endless := 0, 0
	for seed := range uint64(testscale.Of(60, 8)) {
		r := rand.New(rand.NewPCG(seed, 0))
		it := itinerarytest.Generate(r, seed%2 == 1, true)
		if seed%2 == 1 {
			it = itinerarytest.AddChoices(r, it)
		}
		cleanUp := phases.Itinerary{Name: "CleanUp", Vocabulary: it.Vocabulary, Cleanup: true,
			Phases: []phases.Phase{{Name: "Report", Step: "Report"}}}
		next := map[string]string{it.Name: "CleanUp"}
		s := machinetest.NewScripted(machinetest.Script{
			Itineraries: machine.MustCompileSet(it, cleanUp), Itinerary: it.Name, OnFail: next, OnCancel: next})
		build := s.Options
		s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
			o := build(w)
			if seed%5 == 0 { // the run continues later
				o.Handler = runner.HandlerFunc[*machinetest.Object](func(context.Context, *machinetest.Object) (runner.Result, error) {
					return runner.Done(runner.After(time.Minute)), nil
				})
			}
			return o
		}
		var found *machinetest.Report
		reports(func(tb machinetest.TB) {
			found = machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{
				Setup: s, Edits: []string{"cancel"}, Exact: seed%4 < 2,
			})
		})
		require.NotNil(t, found)
		require.False(t, found.Inconclusive)
		states += found.States
		for _, f := range found.Found {
			if f.Promise == machinetest.PromiseEnds && seed%2 == 1 {
				endless++
				continue
			}
			t.Errorf("seed %d: %s\n%+v", seed, f, it.Phases)
		}
	}
	assert.Greater(t, endless, 0)
	t.Logf("%d states", states)
}

// If an itinerary is entered again, states differ by what lies ahead then.
func TestExploreItineraryEnteredAgain(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "F"}})
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Main", Vocabulary: v, Phases: []phases.Phase{
			{Name: "First", Step: "S"}, {Name: "A", Step: "S", Guard: phases.Guard{All: 1}}, {Name: "B", Step: "S"}}},
		phases.Itinerary{Name: "Other", Vocabulary: v, Phases: []phases.Phase{{Name: "O", Step: "O"}}})
	s := machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: "Main"})
	s.Edits["leave"] = func(o *machinetest.Object) { o.Itinerary = "Other" }
	s.Edits["back"] = func(o *machinetest.Object) { o.Itinerary = "Main" }
	s.Invariants = []machinetest.Invariant[*machinetest.Object, struct{}]{{Name: "A is not entered from Other",
		Check: func(s machinetest.Snapshot[*machinetest.Object, struct{}]) error {
			if other, _ := s.State.Pipeline.Lookup("O"); other != nil && s.State.Phase == "A" {
				return errors.New("A is entered")
			}
			return nil
		}}}
	got := reports(func(tb machinetest.TB) {
		machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{
			Setup: s, Edits: []string{"leave", "back"}, Failures: -1})
	})
	wantReports(t, got, "A is not entered from Other, in itinerary Main")
}

// A loop that never ends is found besides a phase that waits forever.
func TestExploreTwoEndlessRuns(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "F"}})
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Main", Vocabulary: v, Phases: []phases.Phase{
			{Name: "A", Step: "S"}, {Name: "B", Step: "S", Jumps: []phases.Jump{{To: "A", Guard: phases.Guard{All: 1}}}}}},
		phases.Itinerary{Name: "CleanUp", Vocabulary: v, Cleanup: true, Phases: []phases.Phase{{Name: "K", Step: "K"}}})
	s := machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: "Main", OnCancel: map[string]string{"Main": "CleanUp"}})
	build := s.Options
	s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
		o := build(w)
		o.Phases = map[string]runner.Phase[*machinetest.Object]{"K": {Handler: runner.HandlerFunc[*machinetest.Object](
			func(context.Context, *machinetest.Object) (runner.Result, error) { return runner.Wait(0, ""), nil })}}
		return o
	}
	got := reports(func(tb machinetest.TB) {
		machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s, Edits: []string{"cancel"}, Failures: -1})
	})
	require.Len(t, got, 3, strings.Join(got, "\n"))
	assert.Contains(t, got[0]+got[1]+got[2], "in itinerary Main: from here the run cannot end")
	assert.Contains(t, got[0]+got[1]+got[2], "in itinerary CleanUp: from here the run cannot end: at K")
}

// A run that a failure has stopped is at its end, even after an edit that changes nothing for it.
func TestExploreEditOfStoppedRun(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "F"}})
	set := machine.MustCompileSet(phases.Itinerary{Name: "Main", Vocabulary: v,
		Phases: []phases.Phase{{Name: "A", Step: "S"}, {Name: "B", Step: "S"}}})
	s := machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: "Main"})
	s.Edits["change nothing"] = func(o *machinetest.Object) { o.FromFailed = true }
	machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s, Edits: []string{"change nothing"}})
}

// A state from which a run cannot move is not an end merely because an edit led there from a run
// that was done.
func TestExploreEditOfDoneRun(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "F"}})
	set := machine.MustCompileSet(phases.Itinerary{Name: "Main", Vocabulary: v,
		Phases: []phases.Phase{{Name: "A", Step: "S"}, {Name: "B", Step: "S"}}})
	s := machinetest.NewScripted(machinetest.Script{Itineraries: set, Itinerary: "Main"})
	r, err := runner.New(s.Options(nil))
	require.NoError(t, err)
	gone := &machinetest.Object{Itinerary: "Gone"}
	_, err = r.Reconcile(context.Background(), gone)
	require.Error(t, err)
	s.Edits["select an unknown itinerary"] = func(o *machinetest.Object) { *o = *gone }
	got := reports(func(tb machinetest.TB) {
		machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{
			Setup: s, Edits: []string{"select an unknown itinerary"}, Failures: -1, Crashes: -1})
	})
	assert.Contains(t, strings.Join(got, "\n"), "from here the run cannot end")
}

// Edits are tried at the end, too.
func TestExploreEditAtEnd(t *testing.T) {
	x := exploration()
	x.Edits = []string{"cancel"}
	x.Setup.Invariants = nil
	x.Setup.Edits["cancel"] = func(b *Backup) {
		if b.Spec.Canceled = true; b.Status.State.Done {
			b.Status.State.Pipeline = nil // a controller that forgets what it has shown
		}
	}
	build := x.Setup.Options
	x.Setup.Options = func(c *Cluster) runner.Options[*Backup] {
		o := build(c)
		read := o.Storage.Read
		o.Storage.Read = func(_ context.Context, b *Backup) (runner.State, error) {
			s, err := read(context.Background(), b)
			if s.Done && s.Pipeline == nil {
				s.Done, s.Phase = false, "Report"
			}
			return s, err
		}
		return o
	}
	got := reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) })
	require.NotEmpty(t, got)
	assert.Contains(t, strings.Join(got, "\n"), "cancel, at the end")
}

func BenchmarkExplore(b *testing.B) {
	for b.Loop() {
		r := machinetest.Explore(b, exploration())
		b.ReportMetric(float64(r.States), "states")
		b.ReportMetric(float64(r.Reconciles), "reconciles")
	}
}
