package verify

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Options are what [Check] knows beside the itineraries. The zero value is fine:
// what is not given is not checked.
type Options struct {
	// Suppressions accept findings, beside those of Source.
	Suppressions []phases.Suppression
	// Selected are all names that the selector of the controller can return. If
	// nil, it is not checked which itineraries are reached.
	Selected []string
	// Runner is what is known of the handlers; nil if nothing is ([RunnerOf]).
	Runner *Runner
	// Source is the file that the itineraries were read from, if they were: findings
	// then have places in it, and its suppressions count ([Load]).
	Source *Source
	// Input is the file that -i names in the lines that reproduce findings. If empty,
	// it is that of Source, or -i names itineraries alone.
	Input string
	// MaxNodes bounds the memory of each question: the nodes of the decision
	// diagrams that hold sets of assignments. Zero means 2^20, some 100 MB.
	MaxNodes int
}

// Runner is what the verifier needs to know of a runner's options.
type Runner struct {
	// HasHandler reports whether a phase has a handler, and HasDeadline whether it
	// has a deadline or is passed. If nil, that is not checked. They are not called for end
	// phases.
	HasHandler, HasDeadline func(itinerary, phase string) bool
	// RunsAgain reports that a new run may begin in the phase that failed: then a
	// run can be in each phase that any run enters outside cleanup itineraries with
	// all flags that the relations allow.
	RunsAgain bool
}

// RunnerOf returns what the options of a runner say. The options need not be
// complete.
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
// reaches [Warning] and is not suppressed. It is the one line that a controller
// needs in its tests:
//
//	verify.Test(t, itineraries, verify.Options{})
func Test(t TB, set *machine.Set, o Options) {
	t.Helper()
	for _, f := range Failing(Check(set, o), Warning) {
		t.Errorf("%v", f)
	}
}

// Failing returns the findings that reach the level and are not suppressed, in
// their order.
func Failing(findings []Finding, level Severity) (failing []Finding) {
	for _, f := range findings {
		if f.Suppressed == "" && f.Severity.Reaches(level) {
			failing = append(failing, f)
		}
	}
	return failing
}
