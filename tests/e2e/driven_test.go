package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// The flags of the short itineraries.
const (
	hasPods = phases.Flags(1 << iota)
	isOver
)

var shortFlags = phases.MustVocabulary([]phases.FlagDef{{Flag: hasPods, Name: "HasPods"}, {Flag: isOver, Name: "IsOver"}})

// short holds itineraries with only what the tests need: a step that the main
// and the cleanup itineraries share, a phase that decides a flag, and a
// cleanup itinerary with a loop.
var short = machine.MustCompileSet(
	phases.Itinerary{Name: "Main", Vocabulary: shortFlags, Phases: []phases.Phase{
		{Name: "Check", Step: "Prepare"},
		{Name: "Scan", Step: "Prepare", Decides: hasPods},
		{Name: "Copy", Step: "Copy", Guard: phases.Guard{All: hasPods}},
		{Name: "Finish", Step: "Cleanup"},
	}},
	phases.Itinerary{Name: "Cancel", Vocabulary: shortFlags, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "DeletePods", Step: "Cleanup", Guard: phases.Guard{All: hasPods}},
		{Name: "Canceled", Step: "Cleanup"},
	}},
	phases.Itinerary{Name: "Failed", Vocabulary: shortFlags, Cleanup: true, Result: phases.Failed, Phases: []phases.Phase{
		{Name: "Repair", Step: "Repair"},
	}},
	phases.Itinerary{Name: "Rollback", Vocabulary: shortFlags, Cleanup: true, Result: phases.RolledBack, Phases: []phases.Phase{
		{Name: "Turn", Step: "Undo", Guard: phases.Guard{None: isOver}, Decides: isOver, Jumps: []phases.Jump{{To: "Turn"}}},
		{Name: "Undone", Step: "Cleanup"},
	}},
)

// selectShort returns the name of one of the short itineraries.
func selectShort(m example.Migration) string {
	switch s := m.MTC(); {
	case len(s.Status.Errors) > 0:
		return "Failed"
	case s.Spec.Canceled:
		return "Cancel"
	case s.Spec.Rollback:
		return "Rollback"
	}
	return "Main"
}

// script describes what happens to a driven run.
type script struct {
	set    *machine.Set
	choose func(example.Migration) string
	// ask evaluates a flag by its name, by default to false. handle is the
	// handler of a phase; by default it is done.
	ask         func(flag string) (phases.Truth, error)
	handle      func(m example.Migration, phase string) (runner.Result, error)
	deadline    time.Duration // of Copy
	passFailure bool          // no OnFail
}

// driven is a run that a test reconciles itself, with the controller at the
// API server and a clock of the test.
type driven[T example.Migration] struct {
	*fixture
	kind       example.Kind[T]
	key        client.ObjectKey
	script     script
	now        time.Time
	reconciler *controller.Reconciler[T]

	called, events, notes []string
}

func drive[T example.Migration](g *fixture, kind example.Kind[T], name string, s script) *driven[T] {
	g.Helper()
	if s.set == nil {
		s.set = short
	}
	if s.choose == nil {
		s.choose = selectShort
	}
	d := &driven[T]{
		fixture: g, kind: kind, key: client.ObjectKey{Namespace: g.namespace, Name: name}, script: s,
		now: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
	}
	o := kind.New()
	o.SetNamespace(g.namespace)
	o.SetName(name)
	g.create(o)
	d.restart()
	return d
}

