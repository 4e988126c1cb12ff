package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// life is a run in a phase, with the flags with which it entered the phase. The phase
// after the last stands for the end.
type life struct {
	phase int
	facts phases.Facts
}

// lives holds every life that a run of an itinerary can have, found by real machines,
// one assignment at a time.
type lives struct {
	t       *testing.T
	g       *machine.Graph
	allowed []phases.Facts
	begins  []life // at the first phase that runs
	resumed []life // under a former name
	next    map[life][]life
}

func newLives(t *testing.T, g *machine.Graph) *lives {
	l := &lives{t: t, g: g, next: map[life][]life{}}
	for f := range itinerarytest.Assignments {
		if len(g.Vocabulary().Broken(f)) == 0 {
			l.allowed = append(l.allowed, f)
		}
	}
	var todo []life
	for _, f := range l.allowed {
		l.begins = append(l.begins, l.advance(machine.Position{}, f))
		for i := range g.Len() {
			if len(g.Phase(i).Formerly) > 0 {
				l.resumed = append(l.resumed, life{i, f})
			}
		}
	}
	for todo = append(slices.Clone(l.begins), l.resumed...); len(todo) > 0; {
		one := todo[0]
		todo = todo[1:]
		if _, ok := l.next[one]; ok {
			continue
		}
		l.next[one] = l.after(one)
		todo = append(todo, l.next[one]...)
	}
	return l
}

// advance lets a machine make its next move.
func (l *lives) advance(p machine.Position, f phases.Facts) life {
	m, err := l.g.NewMachine(p, f)
	require.NoError(l.t, err)
	moved, err := m.Advance(context.Background())
	require.NoError(l.t, err)
	if moved.To.Phase == "" {
		return life{l.g.Len(), f}
	}
	i, err := l.g.Lookup(moved.To.Phase)
	require.NoError(l.t, err)
	return life{i, f}
}

// outcomes returns the assignments that are possible once the phase of a life is done.
func (l *lives) outcomes(one life) (all []phases.Facts) {
	open := l.g.Phase(one.phase).Decides | l.g.Vocabulary().Live()
	for _, f := range l.allowed {
		if f.True()&^open == one.facts.True()&^open {
			all = append(all, f)
		}
	}
	return all
}

func (l *lives) ended(one life) bool { return one.phase == l.g.Len() || l.g.IsEnd(one.phase) }

func (l *lives) after(one life) (next []life) {
	if l.ended(one) {
		return nil
	}
	p := l.g.Phase(one.phase)
	for _, f := range l.outcomes(one) {
		next = append(next, l.advance(machine.Position{Phase: p.Name}, f))
		for _, j := range p.Jumps {
			if j.Choice {
				next = append(next, l.advance(machine.Position{Phase: p.Name, Choice: j.To}, f))
			}
		}
	}
	return next
}

// step returns the step under which the phase of a life was entered, or -1.
func (l *lives) step(one life) int {
	if one.phase == l.g.Len() {
		return -1
	}
	return l.g.Plan(one.facts).StepOf(one.phase)
}

// shown returns the step that a life makes visible, or -1.
func (l *lives) shown(one life) int {
	if one.phase < l.g.Len() && l.g.Rides(one.phase) {
		return -1
	}
	return l.step(one)
}

// search reports whether runs lead from some lives to one with a state that found
// accepts. follow derives the state from the state before and the life; a negative
// state ends the search there.
func (l *lives) search(from []life, follow func(state int, one life) int, found func(state int, one life) bool) bool {
	type node struct {
		life
		state int
	}
	seen := map[node]bool{}
	var todo []node
	add := func(one life, before int) {
		if n := (node{one, follow(before, one)}); n.state >= 0 && !seen[n] {
			seen[n] = true
			todo = append(todo, n)
		}
	}
	for _, one := range from {
		add(one, 0)
	}
	for len(todo) > 0 {
		n := todo[0]
		todo = todo[1:]
		if found(n.state, n.life) {
			return true
		}
		for _, one := range l.next[n.life] {
			add(one, n.state)
		}
	}
	return false
}

func (l *lives) roots() []life { return append(slices.Clone(l.begins), l.resumed...) }

func (l *lives) ends(one life) bool {
	return l.search([]life{one}, func(int, life) int { return 0 }, func(_ int, one life) bool { return l.ended(one) })
}

func (l *lives) cut(from []life, step int) bool {
	return l.search(from, func(state int, one life) int {
		switch k := l.shown(one); {
		case k < 0, state == 3:
		case state%2 == 0 && k == step, state == 1 && k != step:
			state++
		}
		return state
	}, func(state int, _ life) bool { return state == 3 })
}

func (l *lives) alone(from []life, i, step int) bool {
	return l.search(from, func(state int, one life) int {
		switch {
		case l.shown(one) == step:
			return -1
		case one.phase == i && l.step(one) == step:
			return 1
		}
		return state
	}, func(state int, one life) bool { return state == 1 && l.ended(one) })
}

