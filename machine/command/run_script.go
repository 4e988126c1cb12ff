package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// What can happen in a phase besides its work.
const (
	toFail = iota
	toCancel
	toFlip
	toChoose
)

// cue is something that an option makes happen in a phase, once.
type cue struct {
	option, value string // as given
	phase         string
	what          int
	flag          phases.Flags // to change
	to            phases.Truth
	choice        string // the target, for toChoose
	done          bool
}

// script holds the cues in the order given.
type script []*cue

// take returns the next cue of that kind for a phase and marks it as done. It returns nil
// if there is none.
func (s script) take(phase string, what int) *cue {
	for _, c := range s {
		if c.phase == phase && c.what == what && !c.done {
			c.done = true
			return c
		}
	}
	return nil
}

// open returns the number of cues that are not done.
func (s script) open() (n int) {
	for _, c := range s {
		if !c.done {
			n++
		}
	}
	return n
}

// flips returns, for each flag, the next change when a phase is done or left, and marks it
// as done.
func (s script) flips(phase string) []*cue {
	var all []*cue
	var seen phases.Flags
	for _, c := range s {
		if c.phase == phase && c.what == toFlip && !c.done && !seen.Has(c.flag) {
			c.done = true
			seen |= c.flag
			all = append(all, c)
		}
	}
	return all
}

// direct sets up the script and the following itineraries from the options. Errors are
// usage errors.
func (s *simulation) direct(o *runOptions) error {
	var err error
	if s.onFail, err = s.follower("fail", "fails", o.onFail, phases.Failed, len(o.failAt) > 0); err != nil {
		return err
	}
	if s.onCancel, err = s.follower("cancel", "is canceled", o.onCancel, phases.Canceled, o.cancelAt != ""); err != nil {
		return err
	}
	names := []string{s.itinerary}
	for _, name := range []string{s.onFail, s.onCancel} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		g, err := s.set.Graph(name)
		if err != nil {
			return err
		}
		s.graphs = append(s.graphs, g)
	}
	if g := s.graphs[0]; s.onFail == s.itinerary && !g.IsCleanup() {
		return fmt.Errorf(
			"--fail-at: itinerary %s cannot follow its own failure, because it is not a cleanup itinerary; name another with --on-fail: %s",
			s.itinerary, wording.List(without(s.set.Names(), []string{s.itinerary}), "or"))
	}
	if o.cancelAt != "" && (s.itinerary == s.onCancel || s.failing) {
		return fmt.Errorf("--cancel-at: the %s on itinerary %s cannot be canceled any more; leave it out", s.noun, s.itinerary)
	}
	for _, name := range o.failAt {
		if err := s.cue("--fail-at", name, toFail); err != nil {
			return err
		}
	}
	if o.cancelAt != "" {
		if err := s.cue("--cancel-at", o.cancelAt, toCancel); err != nil {
			return err
		}
	}
	for _, flip := range o.flipsAt {
		if err := s.cueFlip(flip); err != nil {
			return err
		}
	}
	for _, choice := range o.choose {
		if err := s.cueChoice(choice); err != nil {
			return err
		}
	}
	return nil
}

// follower returns the itinerary that follows a failure or a cancel; empty if none is
// needed.
func (s *simulation) follower(option, happens, name string, standard phases.Result, needed bool) (string, error) {
	var all []*machine.Graph
	for _, name := range s.set.Names() {
		g, _ := s.set.Graph(name) // never fails: the name is from the set
		all = append(all, g)
	}
	switch next := follows(all, standard); {
	case !needed:
		return "", nil
	case name != "":
		if _, err := s.set.Graph(name); err != nil {
			return "", fmt.Errorf("--on-%s: %w", option, err)
		}
		return name, nil
	case next == "":
		return "", fmt.Errorf("--%s-at: there is no itinerary whose result is %s to continue in; name one with --on-%s: %s", option,
			standard, option, wording.List(s.set.Names(), "or"))
	default:
		return next, nil
	}
}

// cue adds a cue for a phase to the script.
func (s *simulation) cue(option, name string, what int) error {
	phase, err := s.phase(option, name)
	if err == nil && !s.works(phase) {
		err = fmt.Errorf("%s: %s is an end phase, which does no work; name another", option, phase)
	}
	if err == nil {
		s.script = append(s.script, &cue{option: option, value: name, phase: phase, what: what})
	}
	return err
}

