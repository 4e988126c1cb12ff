package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
)

// completion is a function with which the shell completes. Cobra has a type for it only
// since a release that needs a newer pflag than controller-runtime does, and embedders
// would inherit that dependency.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// complete sets how the shell completes the value of an option.
func complete(cmd *cobra.Command, option string, how completion) {
	if err := cmd.RegisterFlagCompletionFunc(option, how); err != nil {
		panic(err) // the option was just defined
	}
}

func fixed(choices ...string) completion {
	return cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
}

// completeItinerary offers the built-in names, or after "#" those in a file; the shell adds
// files.
func (a *app) completeItinerary(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	if file, _, ok := strings.Cut(begun, "#"); ok {
		var names []string
		if defs, err := loadFile(file); err == nil {
			for _, it := range defs.Itineraries {
				names = append(names, file+"#"+it.Name)
			}
		}
		return prefixed(names, begun), cobra.ShellCompDirectiveNoFileComp
	}
	return prefixed(a.builtin.names(), begun), cobra.ShellCompDirectiveDefault
}

// completeFlags completes the last of several flags.
func (s *subject) completeFlags(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return s.completeFlagsOf(s.offered(), begun)
}

// completeFlagsOf offers the flags of the first itinerary.
func (s *subject) completeFlagsOf(all []*machine.Graph, begun string) ([]string, cobra.ShellCompDirective) {
	before, last := "", begun
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before, last = begun[:i+1], begun[i+1:]
	}
	taken := append(names(s.flags), names(append(s.unknown, before))...)
	var offered []string
	if len(all) > 0 {
		v := all[0].Vocabulary() // they share one
		for _, flag := range prefixed(v.Names(v.All()), last) {
			if !slices.Contains(taken, flag) {
				offered = append(offered, before+flag)
			}
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeSettings completes the value of --set.
func (s *subject) completeSettings(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return completeSettingsOf(s.offered(), begun)
}

// completeSteps completes the name of a step in any itinerary that a run can be on.
func (s *subject) completeSteps(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return prefixed(question{step: true}.names(s.beside()), begun), cobra.ShellCompDirectiveNoFileComp
}

// completeNames completes the name of a phase, a step or a flag.
func (s *subject) completeNames(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	only := func(option string) bool { return cmd.Flags().Changed(option) }
	all := !only(kindPhase) && !only(kindStep) && !only(kindFlag)
	q := question{phase: all || only(kindPhase), step: all || only(kindStep), flag: all || only(kindFlag)}
	return prefixed(q.names(s.offered()), begun), cobra.ShellCompDirectiveNoFileComp
}

// completePhases completes the name of a phase in any itinerary that a run can be on.
func (s *subject) completePhases(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return prefixed(question{phase: true}.names(s.beside()), begun), cobra.ShellCompDirectiveNoFileComp
}

// completeSet completes the name of an itinerary defined beside that of -i.
func (s *subject) completeSet(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, g := range s.beside() {
		names = append(names, g.Name())
	}
	return prefixed(names, begun), cobra.ShellCompDirectiveNoFileComp
}

// completeFlips completes PHASE=FLAG=VALUE, one part at a time.
func (s *subject) completeFlips(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var parts, whole []string
	for _, g := range s.beside() {
		for i := range g.Len() {
			p := g.Phase(i)
			for _, flag := range g.Vocabulary().Names(p.Decides) {
				parts = append(parts, p.Name+"=", p.Name+"="+flag+"=")
				whole = append(whole, p.Name+"="+flag+"=true", p.Name+"="+flag+"=false")
			}
		}
	}
	// Only the part that comes next.
	equals := strings.Count(begun, "=")
	parts = slices.DeleteFunc(prefixed(parts, begun), func(p string) bool { return strings.Count(p, "=") != equals+1 })
	if len(parts) > 0 {
		return unique(parts), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return unique(prefixed(whole, begun)), cobra.ShellCompDirectiveNoFileComp
}

// completeChoices completes PHASE=PHASE.
func (s *subject) completeChoices(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var whole []string
	for _, g := range s.beside() {
		for i := range g.Len() {
			for _, j := range g.Phase(i).Jumps {
				if j.Choice {
					whole = append(whole, g.Phase(i).Name+"="+j.To)
				}
			}
		}
	}
	return unique(prefixed(whole, begun)), cobra.ShellCompDirectiveNoFileComp
}

// unique removes repeated names and keeps the first of each.
func unique(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// beside returns the itinerary of -i and all that are defined beside it, or the built-in
// ones.
func (s *subject) beside() []*machine.Graph {
	if s.itinerary == "" {
		return s.app.builtin.graphs
	}
	f, _, err := s.app.namedBy(s.itinerary)
	if err != nil {
		return nil
	}
	return f.graphs
}

// offered returns the itineraries whose names are completed: that of -i, or the built-in
// ones.
func (s *subject) offered() []*machine.Graph {
	if s.itinerary == "" {
		return s.app.builtin.graphs
	}
	_, named, err := s.app.namedBy(s.itinerary)
	if err != nil {
		return nil
	}
	return named
}

func prefixed(names []string, begun string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, begun) })
}
