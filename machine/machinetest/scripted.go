package machinetest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Script describes the setup that [NewScripted] makes: itineraries without a controller.
type Script struct {
	// Itineraries are those under test.
	Itineraries *machine.Set
	// Itinerary is the itinerary that the object selects at the beginning.
	Itinerary string
	// OnFail maps an itinerary to the one that follows when a phase of it fails. An itinerary that
	// it does not name is kept.
	OnFail map[string]string
	// OnCancel maps an itinerary to the one that follows a cancel, which is the edit "cancel".
	OnCancel map[string]string
	// RunAgain lets users request another run of Itinerary once one has ended.
	RunAgain bool
}

// Object is the object of a setup made by [NewScripted].
type Object struct {
	// Itinerary is the itinerary that the object selects.
	Itinerary string `json:"itinerary"`
	// Paused is set and cleared by the edits "pause" and "resume".
	Paused bool `json:"paused,omitempty"`
	// Token requests another run when it changes, FromFailed one that begins in the phase that
	// failed: see [Script.RunAgain].
	Token      string `json:"token,omitempty"`
	FromFailed bool   `json:"fromFailed,omitempty"`
	// True lists the flags that are true, sorted.
	True []string `json:"true,omitempty"`
	// State is the state of the run.
	State runner.State `json:"state"`
}

// DeepCopy returns a copy that shares nothing with the object.
func (o *Object) DeepCopy() *Object {
	out := *o
	out.True = slices.Clone(o.True)
	o.State.DeepCopyInto(&out.State)
	return &out
}

// NewScripted returns a setup that tests itineraries alone. Each handler is done at once. Flags
// begin as false and change only by the lines Flags, Flag and Decide, and the itinerary follows
// OnFail and OnCancel. The edits are "pause" and "resume"; "cancel" if OnCancel is not empty; and
// "again" and "again from the failed phase" if RunAgain is set.
func NewScripted(s Script) Setup[*Object, struct{}] {
	setup := Setup[*Object, struct{}]{
		Options: func(*struct{}) runner.Options[*Object] { return s.options() },
		Object:  &Object{Itinerary: s.Itinerary},
		SetFlag: func(o *Object, _ *struct{}, flag string, value bool) error {
			i, has := slices.BinarySearch(o.True, flag)
			switch {
			case value && !has:
				o.True = slices.Insert(o.True, i, flag)
			case !value && has:
				o.True = slices.Delete(o.True, i, i+1)
			}
			return nil
		},
		Edits: map[string]func(*Object){
			"pause":  func(o *Object) { o.Paused = true },
			"resume": func(o *Object) { o.Paused = false },
		},
	}
	if len(s.OnCancel) > 0 {
		setup.Edits["cancel"] = func(o *Object) { o.follow(s.OnCancel) }
	}
	if s.RunAgain {
		setup.Edits["again"] = func(o *Object) { o.Token, o.FromFailed = o.Token+"+", false }
		setup.Edits["again from the failed phase"] = func(o *Object) { o.Token, o.FromFailed = o.Token+"+", true }
	}
	return setup
}

func (o *Object) follow(next map[string]string) {
	if to, ok := next[o.Itinerary]; ok {
		o.Itinerary = to
	}
}

func (s Script) options() runner.Options[*Object] {
	cache := &sourceCache{set: s.Itineraries, byTrue: make(map[string]*phases.Sources)}
	o := runner.Options[*Object]{
		Itineraries: s.Itineraries,
		Select:      func(_ context.Context, o *Object) (string, error) { return o.Itinerary, nil },
		Sources:     func(_ context.Context, o *Object) (*phases.Sources, error) { return cache.of(o) },
		Storage: runner.Storage[*Object]{
			Read:  func(_ context.Context, o *Object) (runner.State, error) { return o.State, nil },
			Write: func(_ context.Context, o *Object, state runner.State) error { o.State = state; return nil },
		},
		OnFail:      func(_ context.Context, o *Object, _ runner.Failure) error { o.follow(s.OnFail); return nil },
		Paused:      func(_ context.Context, o *Object) (bool, error) { return o.Paused, nil },
		PassThrough: true,
	}
	if s.RunAgain {
		o.Token = func(_ context.Context, o *Object) (string, runner.RunFrom, error) {
			if o.FromFailed {
				return o.Token, runner.FromFailedPhase, nil
			}
			return o.Token, runner.FromStart, nil
		}
		o.OnRunAgain = func(_ context.Context, o *Object, _ runner.PastRun) error { o.Itinerary = s.Itinerary; return nil }
	}
	return o
}

// sourceCache caches the sources of scripted objects, one for each set of true flags: an exploration
// needs them a million times.
type sourceCache struct {
	set    *machine.Set
	mu     sync.Mutex
	byTrue map[string]*phases.Sources
}

func (a *sourceCache) of(o *Object) (*phases.Sources, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := strings.Join(o.True, ",") // which no name of a flag contains
	if s, ok := a.byTrue[key]; ok {
		return s, nil
	}
	g, err := a.set.Graph(o.Itinerary)
	if err != nil {
		return nil, err
	}
	v := g.Vocabulary()
	yes, err := v.Parse(o.True...)
	if err != nil {
		return nil, err
	}
	var sources []phases.Source
	for flag := range v.All().Each {
		sources = append(sources, phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.TruthOf(yes.Has(flag)), nil
		}})
	}
	s, err := phases.NewSources(v, sources...)
	a.byTrue[key] = s
	return s, err
}
