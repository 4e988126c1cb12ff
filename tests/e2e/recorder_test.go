package e2e

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// callRecorder records every call of a phase by the controllers of a fixture.
type callRecorder struct {
	mu sync.Mutex
	// calls holds the calls of each migration, by its name, in order.
	calls map[string][]example.At
	// open holds the callers of unfinished calls, by migration.
	open map[string][]string
	// dead holds killed replicas. A report of theirs that still arrives was
	// sent before the kill, and is ignored.
	dead map[string]bool
	// together lists migrations with two calls open at once.
	together []string
	// worked holds the replicas that called a phase.
	worked map[string]bool
}

func newCallRecorder() *callRecorder {
	return &callRecorder{
		calls: map[string][]example.At{}, open: map[string][]string{}, dead: map[string]bool{}, worked: map[string]bool{},
	}
}

func (w *callRecorder) told(c example.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead[c.Replica] {
		return
	}
	w.worked[c.Replica] = true
	open := w.open[c.Migration]
	if c.Ended {
		if i := slices.Index(open, c.Replica); i >= 0 {
			w.open[c.Migration] = slices.Delete(open, i, i+1)
		}
		return
	}
	w.calls[c.Migration] = append(w.calls[c.Migration], c.At)
	if w.open[c.Migration] = append(open, c.Replica); len(open) > 0 {
		w.together = append(w.together, c.Migration+" in "+c.Phase)
	}
}

// died records that a replica was killed, and returns the number of calls that
// the kill cut short.
func (w *callRecorder) died(replica string) (cut int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead[replica] = true
	for migration, open := range w.open {
		kept := slices.DeleteFunc(open, func(r string) bool { return r == replica })
		cut += len(open) - len(kept)
		w.open[migration] = kept
	}
	return cut
}

// phaseFunc calls a phase.
type phaseFunc = func() (runner.Result, error)

func (w *callRecorder) around(inner example.Around) example.Around {
	return func(ctx context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
		c := example.Call{Replica: "this process", Namespace: m.GetNamespace(), Migration: m.GetName(), At: at}
		w.told(c)
		defer func() {
			c.Ended = true
			w.told(c)
		}()
		if inner != nil {
			return inner(ctx, m, at, phase)
		}
		return phase()
	}
}

// ran returns the phases of one itinerary that a migration was in, in the
// order of their first calls.
func (w *callRecorder) ran(migration, itinerary string) (phases []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.calls[migration] {
		if at.Itinerary == itinerary && !slices.Contains(phases, at.Phase) {
			phases = append(phases, at.Phase)
		}
	}
	return phases
}

// called returns the number of calls of phases of a migration.
func (w *callRecorder) called(migration string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.calls[migration])
}

// atOnce returns the migrations that had two calls open at once.
func (w *callRecorder) atOnce() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.together)
}

// saw reports whether a replica has called a phase.
func (w *callRecorder) saw(replica int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.worked[strconv.Itoa(replica)]
}