// phase returns the current name of a phase that an option names.
func (s *simulation) phase(option, name string) (string, error) {
	var known, itineraries []string
	for _, g := range s.graphs {
		if i, err := g.Lookup(name); err == nil {
			return g.Phase(i).Name, nil
		}
		itineraries = append(itineraries, g.Name())
		known = append(known, phaseNames(g)...)
	}
	slices.Sort(known)
	return "", fmt.Errorf("%s: itinerary %s has no phase %q%s", option, wording.List(itineraries, "or"), name,
		wording.DidYouMean(wording.Nearest(name, slices.Compact(known))))
}

func phaseNames(g *machine.Graph) []string {
	var names []string
	for i := range g.Len() {
		names = append(names, g.Phase(i).Name)
	}
	return names
}

// works reports whether a phase of that name does work in an itinerary of the run.
func (s *simulation) works(phase string) bool {
	return slices.ContainsFunc(s.graphs, func(g *machine.Graph) bool {
		i, err := g.Lookup(phase)
		return err == nil && !g.IsEnd(i)
	})
}

const (
	optionFlip   = "--flag-flips-at"
	optionChoose = "--choose"
)

// cueChoice adds a choice to the script.
func (s *simulation) cueChoice(text string) error {
	name, target, ok := cutLast(text)
	if !ok {
		return fmt.Errorf("%s takes PHASE=PHASE, the phase that chooses and the phase that follows, not %q", optionChoose, text)
	}
	phase, err := s.phase(optionChoose, name)
	if err != nil {
		return err
	}
	var choices []string
	for _, g := range s.graphs {
		i, err := g.Lookup(phase)
		if err != nil {
			continue
		}
		for _, j := range g.Phase(i).Jumps {
			if j.Choice {
				choices = append(choices, j.To)
			}
		}
	}
	if !slices.Contains(choices, target) {
		declares := "it declares no choice"
		if len(choices) > 0 {
			declares = "its choices are " + wording.List(choices, "and")
		}
		return fmt.Errorf("%s: phase %s does not have the choice to jump to %q; %s", optionChoose, phase, target, declares)
	}
	s.script = append(s.script, &cue{option: optionChoose, value: text, phase: phase, what: toChoose, choice: target})
	return nil
}

// cueFlip adds the change of a flag to the script.
func (s *simulation) cueFlip(text string) error {
	// Split from the end: the name of a phase may contain "=".
	rest, value, ok := cutLast(text)
	name, flagName, ok2 := cutLast(rest)
	to, known := map[string]phases.Truth{"true": phases.True, "false": phases.False}[value]
	if !ok || !ok2 || !known {
		return fmt.Errorf("%s takes PHASE=FLAG=true or PHASE=FLAG=false, not %q", optionFlip, text)
	}
	phase, err := s.phase(optionFlip, name)
	if err != nil {
		return err
	}
	flag, err := s.graphs[0].Vocabulary().Parse(flagName)
	if err != nil {
		return fmt.Errorf("%s: %w", optionFlip, err)
	}
	deciders := deciders(s.graphs, flag)
	if !slices.Contains(deciders, phase) {
		return fmt.Errorf("%s: phase %s does not decide %s; %s", optionFlip, phase, flagName, whoDoes(deciders))
	}
	s.script = append(s.script, &cue{option: optionFlip, value: text, phase: phase, what: toFlip, flag: flag, to: to})
	return nil
}

func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, '=')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// deciders returns the phases that decide one of the flags.
func deciders(all []*machine.Graph, flags phases.Flags) []string {
	var names []string
	for _, g := range all {
		for i := range g.Len() {
			if p := g.Phase(i); p.Decides&flags != 0 && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func whoDoes(deciders []string) string {
	switch len(deciders) {
	case 0:
		return "no phase does: it is evaluated once, at the beginning; give its value with --flags or --set"
	case 1:
		return deciders[0] + " does"
	}
	return wording.List(deciders, "and") + " do"
}

// missed returns an error for each cue that had no effect because its phase did not run.
func (s *simulation) missed() []error {
	var all []error
	for _, c := range s.script {
		if c.done {
			continue
		}
		again := ""
		if s.ran[c.phase] {
			again = " again"
		}
		err := fmt.Errorf("%s %s had no effect: phase %s did not run%s", c.option, c.value, c.phase, again)
		g := s.graphs[0]
		if i, find := g.Lookup(c.phase); find == nil && again == "" {
			if why := g.Plan(s.facts).Why(i); why != nil {
				err = fmt.Errorf("%w: it %s", err, whyText(why))
			}
		}
		all = append(all, err)
	}
	return all
}
