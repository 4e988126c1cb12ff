package bench

import (
	"github.com/konveyor/dynamic-pipeline/phases"
)

// masks are guards as handwritten bit masks, the lower bound of all costs. The first
// is the start.
type masks []mask

type mask struct{ all, any, none phases.Flags }

func newMasks(it phases.Itinerary) masks {
	m := masks{{}}
	for _, p := range it.Phases {
		m = append(m, mask{p.Guard.All, p.Guard.Any, p.Guard.None})
	}
	return m
}

func (m *mask) admits(f phases.Flags) bool {
	return f&m.all == m.all && f&m.none == 0 && (m.any == 0 || f&m.any != 0)
}

func (m masks) next(state int, f phases.Flags) int {
	for state++; state < len(m) && !m[state].admits(f); state++ {
	}
	return state
}

// plan returns the admitted states as a bit set.
func (m masks) plan(f phases.Flags) (runs []uint64) {
	runs = make([]uint64, (len(m)+63)/64)
	for i := 1; i < len(m); i++ {
		if m[i].admits(f) {
			runs[i/64] |= 1 << (i % 64)
		}
	}
	return runs
}
