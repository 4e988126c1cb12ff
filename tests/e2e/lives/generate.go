package lives

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/oracle"
)

// The itineraries that a selector may select instead of the main one.
const (
	failedItinerary   = "Failed"
	cancelItinerary   = "Cancel"
	rollbackItinerary = "Rollback"
)

var letters = []string{"A", "B", "C", "D", "E", "F"}

// generate generates a definition: a main itinerary and the cleanup
// itineraries.
func generate(random *rand.Rand) oracle.Definition {
	return oracle.Definition{
		{Name: "Main", Phases: generatePhases(random, "Work", 3+random.IntN(7))},
		{Name: cancelItinerary, Cleanup: true, Result: "Canceled", Phases: generatePhases(random, "Cancel", 1+random.IntN(4))},
		{Name: failedItinerary, Cleanup: true, Result: "Failed", Phases: generatePhases(random, "Fail", 1+random.IntN(4))},
		{Name: rollbackItinerary, Cleanup: true, Result: "RolledBack", Phases: generatePhases(random, "Undo", 1+random.IntN(4))},
	}
}

func generatePhases(random *rand.Rand, prefix string, n int) []oracle.Phase {
	var all []oracle.Phase
	chance := func(p float64) bool { return random.Float64() < p }
	flag := func() string { return letters[random.IntN(len(letters))] }
	step := 0
	for i := range n {
		if chance(0.4) {
			step++
		}
		p := oracle.Phase{Name: fmt.Sprintf("%s%d", prefix, i), Step: fmt.Sprintf("%sStep%d", prefix, step)}
		if i > 0 && chance(0.1) { // a step that is left and entered again
			p.Step = cmp.Or(all[random.IntN(i)].Step, p.Step)
		}
		if chance(0.6) {
			p.Guard = generateGuard(random)
		}
		p.End = i > 0 && chance(0.05) || i == n-1 && chance(0.4)
		for chance(0.25) {
			g := generateGuard(random)
			if own := flag(); chance(0.5) && !p.End { // the phase decides its own step for the next visit
				g = oracle.Guard{All: []string{own}}
				p.Decides = append(p.Decides, own)
			}
			p.Steps = append(p.Steps, oracle.GuardedStep{Step: fmt.Sprintf("%sStep%d", prefix, random.IntN(step+2)), Guard: g})
		}
		if p.End {
			if chance(0.3) {
				p.Step = ""
			}
			all = append(all, p)
			continue
		}
		if chance(0.35) {
			p.Decides = append(p.Decides, flag())
		}
		if chance(0.15) { // forward, if a phase follows
			to := fmt.Sprintf("%s%d", prefix, min(i+1+random.IntN(3), n-1))
			p.Jumps = append(p.Jumps, oracle.Jump{To: to, Guard: generateGuard(random)})
			if p.Jumps[0].To == p.Name {
				p.Jumps = nil
			}
		}
		if i+2 < n && chance(0.08) { // one jump or the other, never to the next phase
			flip := flag()
			if !slices.Contains(p.Decides, flip) {
				p.Decides = append(p.Decides, flip)
			}
			p.Jumps = []oracle.Jump{
				{To: fmt.Sprintf("%s%d", prefix, i+2), Guard: oracle.Guard{All: []string{flip}}},
				{To: fmt.Sprintf("%s%d", prefix, random.IntN(n)), Guard: oracle.Guard{None: []string{flip}}},
			}
		} else if chance(0.2) { // back or to itself, while a flag that the phase decides admits
			exit := flag()
			if !slices.Contains(p.Decides, exit) {
				p.Decides = append(p.Decides, exit)
			}
			g := oracle.Guard{All: []string{exit}}
			if chance(0.3) {
				g = oracle.Guard{None: []string{exit}}
			}
			to := i
			if chance(0.5) {
				to = random.IntN(i + 1)
			}
			p.Jumps = append(p.Jumps, oracle.Jump{To: fmt.Sprintf("%s%d", prefix, to), Guard: g})
			if chance(0.4) { // the phase also decides its own guard
				own := flag()
				if own != exit {
					p.Guard = oracle.Guard{All: []string{own}}
					if !slices.Contains(p.Decides, own) {
						p.Decides = append(p.Decides, own)
					}
				}
			}
		}
		for to := range n { // choices of the handler
			if chance(0.07) {
				p.Jumps = append(p.Jumps, oracle.Jump{To: fmt.Sprintf("%s%d", prefix, to), Choice: true})
			}
		}
		all = append(all, p)
	}
	return all
}

