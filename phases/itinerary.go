package phases

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Phase is the smallest unit of work, and a state of the machine. As a row of
// an itinerary it reads like mig-controller's own tables:
//
//	{Name: "EnsureStageBackup", Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}},
type Phase struct {
	// Name is unique within the itinerary. It may be any non-empty UTF-8 string.
	Name string
	// Step is what users see while the phase runs. An end phase may have none.
	Step string
	// Steps are other steps that the phase may belong to: the first whose guard admits
	// counts, or Step if none admits. Outside cleanup itineraries the phase is entered
	// only once its step is known; in a cleanup itinerary an unknown guard does not
	// admit. The step is fixed when the phase is entered.
	Steps []GuardedStep
	// Guard decides whether the phase runs. The empty guard admits.
	Guard Guard
	// End marks an end phase: it does no work, and a run that enters it is done. It
	// decides nothing, has no jumps, and does not ride. The phases after it are reached
	// by jumps, or if its guard does not admit.
	End bool
	// Description is one short sentence, which the step shows while the phase runs. If
	// empty, the name is shown.
	Description string
	// Rides marks a phase that never makes its step visible. If no other phase makes
	// the step visible, the phase is reported under the step before it.
	Rides bool
	// Decides are the flags that the outcome of the phase may change. They are
	// evaluated again once the phase is done.
	Decides Flags
	// Jumps determine which phase follows once the phase is done: the target of the
	// choice that its handler made; without a choice, the target of the first jump in
	// order whose guard admits; otherwise the next phase in order.
	Jumps []Jump
	// Formerly lists the names of the phase in earlier releases. A recorded old name is
	// found under the new one.
	Formerly []string
}

// GuardedStep is a step that a phase belongs to if the guard admits.
type GuardedStep struct {
	Step  string
	Guard Guard
}

// Jump leads from a phase to a phase other than the next in order, forward or back. If
// the guard of the phase To does not admit, the machine continues with the phases after
// To, as it would in order.
type Jump struct {
	To    string
	Guard Guard
	// Choice marks a jump that the handler of the phase may choose. It has no guard.
	// Until the handler has chosen, plans treat the jump as possible.
	Choice bool
}

// Result is the outcome of a run: one of the constants below, or empty, which means
// [Succeeded].
type Result string

// The results of a run.
const (
	Succeeded  Result = "Succeeded"
	Failed     Result = "Failed"
	Canceled   Result = "Canceled"
	RolledBack Result = "RolledBack"
)

var results = []Result{Succeeded, Failed, Canceled, RolledBack}

// OrDefault returns the result, or [Succeeded] if it is empty.
func (r Result) OrDefault() Result {
	if r == "" {
		return Succeeded
	}
	return r
}

func resultList() string {
	names := make([]string, len(results))
	for i, r := range results {
		names[i] = string(r)
	}
	return wording.List(names, "or")
}

// Itinerary is a named, ordered list of phases, over one vocabulary of flags.
// It is plain data: build it as a literal or with [Load], check it with
// Validate, and do not change it once it is compiled.
type Itinerary struct {
	Name       string
	Vocabulary *Vocabulary
	// Cleanup marks a cleanup itinerary, which must always reach its end. A phase whose
	// guard is unknown runs, an end phase or a jump whose guard is unknown is passed
	// by, and so is a phase that fails. Its handlers must be idempotent. Any other
	// itinerary waits until the next phase is known, and runs no phase after one that
	// failed.
	Cleanup bool
	// Result is the result of a run that ends in this itinerary, unless a phase failed
	// outside cleanup itineraries, or an itinerary that the run was in before decides
	// it: one whose result is Canceled, or the first cleanup itinerary. Empty means
	// [Succeeded].
	Result Result
	Phases []Phase
}

// Reads returns the set of flags that the guards of the itinerary read, including those
// of steps and jumps.
func (it Itinerary) Reads() Flags {
	var reads Flags
	for _, p := range it.Phases {
		reads |= p.Guard.Reads()
		for _, s := range p.Steps {
			reads |= s.Guard.Reads()
		}
		for _, j := range p.Jumps {
			reads |= j.Guard.Reads()
		}
	}
	return reads
}

// Hash returns a fingerprint of everything that plans and transitions depend on. That
// is the itinerary's name, whether it is a cleanup, which of its flags are live, and of
// each phase the name, steps, guard, end, rides, decides and jumps, with flags by name.
// Descriptions, former names, the result and the order of the vocabulary do not count.
// The hash is 16 hexadecimal digits, and the same in every process and release. It is
// meaningless for an itinerary that Validate refuses.
func (it Itinerary) Hash() string {
	h := sha256.New()
	// Every value is quoted, so no two definitions produce the same text.
	sorted := func(f Flags) []string { return slices.Sorted(slices.Values(it.Vocabulary.Names(f))) }
	guard := func(g Guard) {
		fmt.Fprintf(h, " all%q any%q none%q", sorted(g.All), sorted(g.Any), sorted(g.None))
	}
	fmt.Fprintf(h, "%q %t", it.Name, it.Cleanup)
	if live := it.Vocabulary.Live() & it.Reads(); live != 0 {
		fmt.Fprintf(h, " live%q", sorted(live))
	}
	fmt.Fprintln(h)
	for _, p := range it.Phases {
		fmt.Fprintf(h, "%q %q %t", p.Name, p.Step, p.Rides)
		if p.End {
			fmt.Fprint(h, " end")
		}
		for _, s := range p.Steps {
			fmt.Fprintf(h, " step%q", s.Step)
			guard(s.Guard)
		}
		guard(p.Guard)
		fmt.Fprintf(h, " decides%q", sorted(p.Decides))
		for _, j := range p.Jumps {
			fmt.Fprintf(h, " to%q", j.To)
			if j.Choice {
				fmt.Fprint(h, " choice")
			}
			guard(j.Guard)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
