package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// diffArgs takes the two sides of --diff, and no argument without it.
func (o *graphOptions) diffArgs(cmd *cobra.Command, args []string) error {
	switch {
	case !o.diff:
		return noArguments(cmd, args)
	case len(args) != 2:
		return fmt.Errorf("--diff takes two sides to compare, each ITINERARY[@PHASE][?FLAG,...] or a file, not %d", len(args))
	}
	return nil
}

// checkDiff refuses options that do not go with --diff.
func (o *graphOptions) checkDiff(cmd *cobra.Command) error {
	for _, option := range []string{"file", "flags", "unknown", "set", "at", "whole"} {
		if f := cmd.Flags().Lookup(option); f != nil && f.Changed {
			return fmt.Errorf("--diff takes what it compares as two arguments, and excludes --%s; write 'ITINERARY@PHASE?FLAG,...'", option)
		}
	}
	if err := o.checkExtent(cmd); err != nil {
		return err
	}
	return checkChoice("-o", o.format, formatText, formatDOT, formatMermaid, formatJSON, formatSVG)
}

// drawDiff draws what differs between two sides; nil if nothing does.
func (a *app) drawDiff(cmd *cobra.Command, o *graphOptions, args []string) (*dump.Drawing, error) {
	if err := o.checkDiff(cmd); err != nil {
		return nil, err
	}
	if len(o.itineraries) > 0 {
		if _, err := a.builtin.graph(o.itineraries[0]); err == nil {
			return nil, fmt.Errorf("--diff takes what it compares as two arguments; leave out -i %s, or give -i FILE.yaml with the itineraries of the objects",
				o.itineraries[0])
		}
		if err := a.useCatalogue(o.itineraries); err != nil {
			return nil, err
		}
	}
	var sides [2]diffSide
	for i, arg := range args {
		side, err := a.diffSide(cmd, o, arg)
		if err != nil {
			return nil, err
		}
		sides[i] = side
	}
	planned := sides[0].planned() || sides[1].planned() || o.draw.OnlyRun
	for i := range sides {
		if planned {
			sides[i].planAll()
		}
	}
	drawing, err := dump.NewDiff(o.draw, sides[0].Side, sides[1].Side)
	if err != nil || drawing.Same() {
		return nil, ofAround(err)
	}
	return drawing, nil
}

// diffSide is one side of --diff.
type diffSide struct{ dump.Side }

// planned reports whether it is about a run or a set of flags.
func (s *diffSide) planned() bool {
	return slices.ContainsFunc(s.Itineraries, func(it dump.Itinerary) bool { return it.Plan != nil })
}

// planAll plans what is not planned with all flags false.
func (s *diffSide) planAll() {
	for i := range s.Itineraries {
		if it := &s.Itineraries[i]; it.Plan == nil && it.Runs == nil {
			it.Plan = it.Graph.Plan(phases.NewFacts(0, it.Graph.Vocabulary().All()))
		}
	}
}

// diffSide reads one side: a run of a file of objects, or itineraries, at a phase
// and with flags if these are given.
func (a *app) diffSide(cmd *cobra.Command, o *graphOptions, arg string) (diffSide, error) {
	source, phase, flags, given := splitSide(arg)
	if phase == "" && !given && isObjects(source) {
		one := *o
		one.files, one.itineraries = []string{source}, nil
		drawn, title, err := a.drawnRecorded(cmd, &one)
		if title != "" {
			title += " of " + source
		}
		return diffSide{dump.Side{Title: title, Itineraries: drawn}}, err
	}
	_, named, err := a.namedBy(source)
	if err != nil {
		return diffSide{}, a.content(err)
	}
	side := diffSide{dump.Side{Title: arg}}
	if phase != "" {
		if named, err = havePhase(named, arg, phase); err != nil {
			return diffSide{}, err
		}
	}
	for _, g := range named {
		it := dump.Itinerary{Graph: g}
		if given || phase != "" {
			facts, err := parseFlags(g.Vocabulary(), flags)
			if err != nil {
				return diffSide{}, fmt.Errorf("%s: %w", arg, err)
			}
			for _, clause := range g.Vocabulary().Broken(facts) {
				a.line("warning: %s: %s%s", arg, a.notReal(), clauseText(g.Vocabulary(), clause))
			}
			if it.Plan, err = g.PlanFrom(machine.Position{Phase: phase}, facts); err != nil {
				return diffSide{}, fmt.Errorf("%s: %w", arg, err)
			}
		}
		side.Itineraries = append(side.Itineraries, it)
	}
	return side, nil
}

// splitSide takes ITINERARY[@PHASE][?FLAG,...] apart, unless all of it is a file.
func splitSide(arg string) (source, phase, flags string, given bool) {
	isFile := func(name string) bool { _, err := os.Stat(name); return err == nil }
	if source = arg; isFile(source) {
		return source, "", "", false
	}
	if i := strings.LastIndexByte(source, '?'); i >= 0 {
		source, flags, given = source[:i], source[i+1:], true
	}
	if isFile(source) {
		return source, "", flags, given
	}
	if i := strings.LastIndexByte(source, '@'); i >= 0 {
		source, phase = source[:i], source[i+1:]
	}
	return source, phase, flags, given
}

// parseFlags reads the flags behind the question mark: FLAG or FLAG=VALUE; all
// others are false.
func parseFlags(v *phases.Vocabulary, text string) (phases.Facts, error) {
	facts := phases.NewFacts(0, v.All())
	for _, one := range names([]string{text}) {
		name, value, ok := cutLast(one)
		if !ok {
			name, value = one, "true"
		}
		flag, err := v.Parse(name)
		if err != nil {
			return facts, err
		}
		to, known := truthOf(value)
		if !known {
			return facts, fmt.Errorf("%s is true, false or unknown, not %q", name, value)
		}
		facts = facts.Forget(flag).Set(flag, to)
	}
	return facts, nil
}

// isObjects reports whether a file holds objects of a cluster, not itineraries.
func isObjects(file string) bool {
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return err == nil // a directory holds objects
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	var head struct {
		APIVersion string    `yaml:"apiVersion"`
		Kind       string    `yaml:"kind"`
		Type       string    `yaml:"type"`
		Phases     yaml.Node `yaml:"itineraries"`
	}
	err = yaml.NewDecoder(bytes.NewReader(text)).Decode(&head)
	var wrongType *yaml.TypeError
	return head.Phases.IsZero() && (head.APIVersion+head.Kind+head.Type != "" || errors.As(err, &wrongType))
}

// useCatalogue takes the itineraries of the objects from the one file that -i names.
func (a *app) useCatalogue(args []string) error {
	if len(args) > 1 {
		return errors.New("-i with objects is the file of their itineraries; give one of " + wording.List(args, "and"))
	}
	f, err := a.catalogueOf(args[0])
	if err != nil {
		return a.content(err)
	}
	a.in = f
	return nil
}