func generateGuard(random *rand.Rand) (g oracle.Guard) {
	two := random.Perm(len(letters))[:2]
	a, b := letters[two[0]], letters[two[1]]
	switch random.IntN(5) {
	case 0:
		g.All = []string{a}
	case 1:
		g.None = []string{a}
	case 2:
		g.Any = []string{a, b}
	case 3:
		g.All, g.None = []string{a}, []string{b}
	case 4:
		g.All = []string{a, b}
	}
	return g
}

// limit gives some phases a deadline, and some a limit of attempts.
func limit(random *rand.Rand, d oracle.Definition) {
	for _, it := range d {
		for i := range it.Phases {
			p := &it.Phases[i]
			if random.Float64() < 0.2 && !p.End {
				p.Deadline = time.Duration(10+random.IntN(600)) * time.Second
			}
			if random.Float64() < 0.2 && !p.End {
				p.MaxAttempts = 1 + random.IntN(4)
			}
		}
	}
}

// Describe returns a set of itineraries as plain data.
func Describe(itineraries []phases.Itinerary) (d oracle.Definition) {
	for _, it := range itineraries {
		names := it.Vocabulary.Names
		guard := func(g phases.Guard) oracle.Guard {
			return oracle.Guard{All: names(g.All), Any: names(g.Any), None: names(g.None)}
		}
		to := oracle.Itinerary{Name: it.Name, Cleanup: it.Cleanup, Result: string(it.Result)}
		for _, p := range it.Phases {
			row := oracle.Phase{Name: p.Name, Step: p.Step, Guard: guard(p.Guard), End: p.End, Decides: names(p.Decides), Rides: p.Rides}
			for _, s := range p.Steps {
				row.Steps = append(row.Steps, oracle.GuardedStep{Step: s.Step, Guard: guard(s.Guard)})
			}
			for _, j := range p.Jumps {
				row.Jumps = append(row.Jumps, oracle.Jump{To: j.To, Guard: guard(j.Guard), Choice: j.Choice})
			}
			to.Phases = append(to.Phases, row)
		}
		d = append(d, to)
	}
	return d
}

// build returns the itineraries of plain data, and their vocabulary.
func build(d oracle.Definition) ([]phases.Itinerary, *phases.Vocabulary, error) {
	var names []string
	guards := func(g oracle.Guard) {
		for _, f := range slices.Concat(g.All, g.Any, g.None) {
			if !slices.Contains(names, f) {
				names = append(names, f)
			}
		}
	}
	for _, it := range d {
		for _, p := range it.Phases {
			guards(p.Guard)
			guards(oracle.Guard{All: p.Decides})
			for _, s := range p.Steps {
				guards(s.Guard)
			}
			for _, j := range p.Jumps {
				guards(j.Guard)
			}
		}
	}
	var defs []phases.FlagDef
	flags := map[string]phases.Flags{}
	for i, name := range names {
		flags[name] = 1 << i
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: name})
	}
	vocabulary, err := phases.NewVocabulary(defs)
	if err != nil {
		return nil, nil, err
	}
	set := func(names []string) (all phases.Flags) {
		for _, n := range names {
			all |= flags[n]
		}
		return all
	}
	guard := func(g oracle.Guard) phases.Guard {
		return phases.Guard{All: set(g.All), Any: set(g.Any), None: set(g.None)}
	}
	var all []phases.Itinerary
	for _, it := range d {
		to := phases.Itinerary{Name: it.Name, Vocabulary: vocabulary, Cleanup: it.Cleanup, Result: phases.Result(it.Result)}
		for _, p := range it.Phases {
			row := phases.Phase{Name: p.Name, Step: p.Step, Guard: guard(p.Guard), End: p.End, Decides: set(p.Decides), Rides: p.Rides}
			for _, s := range p.Steps {
				row.Steps = append(row.Steps, phases.GuardedStep{Step: s.Step, Guard: guard(s.Guard)})
			}
			for _, j := range p.Jumps {
				row.Jumps = append(row.Jumps, phases.Jump{To: j.To, Guard: guard(j.Guard), Choice: j.Choice})
			}
			to.Phases = append(to.Phases, row)
		}
		all = append(all, to)
	}
	return all, vocabulary, nil
}
