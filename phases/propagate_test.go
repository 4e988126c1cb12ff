package phases_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestPropagate(t *testing.T) {
	const (
		a phases.Flags = 1 << iota
		b
		c
		d
	)
	defs := []phases.FlagDef{{Flag: a, Name: "A"}, {Flag: b, Name: "B"}, {Flag: c, Name: "C"}, {Flag: d, Name: "D"}}
	implies := func(from, to phases.Flags) phases.Clause { return phases.Clause{False: from, True: to} }
	for _, tt := range []struct {
		name      string
		relations []phases.Clause
		yes, no   phases.Flags
		open      phases.Flags
		want      phases.Facts
	}{
		{"nothing is known", []phases.Clause{implies(a, b)}, 0, 0, 0, phases.Facts{}},
		{"an implication", []phases.Clause{implies(a, b)}, a, 0, 0, phases.NewFacts(a|b, 0)},
		{"an implication backwards", []phases.Clause{implies(a, b)}, 0, b, 0, phases.NewFacts(0, a|b)},
		{"a chain, in the order of its clauses", []phases.Clause{implies(a, b), implies(b, c), implies(c, d)}, a, 0, 0, phases.NewFacts(a|b|c|d, 0)},
		{"a chain, against the order of its clauses", []phases.Clause{implies(c, d), implies(b, c), implies(a, b)}, a, 0, 0, phases.NewFacts(a|b|c|d, 0)},
		{"a fact by itself", []phases.Clause{{True: a}, {False: b}}, 0, 0, 0, phases.NewFacts(a, b)},
		{"two that exclude each other", []phases.Clause{{False: a | b}}, a, 0, 0, phases.NewFacts(a, b)},
		{"a choice stays open", []phases.Clause{implies(a, b|c)}, a, 0, 0, phases.NewFacts(a, 0)},
		{"a choice with one remaining", []phases.Clause{implies(a, b|c)}, a, b, 0, phases.NewFacts(a|c, b)},
		{"a clause that holds forces nothing", []phases.Clause{implies(a, b)}, 0, a, 0, phases.NewFacts(0, a)},
		{"known flags stay, although a clause is broken", []phases.Clause{implies(a, b)}, a, b, 0, phases.NewFacts(a, b)},
		{"the first of two contradicting clauses counts", []phases.Clause{implies(a, b), {False: a | b}}, a, 0, 0, phases.NewFacts(a|b, 0)},
		{"open flags stay unknown", []phases.Clause{implies(a, b)}, a, 0, b, phases.NewFacts(a, 0)},
		{"nothing follows from open flags", []phases.Clause{implies(a, b), implies(b, c), implies(a, d)}, a, 0, b, phases.NewFacts(a|d, 0)},
		{"a flag on both sides forces nothing", []phases.Clause{{True: b, False: a | b}}, a, 0, 0, phases.NewFacts(a, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := phases.MustVocabulary(defs, tt.relations...)
			assert.Equal(t, tt.want, v.Propagate(phases.NewFacts(tt.yes, tt.no), tt.open))
		})
	}
}

// Every value that is set holds in each assignment of MTC's flags that satisfies the
// relations and agrees with the known flags.
func TestPropagateSetsOnlyWhatIsForced(t *testing.T) {
	v := mtc.Vocabulary()
	var real []phases.Flags // assignments that satisfy the relations
	related := phases.Flags(0)
	for _, c := range v.Relations() {
		related |= c.True | c.False
	}
	for yes := related; ; yes = (yes - 1) & related {
		if len(v.Broken(phases.NewFacts(yes, related&^yes))) == 0 {
			real = append(real, yes)
		}
		if yes == 0 {
			break
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	forced := 0
	for range 2000 {
		one := real[random.IntN(len(real))]
		first, second := phases.Flags(random.Uint64()), phases.Flags(random.Uint64())
		known := first & second & related
		f := phases.NewFacts(one&known, known&^one)
		got := v.Propagate(f, 0)
		assert.Equal(t, f.True(), got.True()&known)
		assert.Equal(t, f.False(), got.False()&known)
		for _, other := range real {
			if other&known == one&known {
				assert.Zero(t, got.True()&^other|got.False()&other, "%v of %v", v.Names(got.Known()), v.Names(known))
			}
		}
		assert.Equal(t, got, v.Propagate(got, 0))
		forced += (got.Known() &^ known).Len()
	}
	assert.NotZero(t, forced)
}
