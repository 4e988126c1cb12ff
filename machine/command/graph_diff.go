package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// diffArgs accepts the two sides of --diff, and no argument without it.
func (o *graphOptions) diffArgs(cmd *cobra.Command, args []string) error {
	switch {
	case !o.diff:
		return noArguments(cmd, args)
	case len(args) != 2:
		return fmt.Errorf("--diff takes two sides to compare, each ITINERARY[@PHASE][?FLAG,...] or a file, not %d", len(args))
	}
	return nil
}

// checkDiff returns an error if another option excludes --diff.
func (o *graphOptions) checkDiff(cmd *cobra.Command) error {
	for _, option := range []string{"file", "flags", "unknown", "set", "at"} {
		if cmd.Flags().Changed(option) {
			return fmt.Errorf("--diff compares its two arguments and excludes --%s; write 'ITINERARY@PHASE?FLAG,...'", option)
		}
	}
	if err := o.checkExtent(cmd); err != nil {
		return err
	}
	return checkChoice("-o", o.format, formatText, formatDOT, formatMermaid, formatJSON, formatSVG)
}

// drawDiff returns a drawing of what differs between two sides, or nil if nothing does.
func (a *app) drawDiff(cmd *cobra.Command, o *graphOptions, args []string) (*dump.Drawing, error) {
	if err := o.checkDiff(cmd); err != nil {
		return nil, err
	}
	if len(o.itineraries) > 0 {
		if _, err := a.builtin.graph(o.itineraries[0]); err == nil {
			return nil, fmt.Errorf("--diff compares its two arguments; leave out -i %s, or give -i FILE.yaml with the itineraries of "+
				"the objects",
				o.itineraries[0])
		}
		if err := a.useCatalogue(o.itineraries); err != nil {
			return nil, err
		}
	}
	sides, err := splitSides(args)
	if err != nil {
		return nil, err
	}
	for _, side := range sides {
		if err := a.open(side); err != nil {
			return nil, err
		}
	}
	if err := o.checkSides(cmd, sides); err != nil {
		return nil, err
	}
	for _, side := range sides {
		if err := a.fill(cmd, o, side); err != nil {
			return nil, err
		}
	}
	before, after := sides[0], sides[1]
	if before.planned() || after.planned() || o.draw.OnlyRun {
		for _, side := range sides {
			if side.many() {
				return nil, fmt.Errorf(
					"%s has many runs, which compare only with many runs or an itinerary; pick one run with --name NAME[ITEM]",
					side.arg)
			}
			side.planAll()
		}
	}
	drawing, err := dump.NewDiff(o.draw, before.Side, after.Side)
	if err != nil || drawing.Same() {
		return nil, ofAround(err)
	}
	return drawing, nil
}

// diffSide is one side of --diff: objects, or itineraries, at a phase and with flags if
// these are given.
type diffSide struct {
	dump.Side
	arg          string
	source       string // arg without phase and flags
	phase, flags string
	given        bool // reports whether flags are given
	objects      bool // source is a file or a directory with objects
	named        []*machine.Graph
	ofOption     bool // named holds an itinerary of -i
}

// planned reports whether the side is a run or has flags.
func (s *diffSide) planned() bool {
	return slices.ContainsFunc(s.Itineraries, func(it dump.Itinerary) bool { return it.Plan != nil })
}

// many reports whether the side holds many runs of one object.
func (s *diffSide) many() bool {
	return slices.ContainsFunc(s.Itineraries, func(it dump.Itinerary) bool { return it.Runs != nil })
}

// planAll plans each itinerary without a plan, with all flags false.
func (s *diffSide) planAll() {
	for i := range s.Itineraries {
		if it := &s.Itineraries[i]; it.Plan == nil {
			it.Plan = it.Graph.Plan(phases.NewFacts(0, it.Graph.Vocabulary().All()))
		}
	}
}

// splitSides parses the arguments of --diff.
func splitSides(args []string) (sides []*diffSide, err error) {
	stdin := 0
	for _, arg := range args {
		s := &diffSide{Side: dump.Side{Title: streamNames([]string{arg})[0]}, arg: arg}
		if err := s.split(); err != nil {
			return nil, err
		}
		if file, _ := s.file(); file == "-" {
			stdin++
		}
		sides = append(sides, s)
	}
	if stdin > 1 {
		return nil, errors.New("both sides of --diff are standard input, which can be read only once; give a file for one")
	}
	return sides, nil
}

// split parses ITINERARY[@PHASE][?FLAG,...], unless the whole argument is a file.
func (s *diffSide) split() error {
	isFile := func(name string) bool { _, err := os.Stat(name); return err == nil || name == "-" }
	if s.source = s.arg; isFile(s.source) {
		return nil
	}
	if i := strings.LastIndexByte(s.source, '?'); i >= 0 {
		s.source, s.flags, s.given = s.source[:i], s.source[i+1:], true
	}
	if isFile(s.source) {
		return nil
	}
	if i := strings.LastIndexByte(s.source, '@'); i >= 0 {
		if s.source, s.phase = s.source[:i], s.source[i+1:]; s.phase == "" {
			return fmt.Errorf("%s: no phase follows @; name one, or leave @ out", s.arg)
		}
	}
	return nil
}

