package steps

import "time"

// Accessor describes how the steps of an embedder's own type are read and
// written: a struct or a pointer to one. Both functions are required, and must
// be safe for concurrent use if steps are synced concurrently.
type Accessor[S any] struct {
	// Get returns what a step holds, as far as its type has a field for it.
	Get func(step S) Step
	// Set returns the step with what it is to hold now. Fields that Get does not
	// read stay as they are. If S is a pointer, Set must return a pointer to a
	// changed copy; for a step that was not listed before it is given the zero
	// S, a nil pointer.
	Set func(step S, to Step) S
}

// From returns the pipeline that a list holds, as far as the type has fields for
// it: the way back of To.
func (a Accessor[S]) From(list []S) Pipeline {
	if list == nil {
		return nil
	}
	p := make(Pipeline, len(list))
	for i := range list {
		p[i] = a.Get(list[i])
	}
	return p
}

// To returns a pipeline as a list. Each step is made of the entry that it has in
// the list before: of several entries of one name, the first that has started.
// Neither argument is changed.
func (a Accessor[S]) To(p Pipeline, before []S) []S {
	if p == nil {
		return nil
	}
	return merge(a.From(before), p, func(i int, to Step) S {
		var step S
		if i >= 0 {
			step = before[i]
		}
		return a.Set(step, to)
	})
}

// SyncOf is [Sync] for a pipeline of an embedder's own type. Each step of the
// result is made of the entry that it had before, as [Accessor.To] makes it. The
// list given is not changed.
//
// It is idempotent if Get returns what Set was given, as far as the type has
// fields for it.
func SyncOf[S any](list []S, a Accessor[S], m Snapshot, now time.Time) []S {
	return a.To(Sync(a.From(list), m, now), list)
}

// merge makes a list of the steps of a pipeline. Set is called with the index of
// the entry that a step had before, or -1.
func merge[S any](before, after Pipeline, set func(i int, to Step) S) []S {
	entry := make(map[string]int, len(before))
	for i := range before {
		at, listed := entry[before[i].Name]
		if !listed || before[i].Ran() && !before[at].Ran() {
			entry[before[i].Name] = i
		}
	}
	out := make([]S, len(after))
	for k := range after {
		i, ok := entry[after[k].Name]
		if !ok {
			i = -1
		}
		out[k] = set(i, after[k])
	}
	return out
}
