package legacy

import (
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Annotation is the name of the annotation of a MigMigration that holds the
// remainder.
const Annotation = "pipeline.konveyor.io/legacy"

// Adapter adapts statuses. It is immutable and safe for concurrent use.
type Adapter struct {
	itineraries *machine.Set
	naming      steps.Naming
}

// New returns an adapter to the steps of one naming scheme. The itineraries
// tell which names phases formerly had, and which steps are still to come; the
// scheme in which they name their steps does not matter.
func New(itineraries *machine.Set, naming steps.Naming) *Adapter {
	return &Adapter{itineraries: itineraries, naming: naming}
}

// Selected is what the state of an object selects today, as
// [mtc.Current] and its flags say.
type Selected struct {
	// Itinerary is one of the adapter's.
	Itinerary string
	// Facts are the flags as they are now. A step that hangs on an unknown
	// flag stays as it is, listed or not, where the itinerary waits for flags.
	Facts phases.Facts
}

// Upgraded is what [Adapter.Upgrade] makes.
type Upgraded struct {
	// Status is the current form, compact.
	Status json.RawMessage
	// Remainder is what was dropped or changed, compact, for the annotation
	// [Annotation]. It is nil where nothing was: an annotation that is there
	// already then stays as it is.
	Remainder json.RawMessage
	// Warnings tell what could not be done: a [*NotPlannedError], a
	// [*RemainderError].
	Warnings []error
}

// Downgraded is what [Adapter.Downgrade] makes.
type Downgraded struct {
	// Status is the old form, compact.
	Status json.RawMessage
	// Warnings hold a [*RemainderError] where the remainder was ignored.
	Warnings []error
}

// oldNames are the steps that upstream names otherwise.
var oldNames = map[string]string{"StageBackup": mtc.DataBackup, "StageRestore": mtc.DataRestore}

// stepNow is the name of a step in the current form, whichever was given.
func (a *Adapter) stepNow(name string) string {
	if now, ok := oldNames[name]; ok {
		name = now
	}
	return a.naming.Step(name)
}

// stepThen is the name of a step in the old form, whichever was given.
func stepThen(name string) string {
	for then, now := range oldNames {
		if steps.Data.Step(name) == now {
			return then
		}
	}
	return name
}
