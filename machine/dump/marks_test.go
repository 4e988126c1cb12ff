package dump

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A coverage takes the place of a plan: each phase and transition has a mark in every
// format, and the sums are below the heading.
func TestCoverageMarks(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "A"}})
	g := machine.MustCompile(phases.Itinerary{Name: "Main", Vocabulary: v, Phases: []phases.Phase{
		{Name: "One", Step: "S"}, {Name: "Two", Step: "S", Guard: phases.Guard{All: 1}},
		{Name: "Three", Step: "S", Guard: phases.Guard{All: 1}}, {Name: "Four", Step: "S"},
	}})
	c := &Coverage{
		Phase: func(i int) Mark { return []Mark{Covered, NotCovered, Impossible, Covered}[i] },
		Transition: func(e machine.Edge) Mark {
			switch e {
			case machine.Edge{From: 0, To: 3}:
				return Covered
			case machine.Edge{From: 0, To: 2}:
				return Impossible
			}
			return NotCovered
		},
		Summary: []string{"phases: 2 of 3 covered"},
	}
	d, err := New(Options{}, Itinerary{Graph: g, Coverage: c})
	require.NoError(t, err)
	assert.Equal(t, `Main
  phases: 2 of 3 covered
      (start)
        next: One (not covered)
  S
    +   One
          next: Four
          next: Two (not covered)
          next: Three (impossible)
    !   Two    if A
          next: Three, Four (not covered)
    -   Three  if A
          next: Four (not covered)
    +   Four
          next: (done) (not covered)
      (done)

+ covered, ! not covered, - impossible
`, d.Text())

	one := d.parts[0].json()
	assert.Equal(t, "notCovered", one.Phases[1].Coverage)
	assert.Nil(t, one.Phases[1].jsonRuns, "there is no plan")
	marks := map[string]int{}
	for _, e := range one.Edges {
		marks[e.Coverage]++
		assert.Equal(t, e.Coverage != "impossible", e.Taken == phases.True)
	}
	assert.Equal(t, map[string]int{"covered": 1, "notCovered": 6, "impossible": 1}, marks)
	for _, want := range []string{"phases: 2 of 3 covered", ">2 of 3 covered<", ">not covered<",
		"transition that is covered", "transition that is not covered", "transition that is impossible"} {
		assert.Contains(t, string(d.SVG()), want)
	}
	assert.NotContains(t, string(d.SVG()), ">transition<", "each line is explained once")
	assert.Contains(t, d.DOT(), `label="Two\nnot covered\nif A", shape=octagon`)
	assert.Contains(t, d.DOT(), "solid is covered, dashed is not covered, dotted is impossible")
	assert.Contains(t, d.Mermaid(), "classDef missed")
	assert.Contains(t, d.Mermaid(), "circle is not covered")
	assert.NotContains(t, d.Text(), "circle", "in text, lines have words")
	assert.False(t, strings.Contains(d.Mermaid(), "classDef current"))

	_, err = New(Options{}, Itinerary{Plan: g.Plan(phases.Facts{}), Coverage: c})
	require.EqualError(t, err, `cannot draw: itinerary "Main" has both a coverage and a plan or runs; leave one out`)
	_, err = NewDiff(Options{}, Side{Itineraries: []Itinerary{{Graph: g}}}, Side{Itineraries: []Itinerary{{Graph: g, Coverage: c}}})
	require.EqualError(t, err, `cannot draw: itinerary "Main" has a coverage, which a diff does not draw; leave it out`)
}

// A step whose phases are all impossible differs from a step that no test covers, and so
// do the edges to its phases.
func TestCoverageOfAnImpossibleStep(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Main", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{
		{Name: "One", Step: "A"}, {Name: "Two", Step: "B"}, {Name: "Three", Step: "C"}}})
	d, err := New(Options{}, Itinerary{Graph: g, Coverage: &Coverage{
		Phase: func(i int) Mark { return []Mark{Covered, Impossible, NotCovered}[i] },
		Transition: func(e machine.Edge) Mark {
			if e.To == 1 {
				return Impossible
			}
			return NotCovered
		},
	}})
	require.NoError(t, err)
	svg := string(d.SVG())
	for _, want := range []string{">1 of 1 covered<", ">impossible<", ">0 of 1 covered<"} {
		assert.Contains(t, svg, want)
	}
	assert.Equal(t, 2, strings.Count(svg, `<path class="arcgone"`), "the piece of the rail and its explanation")
	assert.Zero(t, strings.Count(svg, `<path class="rail"`), "no transition is covered")

	plain, err := New(Options{}, Itinerary{Graph: g})
	require.NoError(t, err)
	assert.NotContains(t, plain.DOT(), "covered")
	assert.NotContains(t, plain.Mermaid(), "covered")
	assert.NotContains(t, string(plain.SVG()), "covered")
}
