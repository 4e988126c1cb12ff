package handlers

import (
	"maps"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Wrap returns a copy of o in which wrap has been applied to every handler, also to nil
// ones. The maps of o are not changed.
func Wrap[T any](o runner.Options[T], wrap func(h runner.Handler[T]) runner.Handler[T]) runner.Options[T] {
	each := func(all map[string]runner.Phase[T]) map[string]runner.Phase[T] {
		all = maps.Clone(all)
		for name, p := range all {
			p.Handler = wrap(p.Handler)
			all[name] = p
		}
		return all
	}
	o.Handler = wrap(o.Handler)
	o.Phases = each(o.Phases)
	o.PhasesByItinerary = maps.Clone(o.PhasesByItinerary)
	for itinerary, all := range o.PhasesByItinerary {
		o.PhasesByItinerary[itinerary] = each(all)
	}
	return o
}
