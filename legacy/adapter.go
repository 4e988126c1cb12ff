package legacy

import (
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Annotation is the key of the MigMigration's annotation that holds the
// remainder; see [Upgraded].
const Annotation = "pipeline.konveyor.io/legacy"

// Adapter converts statuses between the old and the current form. It is
// immutable and safe for concurrent use.
type Adapter struct {
	itineraries *machine.Set
	naming      mtc.Naming
	phases      map[string]map[string]*phases.Phase // by itinerary, then by present or former name
}

// NewAdapter returns an adapter that names the steps of the current form by
// naming. The itineraries define the former names of phases and the remaining
// steps. They may name their steps by either scheme.
func NewAdapter(itineraries *machine.Set, naming mtc.Naming) *Adapter {
	a := &Adapter{itineraries: itineraries, naming: naming, phases: make(map[string]map[string]*phases.Phase)}
	for _, name := range itineraries.Names() {
		g, err := itineraries.Graph(name)
		if err != nil {
			continue // cannot happen: the name is the set's
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

// Selected describes what the present state of a migration selects: the
// itinerary, as [mtc.Current] returns it, and the flags.
type Selected struct {
	// Itinerary is the name of one of the adapter's itineraries.
	Itinerary string
	// Facts are the present values of the flags. If a step depends on an unknown
	// flag, it is listed only if it was listed before; a cleanup itinerary lists
	// it in any case.
	Facts phases.Facts
}

// Upgraded is the result of [Adapter.Upgrade].
type Upgraded struct {
	// Status is the current form, as compact JSON.
	Status json.RawMessage
	// Remainder is compact JSON for the annotation [Annotation]: whatever the
	// upgrade dropped or changed. It exceeds the length of the original status
	// by at most a constant. If nothing was dropped or changed, it is nil; keep
	// an existing annotation then.
	Remainder json.RawMessage
	// Warnings describe what could not be done: each is a [*NotPlannedError] or
	// a [*RemainderError].
	Warnings []error
}

// Downgraded is the result of [Adapter.Downgrade].
type Downgraded struct {
	// Status is the old form, as compact JSON.
	Status json.RawMessage
	// Warnings holds a [*RemainderError] if the remainder was ignored.
	Warnings []error
}

// oldNames maps upstream's names of steps to the differing names of this project.
var oldNames = map[string]string{"StageBackup": mtc.DataBackup, "StageRestore": mtc.DataRestore}

// stepNow returns the current name of a step, given its old or current name.
func (a *Adapter) stepNow(name string) string {
	if now, ok := oldNames[name]; ok {
		name = now
	}
	return a.naming.Step(name)
}

// stepThen returns the old name of a step, given its old or current name.
func stepThen(name string) string {
	for then, now := range oldNames {
		if mtc.DataNames.Step(name) == now {
			return then
		}
	}
	return name
}
