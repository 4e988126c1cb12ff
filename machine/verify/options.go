package verify

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Options are the options of [Check]. The zero value is ready to use: a rule whose
// input is missing is not checked.
type Options struct {
	// Suppressions accept findings, in addition to those of Source.
	Suppressions []phases.Suppression
	// Selected are all names that the selector of the controller can return. If nil,
	// the reachability of itineraries is not checked.
	Selected []string
	// Runner describes the handlers ([RunnerOf]). If nil, nothing is known of them.
	Runner *Runner
	// Source is the file that the itineraries were read from ([Load]), or nil. Findings
	// then have positions in it, and its suppressions count.
	Source *Source
	// Input is the file that -i names in Finding.Reproduce. If empty, it is that of
	// Source; without a Source, -i names itineraries alone.
	Input string
	// MaxNodes bounds the memory of each question, in nodes of the decision diagrams
	// that hold sets of assignments. Zero means 2^20, some 100 MB.
	MaxNodes int
}

// Runner describes the options of a runner to the verifier.
type Runner struct {
	// HasHandler reports whether a phase has a handler. HasDeadline reports whether it
	// has a deadline, or is passed through and so takes no time. If nil, that is not
	// checked. They are not called for end phases.
	HasHandler, HasDeadline func(itinerary, phase string) bool
	// RunsAgain reports whether a new run may begin in the phase that failed. Outside
	// cleanup itineraries, a run can then be in each phase that any run enters, with
	// all flags that the relations allow.
	RunsAgain bool
}

// RunnerOf describes the options of a runner. The options need not be complete.
func RunnerOf[T any](o runner.Options[T]) *Runner {
	phase := func(itinerary, name string) (p runner.Phase[T], ok bool) {
		if p, ok = o.PhasesByItinerary[itinerary][name]; !ok {
			p, ok = o.Phases[name]
		}
		return p, ok
	}
	return &Runner{
		HasHandler: func(itinerary, name string) bool {
			p, ok := phase(itinerary, name)
			return p.Handler != nil || o.Handler != nil || o.PassThrough && !ok
		},
		HasDeadline: func(itinerary, name string) bool {
			p, ok := phase(itinerary, name)
			passed := o.PassThrough && !ok && o.Handler == nil // it takes no time
			return passed || p.Deadline > 0 || o.Deadline > 0
		},
		RunsAgain: o.Token != nil,
	}
}

// Test checks the itineraries of a set and fails the test with each finding that
// reaches [Warning] and is not suppressed. A controller needs one line in its tests:
//
//	verify.Test(t, itineraries, verify.Options{})
func Test(t TB, set *machine.Set, o Options) {
	t.Helper()
	for _, f := range Failing(Check(set, o), Warning) {
		t.Errorf("%v", f)
	}
}

// Failing returns the findings that reach the level and are not suppressed, in their
// order.
func Failing(findings []Finding, level Severity) (failing []Finding) {
	for _, f := range findings {
		if f.Suppressed == "" && f.Severity.Reaches(level) {
			failing = append(failing, f)
		}
	}
	return failing
}