// readAfter reports whether a guard reads a flag after the phase.
func (l *lives) readAfter(i int, flag phases.Flags) bool {
	var from []life
	for one := range l.next {
		if one.phase == i {
			from = append(from, one)
		}
	}
	if from == nil {
		for _, f := range l.allowed {
			from = append(from, life{i, f})
		}
	}
	reads := func(guard phases.Guard) bool { return guard.Reads()&flag != 0 }
	seen := map[life]bool{}
	var passes func(p int, f phases.Facts) bool
	leaves := func(one life) bool {
		if seen[one] {
			return false
		}
		seen[one] = true
		if l.ended(one) {
			return false
		}
		for _, f := range l.outcomes(one) {
			to, jumped := one.phase+1, false
			for _, j := range l.g.Phase(one.phase).Jumps {
				target, _ := l.g.Lookup(j.To)
				if j.Choice {
					if passes(target, f) {
						return true
					}
					continue
				}
				if jumped {
					continue
				}
				if reads(j.Guard) {
					return true
				}
				if j.Guard.Eval(f) == phases.True {
					to, jumped = target, true
				}
			}
			if passes(to, f) {
				return true
			}
		}
		return false
	}
	passes = func(p int, f phases.Facts) bool {
		for ; p < l.g.Len(); p++ {
			phase := l.g.Phase(p)
			if reads(phase.Guard) {
				return true
			}
			if phase.Guard.Eval(f) != phases.True {
				continue
			}
			for _, s := range phase.Steps {
				if reads(s.Guard) {
					return true
				}
				if s.Guard.Eval(f) == phases.True {
					break
				}
			}
			return leaves(life{p, f})
		}
		return false
	}
	return slices.ContainsFunc(from, leaves)
}

// expected returns the findings of the rules about runs, by rule, phase, step and flag.
func (l *lives) expected() map[string]bool {
	all := map[string]bool{}
	add := func(rule string, i int, step, flag string) {
		phase := ""
		if i >= 0 {
			phase = l.g.Phase(i).Name
		}
		all[key(rule, phase, step, flag)] = true
	}
	g := l.g
	in := make([][]life, g.Len()+1)
	shown := make([]bool, len(g.Steps()))
	for one := range l.next {
		in[one.phase] = append(in[one.phase], one)
		if k := l.shown(one); k >= 0 {
			shown[k] = true
		}
	}
	for i := range g.Len() {
		p := g.Phase(i)
		if len(in[i]) == 0 {
			add(verify.PhaseNeverRuns, i, "", "")
		}
		for k, j := range p.Jumps {
			taken, overlaps := j.Choice && len(in[i]) > 0, false
			for _, one := range in[i] {
				for _, f := range l.outcomes(one) {
					t, _ := g.Onward(i, f)
					taken = taken || t[k] != phases.False
					for _, before := range p.Jumps[:k] {
						overlaps = overlaps || before.To != j.To && before.Guard != phases.Guard{} && j.Guard != phases.Guard{} &&
							before.Guard.Eval(f) == phases.True && j.Guard.Eval(f) == phases.True
					}
				}
			}
			if !taken {
				add(verify.JumpNeverTaken, i, "", "")
			}
			if overlaps {
				add(verify.JumpsOverlap, i, "", "")
			}
		}
		for _, step := range g.StepsOf(i) {
			if g.Rides(i) && l.alone(l.roots(), i, step) {
				add(verify.RidesAlone, i, g.Steps()[step], "")
			}
		}
		for flag := range (p.Decides &^ g.Vocabulary().Live()).Each {
			name := g.Vocabulary().Names(flag)[0]
			if l.readAfter(i, flag) {
				all["read after: "+name] = true
			} else {
				add(verify.DecidesNeverRead, i, "", name)
			}
		}
	}
	for step, name := range g.Steps() {
		if !shown[step] {
			add(verify.StepNeverShown, -1, name, "")
		}
		if l.cut(l.roots(), step) {
			add(verify.StepCutInTwo, -1, name, "")
		}
	}
	for flag := range itinerarytest.Four.All().Each {
		name := g.Vocabulary().Names(flag)[0]
		for i := range g.Len() {
			if own := g.Phase(i).Decides &^ g.Vocabulary().Live() & g.Phase(i).Guard.Reads(); own&flag != 0 {
				all["read after: "+name] = true
			}
		}
		for i := range g.Len() {
			if g.Phase(i).Decides&^g.Vocabulary().Live()&g.Reads()&flag != 0 && !all["read after: "+name] {
				add(verify.FlagReadBeforeDecided, -1, "", name)
			}
		}
		delete(all, "read after: "+name)
	}
	return all
}

func key(rule, phase, step, flag string) string {
	switch rule {
	case verify.StepNeverShown, verify.StepCutInTwo, verify.FlagReadBeforeDecided:
		phase = "" // any phase of the step, or that decides the flag
	}
	return fmt.Sprintf("%s: phase %q step %q flag %q", rule, phase, step, flag)
}

