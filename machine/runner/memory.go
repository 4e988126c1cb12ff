package runner

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// memory holds what a runner remembers of runs between reconciles. It only saves work, so
// a restart may lose it.
type memory struct {
	mu sync.Mutex
	of map[string]*memo
	// left is shared by all objects without a key.
	left phases.LeftBehind
}

type memo struct {
	left *phases.LeftBehind
	// These describe the attempts that were counted, of which kind and in which visit,
	// and when the next is due.
	kind     RetryKind
	visit    int64
	attempts int64
	due      time.Time
}

// get returns the memo of a run, or a new one if key is empty.
func (m *memory) get(key string) *memo {
	if key == "" {
		return &memo{left: &m.left}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = make(map[string]*memo)
	}
	if m.of[key] == nil {
		m.of[key] = &memo{left: new(phases.LeftBehind)}
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

// key returns the key of the object's run; empty if it has none.
func (o *Options[T]) key(object T) string {
	if o.Key != nil {
		return o.Key(object)
	}
	if k, ok := any(object).(interface{ GetUID() types.UID }); ok {
		return string(k.GetUID())
	}
	return ""
}
