package machinetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Faults of a runner that no embedder's options can cause: the test changes the record of a
// reconcile instead.
func TestPromisesBrokenByRunner(t *testing.T) {
	v := phases.MustVocabulary(nil)
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Main", Vocabulary: v,
			Phases: []phases.Phase{{Name: "A", Step: "S"}, {Name: "B", Step: "S"}, {Name: "C", Step: "S"}}},
		phases.Itinerary{Name: "Cancel", Vocabulary: v, Cleanup: true, Result: phases.Canceled,
			Phases: []phases.Phase{{Name: "K", Step: "K"}, {Name: "L", Step: "K"}}})
	failed := runner.PhaseFailed{Itinerary: "Main", Phase: "A", Reasons: []string{"no"}}
	for _, tt := range []struct {
		name, itinerary, at string
		plant               func(r *reconciled[*Object])
		want                string
	}{
		{"a phase fails without a call", "Main", "A", func(r *reconciled[*Object]) {
			r.calls, r.events = nil, []runner.Event{failed}
		}, "a phase fails for its deadline only after it worked that long, in itinerary Main: a phase fails without a last call of its handler: A: no"},
		{"a phase fails although its work is done", "Main", "A", func(r *reconciled[*Object]) {
			r.events = []runner.Event{failed}
		}, "work that is recorded as done is not done again, in itinerary Main: a phase fails although its work is done: A: no"},
		{"a phase without a deadline fails while it waits", "Main", "A", func(r *reconciled[*Object]) {
			r.calls[0].kind, r.events = resultWait, []runner.Event{failed}
		}, "a phase fails for its deadline only after it worked that long, in itinerary Main: a phase without a deadline fails while it waits: A"},
		{"OnFail is called twice", "Main", "A", func(r *reconciled[*Object]) {
			r.calls[0].kind, r.events, r.onFails = resultFail, []runner.Event{failed}, 2
		}, "nothing runs after a failed phase, in itinerary Main: OnFail is not called once for each failure: 2 calls, 1 failures"},
		{"a phase that failed counts as done", "Main", "A", func(r *reconciled[*Object]) {
			r.calls[0].kind, r.onFails = resultFail, 1
			r.events = []runner.Event{failed, runner.PhaseExited{Itinerary: "Main", Phase: "A"}}
		}, "nothing runs after a failed phase, in itinerary Main: a phase that failed is reported as done: A"},
		{"a handler has no time", "Main", "B", func(r *reconciled[*Object]) {
			r.calls[0].ended = true
		}, "a phase fails for its deadline only after it worked that long, in itinerary Main: a handler is called with a context that has ended: B"},
		{"a pause holds a cleanup itinerary", "Cancel", "K", func(r *reconciled[*Object]) {
			r.after, r.calls, r.events = r.before, nil, nil
			r.paused, r.outcome.Paused = true, true
		}, "a pause holds a run, but no cleanup itinerary, in itinerary Cancel: a pause holds a cleanup itinerary: at K"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewScripted(Script{Itineraries: set, Itinerary: tt.itinerary, OnFail: map[string]string{"Main": "Cancel"}})
			build := s.Options
			s.Options = func(w *struct{}) runner.Options[*Object] {
				o := build(w)
				o.Phases = map[string]runner.Phase[*Object]{"B": {Deadline: time.Minute, Handler: runner.HandlerFunc[*Object](
					func(context.Context, *Object) (runner.Result, error) { return runner.Done(), nil })}}
				return o
			}
			e, err := newEngine(s)
			require.NoError(t, err)
			e.inject.call = func(string, string) (*Line, []string) { return nil, nil }
			r := &reconciled[*Object]{object: s.Object}
			for r.before.Phase != tt.at {
				require.False(t, r.after.Done)
				r = e.reconcile(r.object, e.setup.Start, carried{})
				require.Empty(t, r.breaks)
			}
			tt.plant(r)
			var got []string
			for _, b := range e.promises(r) {
				got = append(got, b.String())
			}
			assert.Contains(t, got, tt.want)
		})
	}
}