// generated returns an itinerary that may have relations, live flags, choices, former
// names and phases that ride.
func generated(r *rand.Rand) *machine.Graph {
	for {
		it := itinerarytest.Generate(r, r.IntN(3) > 0, true)
		if r.IntN(3) == 0 {
			it = itinerarytest.AddChoices(r, it)
		}
		defs := itinerarytest.Four.Defs()
		for i := range defs {
			defs[i].Live = r.IntN(8) == 0
		}
		var relations []phases.Clause
		for range r.IntN(4) {
			c := phases.Clause{True: phases.Flags(r.IntN(16)), False: phases.Flags(r.IntN(16))}
			if c.True|c.False != 0 {
				relations = append(relations, c)
			}
		}
		it.Vocabulary = phases.MustVocabulary(defs, relations...)
		for i := range it.Phases {
			p := &it.Phases[i]
			p.Rides = !p.End && r.IntN(4) == 0
			if r.IntN(10) == 0 {
				p.Formerly = []string{"Old" + p.Name}
			}
		}
		if g, err := machine.Compile(it); err == nil {
			return g
		}
	}
}

// Machines show every finding about runs, and no finding is missing.
func TestCheckAgreesWithEveryLife(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 10))
	checked := map[string]int{}
	for range 120 {
		g := generated(r)
		l := newLives(t, g)
		got := map[string]bool{}
		stuck, frozen := map[string]bool{}, map[string]bool{}
		for _, f := range verify.CheckGraphs([]*machine.Graph{g}, verify.Options{}) {
			require.NotEqual(t, verify.NotDecided, f.Rule, f.Text)
			checked[f.Rule]++
			switch f.Rule {
			case verify.GuardContradictsRelations, verify.GuardRedundantFlag, verify.FlagNeverRead,
				verify.RelationContradictsRelations: // not about runs
			case verify.EndUnreachable:
				stuck[f.Phase] = true
			case verify.LoopNeverEnds:
				frozen[f.Phase] = true
			default:
				l.requireShown(f)
				got[key(f.Rule, f.Phase, f.Step, f.Flag)] = true
			}
		}
		require.Empty(t, cmp.Diff(l.expected(), got), "-want +got\n%s", describe(g))

		never := map[string]bool{}
		for one := range l.next {
			if !l.ended(one) && !l.ends(one) {
				never[g.Phase(one.phase).Name] = true
			}
		}
		require.Equal(t, len(never) > 0, len(stuck) > 0, "%s", describe(g))
		for name := range stuck {
			require.True(t, never[name], "a run is stuck in %s\n%s", name, describe(g))
		}
		require.Equal(t, l.frozen() > 0, len(frozen) > 0, "loops that never end: %v\n%s", g.FrozenLoops(), describe(g))
		for name := range frozen {
			require.True(t, never[name], "a run is stuck in %s\n%s", name, describe(g))
		}
	}
	for _, rule := range verify.Rules()[:13] {
		require.Positive(t, checked[rule.Name], "%s was compared with lives", rule.Name)
	}
}

// requireShown requires that a run which begins with the assignment of a finding shows
// it. If the plan of the assignment does not show it, no run with fewer flags may show
// it either.
func (l *lives) requireShown(f verify.Finding) {
	shows := func(from []life) bool { return l.cut(from, l.g.StepIndex(f.Step)) }
	switch {
	case f.Rule == verify.RidesAlone:
		i, err := l.g.Lookup(f.Phase)
		require.NoError(l.t, err)
		shows = func(from []life) bool { return l.alone(from, i, l.g.StepIndex(f.Step)) }
	case f.Rule != verify.StepCutInTwo:
		return
	}
	if strings.Contains(f.Text, "former name") {
		require.True(l.t, shows(l.resumed), f.Text)
		require.False(l.t, shows(l.begins), f.Text)
		return
	}
	yes, err := l.g.Vocabulary().Parse(f.Assignment...)
	require.NoError(l.t, err)
	for i, facts := range l.allowed {
		if facts.True() == yes {
			require.True(l.t, shows(l.begins[i:i+1]), f.Text)
		} else if facts.True().Len() < yes.Len() && f.Reproduce == "" {
			require.False(l.t, shows(l.begins[i:i+1]), f.Text)
		}
	}
}

// frozen returns the number of frozen loops in which some life stays.
func (l *lives) frozen() (n int) {
	for _, loop := range l.g.FrozenLoops() {
		stays := false
		for one := range l.next {
			inside := func(one life) bool {
				return one.phase < l.g.Len() && slices.Contains(loop.Phases, l.g.Phase(one.phase).Name)
			}
			stays = stays || inside(one) && !l.search([]life{one}, func(int, life) int { return 0 },
				func(_ int, one life) bool { return !inside(one) || l.ended(one) })
		}
		if stays {
			n++
		}
	}
	return n
}

// describe writes an itinerary for a failed test.
func describe(g *machine.Graph) (text string) {
	v := g.Vocabulary()
	for _, c := range v.Relations() {
		text += fmt.Sprintf("relation %v\n", v.Literals(c))
	}
	text += fmt.Sprintf("live %v\n", v.Names(v.Live()))
	for i := range g.Len() {
		text += fmt.Sprintf("%+v\n", g.Phase(i))
	}
	return text
}
