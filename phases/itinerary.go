package phases

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Phase is the smallest unit of work, and a state of the machine. As a row of
// an itinerary it reads like mig-controller's own tables:
//
//	{Name: "EnsureStageBackup", Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}},
type Phase struct {
	// Name is unique within the itinerary. Any non-empty UTF-8 string will do.
	Name string
	// Step is what a person sees while the phase runs.
	Step string
	// Guard decides whether the phase runs. The empty guard admits.
	Guard Guard
	// Description is one short sentence, which the step shows while the phase
	// runs. Where it is empty the name is shown.
	Description string
	// Rides says that the phase never makes its step visible: where nothing
	// else does, it is reported under the step before it.
	Rides bool
	// Decides are the flags that the outcome of the phase may change. They
	// are asked again once the phase is done.
	Decides Flags
	// Jumps are looked at in order once the phase is done; the first whose
	// guard admits is taken, and without one the phase after this one in
	// order is next.
	Jumps []Jump
	// Formerly lists the names that the phase had in earlier releases. A
	// recorded old name is found under the new one.
	Formerly []string
}

// Jump leads from a phase to another than the next in order, forward or back.
// Where the guard of the phase To does not admit, the machine goes on with
// the phases after To, as it would have in order.
type Jump struct {
	To    string
	Guard Guard
}

// WhenUnknown says what the guards of an itinerary do with a flag that could
// not be evaluated.
type WhenUnknown uint8

const (
	// Wait holds the migration at the phase before, until the flag is known.
	Wait WhenUnknown = iota
	// Run lets phases with an unknown guard run, and takes no jump with an
	// unknown guard. It is for itineraries that clean up, whose handlers are
	// idempotent and which must always reach their end.
	Run
)

// String returns "wait" or "run", as YAML files write it.
func (w WhenUnknown) String() string {
	if w == Run {
		return "run"
	}
	return "wait"
}

// Itinerary is a named, ordered list of phases, over one vocabulary of flags.
// It is plain data: build it as a literal or with [Load], check it with
// Validate, and do not change it once it is compiled.
type Itinerary struct {
	Name        string
	Flags       *Vocabulary
	WhenUnknown WhenUnknown
	Phases      []Phase
}

// Reads is the set of flags that the guards of the itinerary look at, those
// of jumps included.
func (it Itinerary) Reads() Flags {
	var reads Flags
	for _, p := range it.Phases {
		reads |= p.Guard.Reads()
		for _, j := range p.Jumps {
			reads |= j.Guard.Reads()
		}
	}
	return reads
}

// Hash is a fingerprint of all that plans and transitions depend on: the
// itinerary's name, what it does with unknown flags, and of each phase the
// name, step, guard, rides, decides and jumps, with flags by name.
// Descriptions, former names and the order of the vocabulary do not count. It
// is 16 hexadecimal digits, and the same in every process and release.
func (it Itinerary) Hash() string {
	h := sha256.New()
	// Every value is written quoted, so that no two definitions can spell the
	// same text.
	sorted := func(f Flags) []string { return slices.Sorted(slices.Values(it.Flags.Names(f))) }
	guard := func(g Guard) {
		fmt.Fprintf(h, " all%q any%q none%q", sorted(g.All), sorted(g.Any), sorted(g.None))
	}
	fmt.Fprintf(h, "%q %s\n", it.Name, it.WhenUnknown)
	for _, p := range it.Phases {
		fmt.Fprintf(h, "%q %q %t", p.Name, p.Step, p.Rides)
		guard(p.Guard)
		fmt.Fprintf(h, " decides%q", sorted(p.Decides))
		for _, j := range p.Jumps {
			fmt.Fprintf(h, " to%q", j.To)
			guard(j.Guard)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
