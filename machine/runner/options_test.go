package runner_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

type options = runner.Options[*migration]

const noHandler = `phase "Copy" of itinerary "Move" has no handler; set one in Phases, PhasesByItinerary or Handler`

// New refuses every fault of an option: none remains for the first reconcile.
func TestNewRefusesInvalidOptions(t *testing.T) {
	phase := func(change func(p *runner.Phase[*migration])) func(*options) {
		return func(o *options) {
			p := o.Phases["Copy"]
			change(&p)
			o.Phases["Copy"] = p
		}
	}
	backoff := func(b runner.Backoff) func(*options) {
		return phase(func(p *runner.Phase[*migration]) { p.Backoff = b })
	}
	for _, tt := range []struct {
		about  string
		change func(*options)
		want   string
	}{
		{"a negative deadline", phase(func(p *runner.Phase[*migration]) { p.Deadline = -1 }), `Phases: phase "Copy": Deadline is -1ns; it must not be negative`},
		{"a negative limit", phase(func(p *runner.Phase[*migration]) { p.MaxAttempts = -1 }), `Phases: phase "Copy": MaxAttempts is -1; it must not be negative`},
		{"a negative deadline for all phases", func(o *options) { o.Deadline = -time.Hour }, "Deadline is -1h0m0s; it must not be negative"},
		{"a negative backoff for all phases", func(o *options) { o.Backoff.Initial = -time.Second }, "Backoff: Initial is -1s; it must not be negative"},
		{"a negative initial backoff", backoff(runner.Backoff{Initial: -1}), `Phases: phase "Copy": Backoff: Initial is -1ns; it must not be negative`},
		{"a negative maximum backoff", backoff(runner.Backoff{Initial: 1, Max: -1}), `Phases: phase "Copy": Backoff: Max is -1ns; it must not be negative`},
		{"a factor of NaN", backoff(runner.Backoff{Initial: 1, Factor: math.NaN()}), `Phases: phase "Copy": Backoff: Factor is NaN; it must be at least 1 and finite`},
		{"an infinite factor", backoff(runner.Backoff{Initial: 1, Factor: math.Inf(1)}), `Phases: phase "Copy": Backoff: Factor is +Inf; it must be at least 1 and finite`},
		{"a factor below 1", backoff(runner.Backoff{Initial: 1, Factor: 0.5}), `Phases: phase "Copy": Backoff: Factor is 0.5; it must be at least 1 and finite`},
		{"a negative factor", backoff(runner.Backoff{Initial: 1, Factor: -2}), `Phases: phase "Copy": Backoff: Factor is -2; it must be at least 1 and finite`},
		{"a backoff that begins above its end", backoff(runner.Backoff{Initial: time.Hour, Max: time.Minute}),
			`Phases: phase "Copy": Backoff: Initial is 1h0m0s, which is above Max, 1m0s`},
		{"half a backoff", backoff(runner.Backoff{Max: time.Minute}), `Phases: phase "Copy": Backoff: Max or Factor is set without Initial; set Initial`},
		{"a backoff of one itinerary", func(o *options) {
			p := o.Phases["Copy"]
			p.Backoff.Factor = 2
			o.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"Copy": p}}
		}, `PhasesByItinerary: phase "Copy" of itinerary "Move": Backoff: Max or Factor is set without Initial; set Initial`},
		{"negative phases", func(o *options) { o.MaxPhases = -7 }, "MaxPhases is -7; it must not be negative"},
		{"a negative timeout", func(o *options) { o.EvaluationTimeout = -time.Second }, "EvaluationTimeout is -1s; it must not be negative"},
		{"a nil handler", phase(func(p *runner.Phase[*migration]) { p.Handler = nil }), noHandler},
		{"a nil function", phase(func(p *runner.Phase[*migration]) { p.Handler = runner.HandlerFunc[*migration](nil) }), noHandler},
		{"a nil pointer", phase(func(p *runner.Phase[*migration]) { p.Handler = (*handler)(nil) }), noHandler},
		{"a nil handler that might pass through", func(o *options) {
			o.PassThrough = true
			o.Phases["Copy"] = runner.Phase[*migration]{Deadline: time.Hour}
		}, noHandler},
		{"a nil observer", func(o *options) { o.Observers = append(o.Observers, nil) }, "Observers: number 2 is nil; remove it"},
		{"a nil function as an observer", func(o *options) { o.Observers = append(o.Observers, runner.ObserverFunc[*migration](nil)) }, "Observers: number 2 is nil; remove it"},
		{"only one of Read and Write", func(o *options) { o.Storage.Write = nil }, "Storage has only one of Read and Write; give both"},
		{"an empty set", func(o *options) { o.Itineraries = new(machine.Set) }, "Itineraries are missing"},
		{"a handler under a former name", func(o *options) {
			its := itineraries()
			its[0].Phases[1].Formerly = []string{"OldCopy"}
			o.Itineraries = machine.MustCompileSet(its...)
			o.Phases["OldCopy"] = o.Phases["Copy"]
		}, `Phases: no itinerary has a phase "OldCopy"; did you mean "Copy"?`},
		{"a handler of one itinerary under a former name", func(o *options) {
			its := itineraries()
			its[0].Phases[1].Formerly = []string{"OldCopy"}
			o.Itineraries = machine.MustCompileSet(its...)
			o.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"OldCopy": o.Phases["Copy"]}}
		}, `PhasesByItinerary: "OldCopy" is a former name of phase "Copy" of itinerary "Move"; use that name`},
	} {
		t.Run(tt.about, func(t *testing.T) {
			w := newWorld(t)
			tt.change(&w.options)
			_, err := runner.New(w.options)
			var refused *runner.OptionsError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, []string{tt.want}, refused.Problems)
		})
	}
}

