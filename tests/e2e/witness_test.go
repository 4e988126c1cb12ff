package e2e

import (
	"context"
	"slices"
	"sync"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// witness sees every call of a phase, of all controllers of a ground.
type witness struct {
	mu sync.Mutex
	// calls are those of each migration, by its name, in order.
	calls map[string][]example.At
	// open are the calls that have not come back.
	open map[string]int
	// together are the migrations of which two calls were open at once.
	together []string
}

func newWitness() *witness {
	return &witness{calls: map[string][]example.At{}, open: map[string]int{}}
}

func (w *witness) begin(migration string, at example.At) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[migration] = append(w.calls[migration], at)
	if w.open[migration]++; w.open[migration] > 1 {
		w.together = append(w.together, migration+" in "+at.Phase)
	}
}

func (w *witness) end(migration string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[migration]--
}

func (w *witness) around(inner example.Around) example.Around {
	return func(ctx context.Context, m example.Migration, at example.At, phase func() (runner.Result, error)) (runner.Result, error) {
		w.begin(m.GetName(), at)
		defer w.end(m.GetName())
		if inner != nil {
			return inner(ctx, m, at, phase)
		}
		return phase()
	}
}

// ran are the phases that a migration was in, of one itinerary, in the order
// of their first calls.
func (w *witness) ran(migration, itinerary string) (phases []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.calls[migration] {
		if at.Itinerary == itinerary && !slices.Contains(phases, at.Phase) {
			phases = append(phases, at.Phase)
		}
	}
	return phases
}

// count is how often a phase was called.
func (w *witness) count(migration string, at example.At) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, is := range w.calls[migration] {
		if is == at {
			n++
		}
	}
	return n
}
