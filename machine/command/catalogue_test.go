package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// letters is the smallest set of itineraries: one phase, no flag.
func letters(t *testing.T, names ...string) *machine.Set {
	t.Helper()
	v := phases.MustVocabulary(nil)
	var all []phases.Itinerary
	for _, name := range names {
		all = append(all, phases.Itinerary{Name: name, Vocabulary: v, Phases: []phases.Phase{{Name: "A", Step: "First"}}})
	}
	set, err := machine.CompileSet(all...)
	require.NoError(t, err)
	return set
}

// execute runs the command of a catalogue.
func execute(t *testing.T, c command.Catalogue, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = command.Execute(t.Context(), c, args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCatalogueProblems(t *testing.T) {
	set := letters(t, "Forth", "Back")
	own := func(all ...*cobra.Command) func(*command.Tool) []*cobra.Command {
		return func(*command.Tool) []*cobra.Command { return all }
	}
	cmd := func(use string, aliases ...string) *cobra.Command { return &cobra.Command{Use: use, Aliases: aliases} }
	root := cmd("root")
	child := cmd("child")
	root.AddCommand(child)
	for _, tt := range []struct {
		about string
		c     command.Catalogue
		want  []string
	}{
		{"nothing", command.Catalogue{}, []string{
			`Command is missing; give what users type, such as "upgradectl" or "kubectl upgrade"`,
			"Itineraries are missing; make them with machine.CompileSet",
		}},
		{"an empty set", command.Catalogue{Command: "x", Itineraries: new(machine.Set)}, []string{
			"Itineraries are missing; make them with machine.CompileSet",
		}},
		{"texts of several lines, or with spaces around them", command.Catalogue{
			Command: "x", Itineraries: set, Version: "1\n2", Noun: " trip", List: "kubectl get\ttrips", Kind: "Boat Trip",
		}, []string{
			`Version "1\n2" must be one line without spaces around it`,
			`Kind "Boat Trip" is not the kind of an object; give letters and digits, such as Upgrade`,
			`Noun " trip" must be one line without spaces around it`,
			`List "kubectl get\ttrips" must be one line without spaces around it`,
		}},
		{"the kind of a list", command.Catalogue{Command: "x", Itineraries: set, Kind: "TripList"}, []string{
			"Kind TripList is the kind of a list; give that of its items",
		}},
		{"switches to nowhere", command.Catalogue{Command: "x", Itineraries: set, Switches: []dump.Switch{{From: "Forth", To: "Backk"}, {}}}, []string{
			`Switches[0].To: there is no itinerary "Backk"; did you mean "Back"?`,
			`Switches[1].From: there is no itinerary ""`,
			`Switches[1].To: there is no itinerary ""`,
		}},
		{"options", command.Catalogue{Command: "x", Itineraries: set, Options: []command.Option{
			{Name: "--tides", Usage: "u"}, {Name: "moon"}, {Name: "moon", Usage: "two\nlines"}, {Name: "", Usage: "u", Instead: " "},
		}}, []string{
			`Options[0].Name "--tides" is not the name of an option; give lower-case letters, digits and single -, without dashes before it`,
			`Options[1].Usage is missing; describe what --moon does`,
			`Options[2].Name "moon" is used twice; rename one`,
			`Options[2].Usage "two\nlines" must be one line without spaces around it`,
			`Options[3].Name "" is not the name of an option; give lower-case letters, digits and single -, without dashes before it`,
			`Options[3].Instead " " must be one line without spaces around it`,
		}},
		{"options that commands have", command.Catalogue{Command: "x", Itineraries: set, Options: []command.Option{
			{Name: "file", Usage: "u"}, {Name: "help", Usage: "u"}, {Name: "fail-at", Usage: "u"}, {Name: "tides", Usage: "u"},
		}}, []string{
			"Options: plan already has an option --file; rename that of the catalogue",
			"Options: plan already has an option --help; rename that of the catalogue",
			"Options: run already has an option --fail-at; rename that of the catalogue",
		}},
		{"commands that are there, and none", command.Catalogue{
			Command: "x", Itineraries: set, Own: own(nil, cmd("plan"), cmd(""), cmd("sail", "cruise"), cmd("cruise"), cmd("help"), cmd("completion"), cmd("go", "run"), child),
		}, []string{
			"Own returns nil as command 0; remove it",
			`Own returns a command "plan", but that name is taken; rename it`,
			"Own returns command 2 without a name; set Use",
			`Own returns a command "cruise", but that name is taken; rename it`,
			`Own returns a command "help", but that name is taken; rename it`,
			`Own returns a command "completion", but that name is taken; rename it`,
			`Own returns a command "run", but that name is taken; rename it`,
			`Own returns command "child", which belongs to another command; make one for each call`,
		}},
		{"a command with an option twice", command.Catalogue{Command: "x", Itineraries: set, Own: func(tool *command.Tool) []*cobra.Command {
			sail := cmd("sail")
			sail.Flags().String("file", "", "")
			tool.RegisterObjects(sail)
			return []*cobra.Command{sail}
		}}, []string{"Own panics: sail flag redefined: file"}},
		{"an option that a command of the catalogue has", command.Catalogue{
			Command: "x", Itineraries: set, Options: []command.Option{{Name: "tides", Usage: "u"}}, Own: func(tool *command.Tool) []*cobra.Command {
				sail := cmd("sail")
				tool.RegisterObjects(sail)
				sail.Flags().String("tides", "", "")
				return []*cobra.Command{sail}
			},
		}, []string{"Options: sail already has an option --tides; rename that of the catalogue"}},
		{"help texts of no command", command.Catalogue{Command: "x", Itineraries: set, Texts: map[string]command.Text{"": {}, "plam": {}, "run": {}, "zzz": {}}}, []string{
			`Texts: there is no command "plam"; did you mean "plan"?`,
			`Texts: there is no command "zzz"`,
		}},
	} {
		t.Run(tt.about, func(t *testing.T) {
			code, stdout, stderr := execute(t, tt.c, "", "plan", "-i", "Forth")
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			assert.Equal(t, "catalogue: "+strings.Join(tt.want, "; ")+"\n", stderr)
		})
	}
}

func TestCatalogueCommandNames(t *testing.T) {
	set := letters(t, "Forth")
	for name, ok := range map[string]bool{
		"boat": true, "kubectl boat": true, "kubectl boat-trip": true, "oc adm boat": true, "boat_2.0": true,
		"": false, " ": false, " boat": false, "boat ": false, "kubectl  boat": false, "-boat": false, "boat --now": false, "boat\n": false,
		"boat;ls": false, "$boat": false, "bo\x1bat": false, "böat": false,
	} {
		code, stdout, stderr := execute(t, command.Catalogue{Command: name, Itineraries: set}, "", "--version")
		if ok {
			assert.Equal(t, 0, code, "%q: %s", name, stderr)
			assert.True(t, strings.HasPrefix(stdout, name+" "), stdout)
			continue
		}
		assert.Equal(t, 2, code, "%q", name)
		assert.Contains(t, stderr, "catalogue: Command ", "%q", name)
	}
}

// kubectl looks up a command with a dash under a name with an underscore.
func TestCompletionOfAPluginWithADash(t *testing.T) {
	c := command.Catalogue{Command: "kubectl boat-trip", Itineraries: letters(t, "Forth")}
	code, stdout, stderr := execute(t, c, "", "completion")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t,
		"#!/bin/sh\n# kubectl calls this as kubectl_complete-boat_trip to complete: kubectl boat-trip\nexec kubectl-boat_trip "+
			"__complete \"$@\"\n",
		stdout)
}

// No catalogue makes a command panic, neither an invalid one nor one with any text in any
// field.
func TestCatalogueNeverPanics(t *testing.T) {
	texts := []string{
		"", "x", "a b", "plan", "List", "\x00\n\xff\x1b[31m", "%s%!{{.}}", "--file", "<command>", strings.Repeat("long", 1000),
	}
	set := letters(t, "Forth", "{{.}}", "a b", "\x1b[31m", "plan")
	calls := [][]string{nil, {"plan", "--help"}, {"plan", "-i", "{{.}}"}, {
		"explain", "A", "-i", "Forth",
	}, {"graph", "-i", "plan"}, {"run", "-i", "a b"}, {"plan", "-f", "-"}, {"run", "-f", "-"},
		{"completion", "bash"}, {"__complete", "plan", "-i", ""}, {"help", "own"}}
	const objects = `{"kind": "x", "metadata": {"name": "n"}}
{"kind": "plan", "apiVersion": "plan"}`
	strange := errors.New("\x1b[31mstrange\n")
	for i, text := range texts {
		other := texts[(i+1)%len(texts)]
		for _, c := range []command.Catalogue{
			{Command: text, Version: other, Itineraries: set},
			{Command: "x", Itineraries: set, Version: text, Kind: text, Noun: text, List: text},
			{Command: "kubectl x", Itineraries: set, Kind: text, Noun: other, Select: func(*command.Object, string) (string, error) { return text, nil }},
			{Command: "x", Itineraries: set, Kind: "x", Select: func(*command.Object, string) (string, error) { return "", strange },
				Sources: func(*command.Object, string, *command.Objects) (*phases.Sources, error) { return nil, strange }},
			{Command: "x", Itineraries: set, Kind: "x", Sources: func(*command.Object, string, *command.Objects) (*phases.Sources, error) { return nil, nil }},
			{Command: "x", Itineraries: set, Kind: "x", Select: func(*command.Object, string) (string, error) { panic(text) }},
			{Command: "x", Itineraries: set, Kind: "x", Sources: func(*command.Object, string, *command.Objects) (*phases.Sources, error) { panic(text) }},
			{Command: "x", Itineraries: set, Kind: "x", Sources: func(*command.Object, string, *command.Objects) (*phases.Sources, error) {
				return phases.NewSources(phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "Foreign"}}))
			}},
			{Command: "x", Itineraries: set, Switches: []dump.Switch{{From: text, To: other, When: text}}},
			{Command: "x", Itineraries: set, Options: []command.Option{{Name: text, Usage: other, Instead: text}, {Name: other, Usage: text}}},
			{Command: "x", Itineraries: set, Texts: map[string]command.Text{text: {Short: text, Long: other, Example: text}, "plan": {Short: other}}},
			{Command: "x", Itineraries: set, StepNow: func(string) string { return text }, KindOf: func(string, string) (string, bool) { return text, true }},
			{Command: "x", Itineraries: set, Read: func(*command.Tool, *command.Objects) command.Reading { return command.Reading{} }},
			{Command: "x", Itineraries: set, Read: func(_ *command.Tool, all *command.Objects) command.Reading {
				r := command.Reading{Runs: []*command.Run{nil, {}}}
				for _, o := range all.List {
					r.Runs = append(r.Runs,
						&command.Run{Object: o, Itinerary: text}, &command.Run{Object: o, Itinerary: "Forth", Item: other})
				}
				return r
			}},
			{Command: "x", Itineraries: set, Own: func(*command.Tool) []*cobra.Command {
				fails := func(*cobra.Command, []string) error { return strange }
				return []*cobra.Command{nil, {Use: text}, {Use: "own", Aliases: []string{text}, Short: other, RunE: fails}}
			}},
			{Command: "x", Itineraries: set, Own: func(*command.Tool) []*cobra.Command { panic(text) }},
		} {
			for _, args := range calls {
				assert.NotPanics(t, func() {
					code, _, stderr := execute(t, c, objects, args...)
					assert.Contains(t, []int{0, 1, 2}, code)
					assert.NotContains(t, stderr, "\x1b")
					assert.NotContains(t, stderr, "<nil>", fmt.Sprintf("%q", args))
				}, "%q of %+v", args, c)
			}
		}
	}
}
