package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// filter selects some of the runs that were read.
type filter struct {
	names     []string // runs that have one of these names
	itinerary string   // runs that are on it
	step      string   // runs that show it, or may; its current name
}

// registerFilter adds --name and --itinerary-name to a command.
func (s *subject) registerFilter(cmd *cobra.Command) {
	s.registerNames(cmd)
	cmd.Flags().StringVar(&s.filter.itinerary, "itinerary-name", "", "with -f, only those on that `ITINERARY`")
	complete(cmd, "itinerary-name", s.completeSet)
}

// registerNames adds --name to a command.
func (s *subject) registerNames(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.filter.names, "name", nil,
		"with -f, only the "+s.app.noun()+" of that `NAME`, NAMESPACE/NAME or NAME[ITEM], and KIND/NAME if objects of several kinds "+
			"have that name; can be repeated")
	complete(cmd, "name", cobra.NoFileCompletions)
}

// registerRuns adds --runs to a command.
func (s *subject) registerRuns(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.filter.step, "runs", "", "with -f, only those that run the `STEP`, or may run it, by the flags known now")
	complete(cmd, "runs", s.completeSteps)
}

// checkFilter returns an error if a filter is given without objects, or with a name that no
// itinerary has.
func (a *app) checkFilter(cmd *cobra.Command, s *subject, itineraries []*machine.Graph) error {
	for _, option := range []string{"name", "itinerary-name", "runs"} {
		switch {
		case !cmd.Flags().Changed(option):
		case len(s.files) == 0:
			return fmt.Errorf("--%s needs -f; with -i alone there is no %s to choose", option, a.noun())
		case cmd.Flags().Lookup(option).Value.String() == "":
			return fmt.Errorf("--%s needs a value", option)
		}
	}
	f := &s.filter
	if f.itinerary != "" {
		if _, err := a.objectsFamily().graph(f.itinerary); err != nil {
			return fmt.Errorf("--itinerary-name: %w", err)
		}
	}
	if f.step == "" {
		return nil
	}
	q := question{name: f.step, stepNow: a.stepNow(f.step), step: true}
	if !q.known(itineraries) {
		return fmt.Errorf("--runs: no itinerary has a step %q%s", f.step, wording.DidYouMean(wording.Nearest(f.step, q.names(itineraries))))
	}
	if !slices.ContainsFunc(itineraries, func(g *machine.Graph) bool { return g.StepIndex(f.step) >= 0 }) {
		f.step = q.stepNow
	}
	return nil
}

// chosen returns the runs that match --name and --itinerary-name. A name that no run has is
// an error.
func (a *app) chosen(all *reading, f *filter) ([]*Run, error) {
	for _, name := range f.names {
		if !slices.ContainsFunc(all.Runs, func(r *Run) bool { return r.is(name) }) {
			return nil, a.noRunNamed(all, name)
		}
	}
	var runs []*Run
	for _, r := range all.Runs {
		named := f.names == nil || slices.ContainsFunc(f.names, r.is)
		if named && (f.itinerary == "" || r.Itinerary == f.itinerary) {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// noRunNamed returns the error of a name that no run has.
func (a *app) noRunNamed(all *reading, name string) error {
	var known []string
	for _, r := range all.Runs {
		known = append(known, r.name())
	}
	if len(known) == 0 && a.failed {
		return errReported // no run was read, which is reported
	}
	for _, o := range all.objects.List {
		if a.failed && (name == o.Ref.Name || name == o.Ref.String()) {
			a.problem(fmt.Errorf("%s has no run that could be read", o))
			return errReported
		}
	}
	what := a.noun()
	if a.isBuiltin() && a.catalogue.Kind != "" {
		what = a.catalogue.Kind
	}
	return fmt.Errorf("there is no %s %q%s", what, name, wording.DidYouMean(wording.Nearest(name, known)))
}

// admits reports whether a run matches --runs.
func (f *filter) admits(p *planned) bool {
	return f.step == "" || slices.Contains(p.steps(), f.step) || slices.Contains(p.maybeSteps(), f.step)
}

// String describes the runs that match, for the message that there are none.
func (f *filter) String() string {
	var all []string
	if f.names != nil {
		all = append(all, "has the name "+wording.List(f.names, "or"))
	}
	if f.itinerary != "" {
		all = append(all, "is on the itinerary "+f.itinerary)
	}
	if f.step != "" {
		all = append(all, "runs the step "+f.step)
	}
	return strings.Join(all, " and ")
}

// count formats a number of runs.
func (a *app) count(n int) string {
	return fmt.Sprintf("%d %s", n, plural(a.noun(), n))
}

// errDiffNeedsSet is the error of --diff without --set.
var errDiffNeedsSet = errors.New("--diff needs --set FLAG=VALUE, whose effect it shows")
