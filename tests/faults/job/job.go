package job

import (
	"context"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The flags.
const (
	Large  phases.Flags = 1 << iota // decided by Measure
	Notify                          // live: the user may change it at any moment
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: Large, Name: "Large"}, {Flag: Notify, Name: "Notify", Live: true}})

var set = machine.MustCompileSet(
	phases.Itinerary{Name: "Main", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Measure", Step: "Prepare", Decides: Large, Jumps: []phases.Jump{{To: "Report", Choice: true}}},
		{Name: "Copy", Step: "Copy", Guard: phases.Guard{All: Large}},
		{Name: "Tell", Step: "Tell", Guard: phases.Guard{All: Notify}},
		{Name: "Report", Step: "Finish"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "Undo", Step: "CleanUp"},
		{Name: "Report", Step: "CleanUp"},
	}},
)

// List is the object: a list of two items, each with a run.
type List struct {
	// Item is the item that the reconcile handles.
	Item       int            `json:"item"`
	Canceled   bool           `json:"canceled,omitempty"`
	Paused     bool           `json:"paused,omitempty"`
	Token      string         `json:"token,omitempty"`
	FromFailed bool           `json:"fromFailed,omitempty"`
	True       []string       `json:"true,omitempty"`
	Failed     []bool         `json:"failed"`
	States     []runner.State `json:"states"`
}

// World is the state that the handlers change.
type World struct {
	Copied []bool `json:"copied"`
}

const items = 2

// New returns the setup of the controller.
func New() machinetest.Setup[*List, World] {
	return machinetest.Setup[*List, World]{
		Options: options,
		Object:  &List{Failed: make([]bool, items), States: make([]runner.State, items)},
		World:   World{Copied: make([]bool, items)},
		SetFlag: func(l *List, _ *World, flag string, value bool) error {
			i, has := slices.BinarySearch(l.True, flag)
			switch {
			case value && !has:
				l.True = slices.Insert(l.True, i, flag)
			case !value && has:
				l.True = slices.Delete(l.True, i, i+1)
			}
			return nil
		},
		Edits: map[string]func(*List){
			"cancel":                      func(l *List) { l.Canceled = true },
			"pause":                       func(l *List) { l.Paused = true },
			"resume":                      func(l *List) { l.Paused = false },
			"again":                       func(l *List) { l.Token, l.FromFailed = l.Token+"+", false },
			"again from the failed phase": func(l *List) { l.Token, l.FromFailed = l.Token+"+", true },
		},
		Items: items,
		Item: func(l *List, number int) *List {
			l.Item = number
			return l
		},
		Source: machinetest.Source{Expression: "job.New()", Imports: []string{"github.com/konveyor/dynamic-pipeline/tests/faults/job"}},
	}
}

// NewOne is [New] with only one run.
func NewOne() machinetest.Setup[*List, World] {
	s := New()
	s.Items, s.Source.Expression = 1, "job.NewOne()"
	return s
}

func options(w *World) runner.Options[*List] {
	handler := func(f runner.HandlerFunc[*List]) runner.Phase[*List] { return runner.Phase[*List]{Handler: f} }
	work := handler(func(_ context.Context, l *List) (runner.Result, error) {
		w.Copied[l.Item] = true
		return runner.Done(), nil
	})
	work.Deadline, work.MaxAttempts = 30*time.Second, 2
	return runner.Options[*List]{
		Itineraries: set,
		Select: func(_ context.Context, l *List) (string, error) {
			if l.Canceled || l.Failed[l.Item] {
				return "CleanUp", nil
			}
			return "Main", nil
		},
		Sources: func(_ context.Context, l *List) (*phases.Sources, error) {
			is := func(name string) func(context.Context, phases.Facts) (phases.Truth, error) {
				return func(context.Context, phases.Facts) (phases.Truth, error) {
					return phases.TruthOf(slices.Contains(l.True, name)), nil
				}
			}
			return phases.NewSources(vocabulary,
				phases.Source{Flag: Large, Evaluate: is("Large")}, phases.Source{Flag: Notify, Evaluate: is("Notify")})
		},
		Storage: runner.NewStatusStorage(func(l *List) *runner.State { return &l.States[l.Item] }),
		Phases: map[string]runner.Phase[*List]{
			"Measure": handler(func(context.Context, *List) (runner.Result, error) {
				return runner.Done(runner.After(time.Minute)), nil
			}),
			"Copy": work,
			"Undo": handler(func(_ context.Context, l *List) (runner.Result, error) {
				w.Copied[l.Item] = false
				return runner.Done(), nil
			}),
		},
		PassThrough: true,
		OnFail:      func(_ context.Context, l *List, _ runner.Failure) error { l.Failed[l.Item] = true; return nil },
		Paused:      func(_ context.Context, l *List) (bool, error) { return l.Paused, nil },
		Token: func(_ context.Context, l *List) (string, runner.RunFrom, error) {
			if l.FromFailed {
				return l.Token, runner.FromFailedPhase, nil
			}
			return l.Token, runner.FromStart, nil
		},
		OnRunAgain: func(_ context.Context, l *List, _ runner.PastRun) error { l.Failed[l.Item] = false; return nil },
	}
}
