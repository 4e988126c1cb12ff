package runner

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// memory is what a runner remembers of runs from one reconcile to the next, as
// long as there is something to remember. It only saves work: nothing is lost
// with it.
type memory struct {
	mu sync.Mutex
	of map[string]*memo
}

type memo struct {
	left phases.LeftBehind
	// The attempts that were counted, of which visit, and whether of flags.
	visit    int64
	flags    bool
	attempts int64
}

// get returns the memo of a run.
func (m *memory) get(key string) *memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = make(map[string]*memo)
	}
	if m.of[key] == nil {
		m.of[key] = new(memo)
	}
	return m.of[key]
}

// release drops the memo of a run if it remembers nothing.
func (m *memory) release(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if memo := m.of[key]; memo != nil && memo.attempts == 0 && memo.left.Flags() == 0 {
		delete(m.of, key)
	}
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}

// key tells runs apart; empty if nothing does.
func (o *Options[T]) key(object T) string {
	if o.Key != nil {
		return o.Key(object)
	}
	if k, ok := any(object).(interface{ GetUID() types.UID }); ok {
		return string(k.GetUID())
	}
	return ""
}
