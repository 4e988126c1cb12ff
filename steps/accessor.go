package steps

import "time"

// Accessor describes how to read and write the steps of an embedder's own type, a struct or a
// pointer to one. Both functions are required. They must be safe for concurrent use if steps are
// synced concurrently.
type Accessor[S any] struct {
	// Get returns the content of a step, as far as its type has fields for it.
	Get func(step S) Step
	// Set returns the step with the given content. It must not change fields that Get does not
	// read. If S is a pointer, Set must return a pointer to a changed copy. For a step that was not
	// listed before, it gets the zero S, a nil pointer.
	Set func(step S, to Step) S
}

// From converts a list to a pipeline, as far as the type has fields for it. It is the inverse of
// To.
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

// To converts a pipeline to a list. Each step is made from its entry in the list before: if several
// entries have the same name, from the first that has started. Neither argument is changed.
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

// SyncOf is [Sync] for a pipeline of an embedder's own type. Each step of the result is made from
// its previous entry, as by [Accessor.To]. The given list is not changed.
//
// SyncOf is idempotent if Get returns what Set was given, as far as the type has fields for it.
func SyncOf[S any](list []S, a Accessor[S], m Snapshot, now time.Time) []S {
	return a.To(Sync(a.From(list), m, now), list)
}

// merge makes a list from the steps of a pipeline. It calls set with the index of a step's previous
// entry, or -1.
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
