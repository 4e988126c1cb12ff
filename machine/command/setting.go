package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// settings are the values of --set. They override the flags of objects and of --flags.
type settings struct {
	flags phases.Flags // all that are set
	facts phases.Facts // without those that are set to unknown
	// quiet suppresses the note about what else changes; --diff shows it anyway.
	quiet bool
}

var errSetUnknown = errors.New("it is set to unknown with --set")

// registerSet adds --set to a command.
func registerSet(cmd *cobra.Command, set *[]string, how completion) {
	cmd.Flags().StringArrayVar(set, "set", nil,
		"give a flag another value and what follows from it by the "+
			"relations: `FLAG=VALUE`, with VALUE true, false or unknown; can be repeated")
	complete(cmd, "set", how)
}

// parseSettings parses the values of --set: "A=true", or several separated by commas. If a
// flag is set twice, the later value counts.
func parseSettings(v *phases.Vocabulary, values []string) (settings, error) {
	var s settings
	var all []string
	for _, value := range values {
		some := names([]string{value})
		if len(some) == 0 {
			some = []string{value} // an empty value, refused below
		}
		all = append(all, some...)
	}
	for _, text := range all {
		name, value, ok := cutLast(text)
		to, known := truthOf(value)
		if !ok || !known {
			return s, fmt.Errorf("--set takes FLAG=true, FLAG=false or FLAG=unknown, not %q", text)
		}
		flag, err := v.Parse(name)
		if err != nil {
			return s, fmt.Errorf("--set: %w", err)
		}
		s.flags |= flag
		s.facts = s.facts.Set(flag, to)
	}
	return s, nil
}

// over returns f with the settings and what follows from them. Relations are propagated
// first from the settings alone, then to the flags that are still unknown. Forced holds the
// flags that follow from the settings alone.
func (s settings) over(v *phases.Vocabulary, f phases.Facts) (out, forced phases.Facts) {
	if s.flags == 0 {
		return f, phases.Facts{}
	}
	open := s.flags &^ s.facts.Known()
	forced = v.Propagate(s.facts, open)
	out = f.Set(forced.True(), phases.True).Set(forced.False(), phases.False).Forget(open)
	return v.Propagate(out, open), forced
}

// evaluate evaluates the sources of flags that are not known, with the settings in place of
// their results. Computed flags follow the settings, even if they are known.
func (s settings) evaluate(ctx context.Context, sources *phases.Sources, known phases.Facts) phases.Evaluation {
	v := sources.Vocabulary()
	q := phases.Request{Known: known, Read: v.All()}
	if s.flags == 0 {
		return sources.Evaluate(ctx, q)
	}
	_, forced := s.over(v, phases.Facts{})
	set := s.flags | forced.Known()
	q.Known = known.Forget(set|sources.Computed(set)).Set(forced.True(), phases.True).Set(forced.False(), phases.False)
	var all []phases.Source
	for _, source := range sources.All() {
		if flag := source.Flag; s.flags.Has(flag) && s.facts.Of(flag) == phases.Unknown {
			source = phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				return phases.Unknown, errSetUnknown
			}}
		}
		all = append(all, source)
	}
	unset, err := phases.NewSources(v, all...)
	if err != nil {
		unset = sources // cannot happen: the sources only depend on less
	}
	answer := unset.Evaluate(ctx, q)
	answer.Facts, _ = s.over(v, answer.Facts)
	return answer
}

// and returns the settings combined with later ones, which win.
func (s settings) and(later settings) settings {
	return settings{
		flags: s.flags | later.flags,
		facts: s.facts.Forget(later.flags).Set(later.facts.True(), phases.True).Set(later.facts.False(), phases.False),
		quiet: s.quiet,
	}
}

// reasons returns why each unknown flag is unknown: a setting, or else otherwise.
func (s settings) reasons(v *phases.Vocabulary, f phases.Facts, otherwise error) (all []*phases.FlagError) {
	for flag := range (v.All() &^ f.Known()).Each {
		why := otherwise
		if s.flags.Has(flag) {
			why = errSetUnknown
		}
		all = append(all, &phases.FlagError{Flag: v.Names(flag)[0], Err: why})
	}
	return all
}

// notReal is the prefix of the warning about a broken relation.
const notReal = "no run has these flags: "

// warnBroken warns of each relation that a change breaks.
func (a *app) warnBroken(v *phases.Vocabulary, before, after phases.Facts, wrong func(error) error) {
	for _, clause := range v.Broken(after) {
		if !clause.Broken(before) {
			a.line("warning: %v", wrong(errors.New(notReal+clauseText(v, clause))))
		}
	}
}

// truthOf parses a value of --set.
func truthOf(word string) (t phases.Truth, ok bool) {
	t, ok = map[string]phases.Truth{"true": phases.True, "false": phases.False, "unknown": phases.Unknown}[word]
	return t, ok
}

// truthWord formats a value as --set takes it.
func truthWord(t phases.Truth) string {
	return map[phases.Truth]string{phases.True: "true", phases.False: "false", phases.Unknown: "unknown"}[t]
}

// noteChanges prints the flags that --set changes besides those that it names.
func (a *app) noteChanges(v *phases.Vocabulary, s settings, before, after phases.Facts, wrong func(error) error) {
	if s.quiet {
		return
	}
	var changes []string
	for flag := range (v.All() &^ s.flags).Each {
		if now := after.Of(flag); now != before.Of(flag) {
			changes = append(changes, v.Names(flag)[0]+"="+truthWord(now))
		}
	}
	if len(changes) > 0 {
		a.line("note: %v", wrong(errors.New("--set also changes "+wording.List(changes, "and"))))
	}
}

// completeSettingsOf completes FLAG=VALUE with the flags of the first itinerary.
func completeSettingsOf(all []*machine.Graph, begun string) ([]string, cobra.ShellCompDirective) {
	if len(all) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	v := all[0].Vocabulary() // they share one
	before, last := "", begun
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before, last = begun[:i+1], begun[i+1:]
	}
	var offered []string
	for _, flag := range v.Names(v.All()) {
		if !strings.Contains(last, "=") {
			offered = append(offered, flag+"=")
			continue
		}
		offered = append(offered, flag+"=true", flag+"=false", flag+"=unknown")
	}
	offered = prefixed(offered, last)
	for i := range offered {
		offered[i] = before + offered[i]
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if !strings.Contains(last, "=") {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return offered, directive
}
