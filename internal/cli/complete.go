package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
)

// complete says how the shell completes the value of an option.
func complete(cmd *cobra.Command, option string, how cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(option, how); err != nil {
		panic(err) // the option was just defined
	}
}

func fixed(choices ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
}

// completeItinerary offers the names that are built in, or those in a file
// behind "#"; the shell adds files.
func completeItinerary(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	if file, _, ok := strings.Cut(begun, "#"); ok {
		var names []string
		if defs, err := loadFile(file); err == nil {
			for _, it := range defs.Itineraries {
				names = append(names, file+"#"+it.Name)
			}
		}
		return prefixed(names, begun), cobra.ShellCompDirectiveNoFileComp
	}
	return prefixed(builtin().Names(), begun), cobra.ShellCompDirectiveDefault
}

// completeFlags completes the last of several flags.
func (s *subject) completeFlags(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	before, last := "", begun
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before, last = begun[:i+1], begun[i+1:]
	}
	taken := append(names(s.flags), names(append(s.unknown, before))...)
	var offered []string
	if all := s.offered(); len(all) > 0 {
		v := all[0].Flags() // one for all
		for _, flag := range prefixed(v.Names(v.All()), last) {
			if !slices.Contains(taken, flag) {
				offered = append(offered, before+flag)
			}
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeNames completes the name of a phase or a step.
func (s *subject) completeNames(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	only := func(option string) bool { return cmd.Flags().Changed(option) }
	q := question{phase: !only("step"), step: !only("phase")}
	return prefixed(q.names(s.offered()), begun), cobra.ShellCompDirectiveNoFileComp
}

// offered are the itineraries from which completion takes names: that of -i,
// or those that are built in.
func (s *subject) offered() []*machine.Graph {
	wanted := builtin().Names()
	if s.itinerary != "" {
		wanted = []string{s.itinerary}
	}
	var all []*machine.Graph
	for _, name := range wanted {
		if g, err := itineraryOf(name); err == nil {
			all = append(all, g)
		}
	}
	return all
}

func prefixed(names []string, begun string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, begun) })
}