type handler struct{}

func (h *handler) Handle(context.Context, *migration, runner.Visit) (runner.Result, error) {
	return runner.Done(), nil
}

// thousands returns a controller of one itinerary of n phases, each a step.
func thousands(t *testing.T, n int) *world {
	w := newWorld(t)
	it := phases.Itinerary{Name: "Move", Vocabulary: vocabulary}
	w.options.Phases = map[string]runner.Phase[*migration]{}
	for i := range n {
		name := fmt.Sprintf("Phase%d", i)
		it.Phases = append(it.Phases, phases.Phase{Name: name, Step: "Step" + name})
		w.options.Phases[name] = runner.Phase[*migration]{Handler: &handler{}}
	}
	w.options.Itineraries = machine.MustCompileSet(it)
	w.options.Observers = nil
	return w
}

// New and a reconcile are linear in the phases and steps: from 1,000 to 8,000, their
// allocations grow by little more than eight times.
func TestThousandsOfSteps(t *testing.T) {
	cost := func(n int) (news, reconciles uint64) {
		w := thousands(t, n)
		r := w.runner()
		news = allocated(func() { w.runner() })
		for range 3 { // builds what is built once
			_, err := r.Reconcile(context.Background(), w.m)
			require.NoError(t, err)
		}
		reconciles = allocated(func() { _, _ = r.Reconcile(context.Background(), w.m) })
		require.Len(t, w.m.State.Pipeline, n)
		return news, reconciles
	}
	newSmall, small := cost(1000)
	newLarge, large := cost(8000)
	assert.Less(t, newLarge, 12*newSmall)
	assert.Less(t, large, 12*small)
}

func BenchmarkSteps(b *testing.B) {
	for _, n := range []int{1000, 8000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := thousands(nil, n)
			b.Run("New", func(b *testing.B) {
				for b.Loop() {
					if _, err := runner.New(w.options); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
			})
			r, err := runner.New(w.options)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("Reconcile", func(b *testing.B) {
				for b.Loop() {
					if w.m.State.Done {
						w.m.State = runner.State{}
					}
					if _, err := r.Reconcile(context.Background(), w.m); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
			})
		})
	}
}
