package mtc

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Naming is a naming scheme for the steps that MTC calls StageBackup and
// StageRestore. The enhancement proposes two; the embedder chooses one.
type Naming uint8

const (
	// DataNames names them DataBackup and DataRestore.
	DataNames Naming = iota
	// StateNames names them StateBackup and StateRestore.
	StateNames
)

// String returns "Data" or "State".
func (n Naming) String() string {
	if n == StateNames {
		return "State"
	}
	return "Data"
}

// Step returns the name of a step in the scheme, given its name in either scheme.
// The name of any other step is returned unchanged.
func (n Naming) Step(name string) string {
	for _, suffix := range []string{"Backup", "Restore"} {
		if name == "Data"+suffix || name == "State"+suffix {
			return n.String() + suffix
		}
	}
	return name
}

// Rename returns a copy of the itinerary with its steps named in the scheme. Compile
// the copy; plans, machines and pipelines then use these names.
func (n Naming) Rename(it phases.Itinerary) phases.Itinerary {
	renamed := make([]phases.Phase, len(it.Phases))
	for i, p := range it.Phases {
		p.Step = n.Step(p.Step)
		p.Steps = slices.Clone(p.Steps)
		for k := range p.Steps {
			p.Steps[k].Step = n.Step(p.Steps[k].Step)
		}
		renamed[i] = p
	}
	it.Phases = renamed
	return it
}
