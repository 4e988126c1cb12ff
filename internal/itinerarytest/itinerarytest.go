package itinerarytest

import (
	"fmt"
	"math/rand/v2"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Four is the vocabulary of the generated itineraries.
var Four = phases.MustVocabulary([]phases.FlagDef{
	{Flag: 1, Name: "A"}, {Flag: 2, Name: "B"}, {Flag: 4, Name: "C"}, {Flag: 8, Name: "D"},
})

// Generate returns a random itinerary of up to eight phases that compiles. Some have end phases and
// guarded steps; jumps and decides add jumps and decided flags. Without jumps only the last phase
// may be an end phase.
func Generate(r *rand.Rand, jumps, decides bool) phases.Itinerary {
	for {
		it := generate(r, jumps, decides)
		if _, err := machine.Compile(it); err == nil {
			return it
		}
	}
}

func generate(r *rand.Rand, jumps, decides bool) phases.Itinerary {
	flag := func() phases.Flags { return 1 << r.IntN(4) }
	guard := func() phases.Guard {
		switch r.IntN(4) {
		case 0:
			return phases.Guard{}
		case 1:
			return phases.Guard{All: flag()}
		case 2:
			return phases.Guard{None: flag()}
		}
		any := flag()
		return phases.Guard{Any: any | flag()}
	}
	it := phases.Itinerary{Name: "Generated", Vocabulary: Four}
	for i := range 2 + r.IntN(7) {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%d", i), Step: fmt.Sprintf("S%d", i/2), Guard: guard()})
	}
	for i := range it.Phases {
		p := &it.Phases[i]
		for len(p.Steps) < 2 && r.IntN(5) == 0 {
			p.Steps = append(p.Steps, phases.GuardedStep{Step: fmt.Sprintf("S%d", r.IntN(4)), Guard: guard()})
		}
		if p.End = r.IntN(8) == 0 && (jumps || i == len(it.Phases)-1); p.End {
			if r.IntN(2) == 0 {
				p.Step = ""
			}
			continue
		}
		if decides && r.IntN(3) == 0 {
			p.Decides = 1 << r.IntN(4)
		}
		for jumps && r.IntN(3) == 0 && len(p.Jumps) < 2 {
			p.Jumps = append(p.Jumps, phases.Jump{To: it.Phases[r.IntN(len(it.Phases))].Name, Guard: guard()})
		}
	}
	return it
}

// AddChoices adds jumps by choice to some phases of an itinerary. The result compiles.
func AddChoices(r *rand.Rand, it phases.Itinerary) phases.Itinerary {
	for {
		more := it
		more.Phases = append([]phases.Phase(nil), it.Phases...)
		for i := range more.Phases {
			p := &more.Phases[i]
			p.Jumps = append([]phases.Jump(nil), p.Jumps...)
			for _, to := range r.Perm(len(it.Phases))[:2] {
				if !p.End && r.IntN(5) == 0 {
					p.Jumps = append(p.Jumps, phases.Jump{To: it.Phases[to].Name, Choice: true})
				}
			}
		}
		if _, err := machine.Compile(more); err == nil {
			return more
		}
	}
}

// Assignments yields all 16 facts over the four flags in which every flag is known.
func Assignments(yield func(phases.Facts) bool) {
	for trues := range phases.Flags(16) {
		if !yield(phases.NewFacts(trues, 15&^trues)) {
			return
		}
	}
}

// Partial yields all 81 facts over the four flags, including unknown flags.
func Partial(yield func(phases.Facts) bool) {
	for trues := range phases.Flags(16) {
		for falses := range phases.Flags(16) {
			if trues&falses == 0 && !yield(phases.NewFacts(trues, falses)) {
				return
			}
		}
	}
}
