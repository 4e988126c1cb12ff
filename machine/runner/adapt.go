package runner

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Adapt returns options for objects of type U, each of which holds an object of type T
// that o is for. The function of returns the inner object; it is called at each call of
// a function of o. It must return a pointer into the outer object, so that changes are
// kept.
//
// Use it if the type that is reconciled, or explored with machine/machinetest, differs
// from the type that the handlers receive. For example, U may add the parts that the
// handlers use, or hold a list of which T is one item.
//
// Functions that o lacks stay nil for [New] to see, and the maps of o are not changed.
// A nil Key stays nil; the default then applies to the type U.
func Adapt[T, U any](o Options[T], of func(object U) T) Options[U] {
	if of == nil {
		return Options[U]{Storage: Storage[U]{problems: []string{
			"Storage: Adapt has no function; give one that returns the object that another holds"}}}
	}
	a := Options[U]{
		Itineraries: o.Itineraries, PassThrough: o.PassThrough, PauseHoldsCleanup: o.PauseHoldsCleanup, SourceFlags: o.SourceFlags,
		Deadline: o.Deadline, MaxAttempts: o.MaxAttempts, Backoff: o.Backoff,
		MaxPhases: o.MaxPhases, EvaluationTimeout: o.EvaluationTimeout, Now: o.Now, WithTimeout: o.WithTimeout,
		Storage: adaptStorage(o.Storage, of), Handler: adaptHandler(o.Handler, of), Phases: adaptPhases(o.Phases, of),
		PhasesByItinerary: adaptEach(o.PhasesByItinerary, func(all map[string]Phase[T]) map[string]Phase[U] { return adaptPhases(all, of) }),
	}
	if o.Select != nil {
		a.Select = func(ctx context.Context, object U) (string, error) { return o.Select(ctx, of(object)) }
	}
	if o.Sources != nil {
		a.Sources = func(ctx context.Context, object U) (*phases.Sources, error) { return o.Sources(ctx, of(object)) }
	}
	if o.OnError != nil {
		a.OnError = func(object U, v Visit, err error) ErrorAction { return o.OnError(of(object), v, err) }
	}
	if o.OnFail != nil {
		a.OnFail = func(ctx context.Context, object U, f Failure) error { return o.OnFail(ctx, of(object), f) }
	}
	if o.Failed != nil {
		a.Failed = func(ctx context.Context, object U) (bool, error) { return o.Failed(ctx, of(object)) }
	}
	if o.Paused != nil {
		a.Paused = func(ctx context.Context, object U) (bool, error) { return o.Paused(ctx, of(object)) }
	}
	if o.Token != nil {
		a.Token = func(ctx context.Context, object U) (string, RunFrom, error) { return o.Token(ctx, of(object)) }
	}
	if o.OnRunAgain != nil {
		a.OnRunAgain = func(ctx context.Context, object U, previous PastRun) error {
			return o.OnRunAgain(ctx, of(object), previous)
		}
	}
	if o.Key != nil {
		a.Key = func(object U) string { return o.Key(of(object)) }
	}
	if o.MaxState != nil {
		a.MaxState = func(object U) int { return o.MaxState(of(object)) }
	}
	for _, observer := range o.Observers {
		var adapted Observer[U] // nil, which New refuses
		if !isNil(observer) {
			adapted = adaptedObserver[T, U]{observer, of}
		}
		a.Observers = append(a.Observers, adapted)
	}
	return a
}

// adaptedObserver passes the events of outer objects, and Forget, to an observer of
// inner objects.
type adaptedObserver[T, U any] struct {
	inner Observer[T]
	of    func(U) T
}

func (a adaptedObserver[T, U]) Observe(ctx context.Context, object U, e Event) {
	a.inner.Observe(ctx, a.of(object), e)
}

func (a adaptedObserver[T, U]) Forget(key string) {
	if f, ok := a.inner.(interface{ Forget(key string) }); ok {
		f.Forget(key)
	}
}

func adaptStorage[T, U any](s Storage[T], of func(U) T) Storage[U] {
	a := Storage[U]{Annotation: s.Annotation, problems: s.problems}
	if s.Read != nil {
		a.Read = func(ctx context.Context, object U) (State, error) { return s.Read(ctx, of(object)) }
	}
	if s.Write != nil {
		a.Write = func(ctx context.Context, object U, state State) error { return s.Write(ctx, of(object), state) }
	}
	return a
}

func adaptHandler[T, U any](h Handler[T], of func(U) T) Handler[U] {
	switch {
	case h == nil:
		return nil
	case isNil(h):
		return VisitFunc[U](nil) // which New refuses
	}
	return VisitFunc[U](func(ctx context.Context, object U, v Visit) (Result, error) { return h.Handle(ctx, of(object), v) })
}

func adaptPhases[T, U any](all map[string]Phase[T], of func(U) T) map[string]Phase[U] {
	return adaptEach(all, func(p Phase[T]) Phase[U] {
		return Phase[U]{Handler: adaptHandler(p.Handler, of), Deadline: p.Deadline, MaxAttempts: p.MaxAttempts, Backoff: p.Backoff}
	})
}

// adaptEach returns a map of the converted values; nil if all is nil.
func adaptEach[A, B any](all map[string]A, value func(A) B) map[string]B {
	if all == nil {
		return nil
	}
	adapted := make(map[string]B, len(all))
	for name, one := range all {
		adapted[name] = value(one)
	}
	return adapted
}