// restart starts the controller again.
func (d *driven[T]) restart() {
	d.Helper()
	s := d.script
	o := runner.Options[T]{
		Itineraries: s.set,
		Select:      func(_ context.Context, m T) (string, error) { return s.choose(m), nil },
		Storage: runner.Storage[T]{
			Read:  func(_ context.Context, m T) (runner.State, error) { return m.State() },
			Write: func(_ context.Context, m T, state runner.State) error { return m.SetState(state) },
		},
		Paused: func(_ context.Context, m T) (bool, error) {
			return m.GetAnnotations()[example.PausedAnnotation] == "true", nil
		},
		Now: func() time.Time { return d.now },
		Sources: func(context.Context, T) (*phases.Sources, error) {
			var all []phases.Source
			for _, def := range shortFlags.Defs() {
				all = append(all, phases.Source{Flag: def.Flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					if s.ask == nil {
						return phases.False, nil
					}
					return s.ask(def.Name)
				}})
			}
			return phases.NewSources(shortFlags, all...)
		},
		Phases: map[string]runner.Phase[T]{},
	}
	if !s.passFailure {
		o.OnFail = func(_ context.Context, m T, f runner.Failure) error { m.AddErrors(f.Reasons...); return nil }
	}
	for _, itinerary := range s.set.Names() {
		graph, err := s.set.Graph(itinerary)
		require.NoError(d, err)
		for i := range graph.Len() {
			name := graph.Phase(i).Name
			p := runner.Phase[T]{Handler: runner.HandlerFunc[T](func(_ context.Context, m T) (runner.Result, error) {
				d.called = append(d.called, name)
				if s.handle == nil {
					return runner.Done(), nil
				}
				return s.handle(m, name)
			})}
			if name == "Copy" {
				p.Deadline = s.deadline
			}
			o.Phases[name] = p
		}
	}
	var err error
	d.reconciler, err = controller.New(controller.Options[T]{
		Client: d.client, New: d.kind.New, StatusSubresource: d.kind.StatusSubresource, Conditions: d.kind.Conditions, Merge: d.kind.Merge,
		Runner: o,
		Recorder: controller.RecorderFunc(func(_ runtime.Object, _, reason, note string) {
			d.events, d.notes = append(d.events, reason), append(d.notes, note)
		}),
	})
	require.NoError(d, err)
}

// turn reconciles once, and advances the clock to the next reconcile. An error
// is terminal.
func (d *driven[T]) turn() (again bool, terminal error) {
	d.Helper()
	result, err := d.reconciler.Reconcile(d.ctx, reconcile.Request{NamespacedName: d.key})
	if !errors.Is(err, reconcile.TerminalError(nil)) {
		require.NoError(d, err)
	}
	d.now = d.now.Add(result.RequeueAfter)
	return result.RequeueAfter > 0, err
}

// until reconciles until is holds for the state.
func (d *driven[T]) until(is func(runner.State) bool) runner.State {
	d.Helper()
	for range 200 {
		if s := d.state(); is(s) {
			return s
		}
		_, err := d.turn()
		require.NoError(d, err)
	}
	d.Fatalf("the state is not reached; it is %+v", d.state())
	return runner.State{}
}

// finish reconciles until the run is done.
func (d *driven[T]) finish() runner.State {
	d.Helper()
	return d.until(func(s runner.State) bool { return s.Done })
}

// atPhase reports whether a run is in a phase.
func atPhase(phase string) func(runner.State) bool {
	return func(s runner.State) bool { return s.Phase == phase }
}

func (d *driven[T]) object() T {
	d.Helper()
	o := d.kind.New()
	require.NoError(d, d.client.Get(d.ctx, d.key, o))
	return o
}

func (d *driven[T]) state() runner.State {
	d.Helper()
	s, err := d.object().State()
	require.NoError(d, err)
	return s
}

// edit changes the object like a user.
func (d *driven[T]) edit(mergePatch string) {
	d.Helper()
	require.NoError(d, d.client.Patch(d.ctx, d.object(), client.RawPatch(client.Merge.Type(), []byte(mergePatch))))
}

func (d *driven[T]) pause(is bool) {
	d.Helper()
	text := map[bool]string{true: "true", false: "false"}[is]
	d.edit(`{"metadata":{"annotations":{"` + example.PausedAnnotation + `":"` + text + `"}}}`)
}

const (
	toCancel   = `{"spec":{"canceled":true}}`
	toRollBack = `{"spec":{"rollback":true}}`
)

// condition returns the condition of a type. It returns nil if there is none,
// or if the kind does not have Kubernetes' conditions.
func (d *driven[T]) condition(kind string) *metav1.Condition {
	d.Helper()
	m, ok := any(d.object()).(*api.Migration)
	if !ok {
		return nil
	}
	for i := range m.Status.Conditions {
		if m.Status.Conditions[i].Type == kind {
			return &m.Status.Conditions[i]
		}
	}
	return nil
}

// recorded returns the number of events with a reason.
func (d *driven[T]) recorded(reason string) (n int) {
	for _, r := range d.events {
		if r == reason {
			n++
		}
	}
	return n
}

// size returns the size of a state as JSON.
func (d *driven[T]) size(s runner.State) int {
	d.Helper()
	b, err := json.Marshal(s)
	require.NoError(d, err)
	return len(b)
}
