package verify_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func TestFixKeepsTheRestOfTheFile(t *testing.T) {
	for _, c := range []struct{ about, text, want string }{
		{"lists in brackets", `# a file
flags: [{name: A}, {name: B}, {name: C}] # all flags
relations: [["!A", B]] # one
itineraries:
- name: X
  phases:
  - {name: P, step: S, all: [A, B], none: [ C ]} # P
  - {name: Q,   step: S, any: [ B , A ]}
  - {name: R, step: S, all: [A], steps: [{step: T, all: [C], any: [C]}], jumps: [{all: [B, A], to: Q}]}
`, `# a file
flags: [{name: A}, {name: B}, {name: C}] # all flags
relations: [["!A", B]] # one
itineraries:
- name: X
  phases:
  - {name: P, step: S, all: [A], none: [ C ]} # P
  - {name: Q,   step: S, any: [ B ]}
  - {name: R, step: S, all: [A], steps: [{step: T, all: [C]}], jumps: [{all: [A], to: Q}]}
`},
		{"lists with dashes", `flags:
# the first
- name: A
# the second
- name: B
  description: >-
    it is long,
    very long
# the third
- name: C
  live: true

relations:
- ["!A", C] # kept
- - "!B"
  - "!A"
  # or else
  - C
itineraries:
- name: X
  phases:
  - all:
    - A # why A
    - C # why C
    name: P
    decides: [B]
    step: S
  - all: [C]
    any: # both
    # this one
    - C
    # and that one
    - A
    name: Q
    step: S
    decides:
      - B
      - A
# the end
`, `flags:
# the first
- name: A
# the second
# the third
- name: C
  live: true

relations:
- ["!A", C] # kept
itineraries:
- name: X
  phases:
  - all:
    - A # why A
    name: P
    step: S
  - all: [C]
    name: Q
    step: S
    decides:
      - A
# the end
`},
		{"one entry a line, in brackets", `flags: [
  {name: A}, # a
  # before b
  {name: B}, # b
  {name: C}
]
itineraries:
- name: X
  phases:
  - {name: P, step: S, all: [
      A, # why A
      C], any: [C,
      # why A again
      A]}
  - {any: [A], all: [A], name: Q, step: S}
...
`, `flags: [
  {name: A}, # a
  # before b
  {name: C}
]
itineraries:
- name: X
  phases:
  - {name: P, step: S, all: [
      A, # why A
      C]}
  - {all: [A], name: Q, step: S}
...
`},
		{"lines that look like comments", `flags:
- name: X
  description: |
    of several lines
    # no comment
  # before A
- name: A
- name: Y
  description: "of several
    # lines"
# before B
- name: B
- name: Z
  description: >2
      far in

    # no comment
 # before the itineraries
itineraries: [{name: One, phases: [{name: P, step: S, all: [A, B]}]}]
`, `flags:
  # before A
- name: A
# before B
- name: B
 # before the itineraries
itineraries: [{name: One, phases: [{name: P, step: S, all: [A, B]}]}]
`},
		{"the only flag", "flags:\n- name: A\nrelations:\n- [A]\nitineraries: [{name: X, phases: [{name: \"it's, [P]\", decides: [A], step: 'S''s'}]}]\n",
			"itineraries: [{name: X, phases: [{name: \"it's, [P]\", step: 'S''s'}]}]\n"},
		{"a loop that would not compile without the guard", `flags: [{name: A}]
relations: [["!A"]]
itineraries:
- name: X
  phases:
  - {name: P, step: S, jumps: [{to: P, none: [A]}]}
- name: Y
  phases:
  - {name: P, step: S, none: [A]}
`, `flags: [{name: A}]
relations: [["!A"]]
itineraries:
- name: X
  phases:
  - {name: P, step: S, jumps: [{to: P, none: [A]}]}
- name: Y
  phases:
  - {name: P, step: S}
`},
		{"a flag by which others are related", `flags: [{name: A}, {name: B}, {name: C}]
relations: [["!A", B], ["!B", C]]
itineraries: [{name: X, phases: [{name: P, step: S, all: [A, C]}, {name: Q, step: S, any: [C]}]}]
`, `flags: [{name: A}, {name: B}, {name: C}]
relations: [["!A", B], ["!B", C]]
itineraries: [{name: X, phases: [{name: P, step: S, all: [A]}, {name: Q, step: S, any: [C]}]}]
`},
		{"a suppressed finding", `flags: [{name: A}]
itineraries: [{name: X, phases: [{name: P, step: S}]}]
suppress: [{rule: flag-never-read, flag: A, reason: a source needs it}]
`, ""},
		{"nothing", "itineraries: [{name: X, phases: [{name: P, step: S}]}]\n", ""},
	} {
		for about, text := range map[string]string{
			"": c.text, ", with CRLF": strings.ReplaceAll(c.text, "\n", "\r\n"), ", with a BOM": "\ufeff" + c.text,
		} {
			t.Run(c.about+about, func(t *testing.T) {
				if c.want == "" {
					c.want = c.text
				}
				s, graphs := loadGraphs(t, text)
				got, fixed, err := s.Fix(verify.CheckGraphs(graphs, verify.Options{Source: s}))
				require.NoError(t, err)
				want := strings.ReplaceAll(strings.TrimPrefix(string(got), "\ufeff"), "\r\n", "\n")
				assert.Empty(t, cmp.Diff(c.want, want), "-want +got")
				assert.Equal(t, c.want != c.text, len(fixed) > 0)
				assert.Equal(t, strings.HasPrefix(text, "\ufeff"), bytes.HasPrefix(got, []byte("\ufeff")))
			})
		}
	}
}

