package legacy

import (
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Annotation is the name of the annotation of a MigMigration that holds the
// remainder.
const Annotation = "pipeline.konveyor.io/legacy"

// Adapter adapts statuses. It is immutable and safe for concurrent use.
type Adapter struct {
	itineraries *machine.Set
	naming      mtc.Naming
	phases      map[string]map[string]*phases.Phase // by itinerary and name, former names included
}

// NewAdapter returns an adapter whose current form names steps in one naming
// scheme. The itineraries define the former names of phases, and which steps are
// still to come; the scheme in which they name their steps does not matter.
func NewAdapter(itineraries *machine.Set, naming mtc.Naming) *Adapter {
	a := &Adapter{itineraries: itineraries, naming: naming, phases: make(map[string]map[string]*phases.Phase)}
	for _, name := range itineraries.Names() {
		g, err := itineraries.Graph(name)
		if err != nil {
			continue // the set has all itineraries that it names
		}
		byName := make(map[string]*phases.Phase, g.Len())
		for i := range g.Len() {
			p := g.Phase(i)
			for _, name := range append([]string{p.Name}, p.Formerly...) {
				byName[name] = &p
			}
		}
		a.phases[name] = byName
	}
	return a
}

// Selected describes what the state of an object selects today: the itinerary,
// as [mtc.Current] returns it, and the flags.
type Selected struct {
	// Itinerary is the name of one of the adapter's itineraries.
	Itinerary string
	// Facts are the flags as they are now. A step that depends on an unknown
	// flag stays as it is, listed or not, unless the itinerary is a cleanup
	// itinerary.
	Facts phases.Facts
}

// Upgraded is the result of [Adapter.Upgrade].
type Upgraded struct {
	// Status is the current form, compact.
	Status json.RawMessage
	// Remainder holds what was dropped or changed, compact, for the annotation
	// [Annotation]. It is at most as long as the original status and a constant.
	// It is nil if nothing was: then keep an annotation that is there already.
	Remainder json.RawMessage
	// Warnings name what could not be done: a [*NotPlannedError], a
	// [*RemainderError].
	Warnings []error
}

// Downgraded is the result of [Adapter.Downgrade].
type Downgraded struct {
	// Status is the old form, compact.
	Status json.RawMessage
	// Warnings hold a [*RemainderError] if the remainder was ignored.
	Warnings []error
}

// oldNames are the steps that upstream names otherwise.
var oldNames = map[string]string{"StageBackup": mtc.DataBackup, "StageRestore": mtc.DataRestore}

// stepNow returns the name of a step in the current form, whichever was given.
func (a *Adapter) stepNow(name string) string {
	if now, ok := oldNames[name]; ok {
		name = now
	}
	return a.naming.Step(name)
}

// stepThen returns the name of a step in the old form, whichever was given.
func stepThen(name string) string {
	for then, now := range oldNames {
		if mtc.DataNames.Step(name) == now {
			return then
		}
	}
	return name
}
