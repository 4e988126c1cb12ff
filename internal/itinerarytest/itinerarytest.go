// Package itinerarytest generates itineraries for tests of properties, and the
// facts to hold them against.
package itinerarytest

import (
	"fmt"
	"math/rand/v2"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Four is the vocabulary of what is generated.
var Four = phases.MustVocabulary([]phases.FlagDef{
	{Flag: 1, Name: "A"}, {Flag: 2, Name: "B"}, {Flag: 4, Name: "C"}, {Flag: 8, Name: "D"},
})

// Generate makes an itinerary of up to eight phases that compiles; with jumps
// and decides if asked for.
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
		if decides && r.IntN(3) == 0 {
			p.Decides = 1 << r.IntN(4)
		}
		for jumps && r.IntN(3) == 0 && len(p.Jumps) < 2 {
			p.Jumps = append(p.Jumps, phases.Jump{To: it.Phases[r.IntN(len(it.Phases))].Name, Guard: guard()})
		}
	}
	return it
}

// Assignments yields all 16 facts over the four flags in which each is known.
func Assignments(yield func(phases.Facts) bool) {
	for yes := range phases.Flags(16) {
		if !yield(phases.NewFacts(yes, 15&^yes)) {
			return
		}
	}
}

// Partial yields all 81 facts over the four flags.
func Partial(yield func(phases.Facts) bool) {
	for yes := range phases.Flags(16) {
		for no := range phases.Flags(16) {
			if yes&no == 0 && !yield(phases.NewFacts(yes, no)) {
				return
			}
		}
	}
}