// loadGraphs is load for itineraries that do not form a set.
func loadGraphs(t testing.TB, text string) (*verify.Source, []*machine.Graph) {
	t.Helper()
	s, err := verify.Load(strings.NewReader(text), "f.yaml")
	require.NoError(t, err, "%s", text)
	var graphs []*machine.Graph
	for _, it := range s.File().Itineraries {
		g, err := machine.Compile(it)
		require.NoError(t, err, "%s", text)
		graphs = append(graphs, g)
	}
	return s, graphs
}

// For every assignment the same phases run in the same order, and only fixes that would
// change that remain.
func TestFixChangesNoPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	fixes := 0
	for range 80 {
		g := generated(r)
		it := phases.Itinerary{Name: g.Name(), Vocabulary: g.Vocabulary()}
		for i := range g.Len() {
			p := g.Phase(i)
			if p.Guard.All != 0 && r.IntN(2) == 0 {
				p.Guard.Any |= p.Guard.All // redundant
			}
			if r.IntN(3) == 0 {
				p.Description = "makes the phase span several lines"
			}
			it.Phases = append(it.Phases, p)
		}
		var text bytes.Buffer
		require.NoError(t, phases.Save(&text, &phases.File{Vocabulary: it.Vocabulary, Itineraries: []phases.Itinerary{it}}))
		s, graphs := loadGraphs(t, text.String())
		findings := verify.CheckGraphs(graphs, verify.Options{Source: s})
		got, fixed, err := s.Fix(findings)
		require.NoError(t, err, "%s", text.String())
		fixes += len(fixed)

		again, after := loadGraphs(t, string(got))
		for f := range itinerarytest.Assignments {
			if len(it.Vocabulary.Broken(f)) > 0 {
				continue
			}
			names, v := it.Vocabulary.Names(f.True()), after[0].Vocabulary()
			var yes phases.Flags
			for _, name := range names {
				flag, _ := v.Lookup(name)
				yes |= flag
			}
			same := phases.NewFacts(yes, v.All()&^yes)
			require.Empty(t, v.Broken(same))
			require.Equal(t, graphs[0].Plan(f).Running(), after[0].Plan(same).Running(), "%s\n%s", text.String(), got)
		}
		left := verify.CheckGraphs(after, verify.Options{Source: again})
		_, more, err := again.Fix(left)
		require.NoError(t, err)
		for _, one := range more { // a flag that was read only by guards that no longer have it
			require.Equal(t, verify.FlagNeverRead, one.Rule, "%s\n%s", text.String(), got)
		}
	}
	require.Greater(t, fixes, 50)
}

func TestFixOfAVeryLargeFile(t *testing.T) {
	var text strings.Builder
	text.WriteString("flags: [{name: A}, {name: B}]\nrelations: [[\"!A\", B]]\nitineraries: [{name: X, phases: [")
	for i := range phases.MaxFilePhases - 1 {
		fmt.Fprintf(&text, "{name: P%d, step: S, all: [A, B]}, ", i)
	}
	text.WriteString("{name: Q, step: S, all: [B]}]}]\n")
	s, graphs := loadGraphs(t, text.String())
	got, fixed, err := s.Fix(verify.CheckGraphs(graphs, verify.Options{Source: s}))
	require.NoError(t, err)
	assert.Len(t, fixed, phases.MaxFilePhases-1)
	assert.Equal(t, strings.ReplaceAll(text.String(), "[A, B]", "[A]"), string(got))
}

func TestFixRefusesAnAmbiguousLayout(t *testing.T) {
	s, graphs := loadGraphs(t, "flags: [{name: A}]\nitineraries:\n- name: X\n  phases:\n"+
		"  - any: [A]\n    # it is A\n    all: [A]\n    name: P\n    step: S\n")
	_, _, err := s.Fix(verify.CheckGraphs(graphs, verify.Options{Source: s}))
	var refused *verify.FixError
	require.ErrorAs(t, err, &refused)
	assert.EqualError(t, err, "f.yaml:5: the entry to remove cannot be separated from the text around it; remove it by hand")
}