// file returns the file of the source and the itinerary that it names in it. File is empty
// if the source is the name of an itinerary.
func (s *diffSide) file() (file, name string) {
	if name, ok := strings.CutPrefix(s.source, "-#"); ok || s.source == "-" {
		return "-", strings.TrimPrefix(name, "-")
	}
	return splitItinerary(s.source)
}

// open finds the itineraries of a side, or that it holds objects. It keeps the text that it
// reads for those who read the objects.
func (a *app) open(s *diffSide) error {
	if a.in != nil {
		if g, err := a.in.graph(s.source); err == nil {
			s.named, s.ofOption = []*machine.Graph{g}, true
			return nil
		}
	}
	file, name := s.file()
	if _, err := a.builtin.graph(s.source); err == nil || file == "" {
		if err != nil && a.in != nil {
			_, err := a.in.graph(s.source)
			return err
		}
		_, s.named, err = a.namedBy(s.source)
		return err
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		s.objects = true
	} else {
		text, err := a.hold(file)
		if err != nil {
			a.problem(err)
			return errReported
		}
		if s.objects = name == "" && holdsObjects(text); !s.objects {
			stream := streamNames([]string{file})[0]
			defs, err := phases.Load(bytes.NewReader(text), stream)
			if err != nil {
				return a.content(&fileError{err})
			}
			_, s.named, err = namedOf(defs, stream, name)
			return a.content(err)
		}
	}
	if s.given || s.phase != "" {
		return fmt.Errorf("%s: flags and a phase apply to itineraries, but %s holds objects; leave them out", s.arg, s.source)
	}
	return nil
}

// checkSides returns an error if an option applies to neither side.
func (o *graphOptions) checkSides(cmd *cobra.Command, sides []*diffSide) error {
	objects := slices.ContainsFunc(sides, func(s *diffSide) bool { return s.objects })
	changed := cmd.Flags().Changed
	own := []string{"today"}
	for _, option := range o.app.catalogue.Options {
		own = append(own, option.Name)
	}
	for _, option := range own {
		if changed(option) && objects && changed("itinerary") {
			return ownObjects(option)
		}
	}
	for _, option := range append(own, "name", "state-at") {
		if changed(option) && !objects {
			return fmt.Errorf("--%s applies to objects, but both sides of --diff are itineraries; leave it out", option)
		}
	}
	if changed("itinerary") && !objects && !slices.ContainsFunc(sides, func(s *diffSide) bool { return s.ofOption }) {
		return fmt.Errorf("neither side of --diff is of -i %s; leave it out", o.itineraries[0])
	}
	return nil
}

// fill finds what to draw of a side. It prints problems with what was read.
func (a *app) fill(cmd *cobra.Command, o *graphOptions, s *diffSide) error {
	if s.objects {
		one := *o
		one.files, one.itineraries = []string{s.source}, nil
		drawn, title, err := a.drawnRecorded(cmd, &one)
		if title != "" {
			s.Title = title + " of " + s.Title
		}
		s.Itineraries = drawn
		return err
	}
	named := s.named
	if s.phase != "" {
		var err error
		if named, err = havePhase(named, s.arg, s.phase); err != nil {
			return err
		}
	}
	for _, g := range named {
		it := dump.Itinerary{Graph: g}
		if s.given || s.phase != "" {
			facts, err := parseFlags(g.Vocabulary(), s.flags)
			if err != nil {
				return fmt.Errorf("%s: %w", s.arg, err)
			}
			for _, clause := range g.Vocabulary().Broken(facts) {
				a.line("warning: %s: %s%s", s.arg, notReal, clauseText(g.Vocabulary(), clause))
			}
			if it.Plan, err = g.PlanFrom(machine.Position{Phase: s.phase}, facts); err != nil {
				return fmt.Errorf("%s: %w", s.arg, err)
			}
		}
		s.Itineraries = append(s.Itineraries, it)
	}
	return nil
}

// parseFlags parses the flags after the question mark: FLAG or FLAG=VALUE. All others are
// false.
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

// holdsObjects reports whether a text holds objects of a cluster rather than itineraries,
// judged by its first document that is not empty.
func holdsObjects(text []byte) bool {
	for len(text) > 0 {
		end := chunkEnd(text)
		chunk := withoutMarks(text[:end])
		text = text[end:]
		if body := bytes.TrimPrefix(chunk, []byte("---")); isJSON(body) {
			var head struct{ Itineraries json.RawMessage }
			err := json.NewDecoder(bytes.NewReader(body)).Decode(&head)
			if err == nil || errors.As(err, new(*json.UnmarshalTypeError)) {
				return head.Itineraries == nil
			}
		}
		var doc yaml.Node
		switch err := yaml.NewDecoder(bytes.NewReader(chunk)).Decode(&doc); {
		case onlyDirectives(chunk), err == io.EOF, err == nil && doc.Content[0].ShortTag() == "!!null":
			continue
		case err != nil:
			return false
		}
		has := func(key string) bool { return lookUp(doc.Content[0], key) != nil }
		return !has("itineraries") && (has("apiVersion") || has("kind") || has("type") || doc.Content[0].Kind != yaml.MappingNode)
	}
	return false
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
