package lives

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Requests are the users' requests on an object, and the failure that the
// controller records beside the state.
type Requests struct {
	Canceled, RolledBack, Paused bool
	// Failed reports that OnFail has been called.
	Failed bool
}

// Loss describes what happens to the next write.
type Loss int

// The losses.
const (
	Nothing Loss = iota
	// Before: the write does not reach the object. After: it does, but the
	// controller receives an error.
	Before
	After
)

// ErrLost is the error that a controller receives for a lost write.
var ErrLost = errors.New("connection lost")

// Limited is the delay after which a site reconciles again after an error. It
// is longer than the backoff of any phase with a limit of attempts, because
// earlier attempts do not count.
const Limited = 10 * time.Second

// Reconciled is the result of a reconcile.
type Reconciled struct {
	// Requeue requests another reconcile after the delay RequeueAfter.
	Requeue      bool
	RequeueAfter time.Duration
	// Lost means that nothing was persisted because the write was lost.
	Lost bool
}

// Site holds the object of one life, and reconciles it.
type Site interface {
	Reconcile(ctx context.Context) (Reconciled, error)
	// Edit changes the object like another client. It may be called during a
	// reconcile.
	Edit(ctx context.Context, change func(*Requests)) error
	// State returns the persisted state.
	State(ctx context.Context) (runner.State, error)
	// Lose loses the writes of the current reconcile.
	Lose(l Loss)
	// Restart ends the controller with everything that it has in memory, and
	// starts another.
	Restart() error
}

// Access describes how a runner reads and writes an object.
type Access[T any] struct {
	Read     func(T) (runner.State, error)
	Write    func(T, runner.State) error
	Requests func(T) Requests
	// Fail records that a phase failed.
	Fail func(object T, reasons []string)
}

// Memory is a site without an API server: a runner reconciles an object that
// is kept as JSON.
type Memory struct {
	new    func() (*runner.Runner[*object], error)
	runner *runner.Runner[*object]
	kept   object
	loss   Loss
	// Largest is the size of the largest written state as JSON.
	Largest int
}

type object struct {
	Requests Requests     `json:"requests"`
	State    runner.State `json:"state"`
}

// NewMemory returns a site for a life.
func NewMemory(l *Life) (*Memory, error) {
	m := &Memory{new: func() (*runner.Runner[*object], error) {
		o := Options(l, Access[*object]{
			Read:     func(o *object) (runner.State, error) { return *o.State.DeepCopy(), nil },
			Write:    func(o *object, s runner.State) error { o.State = s; return nil },
			Requests: func(o *object) Requests { return o.Requests },
			Fail:     func(o *object, _ []string) { o.Requests.Failed = true },
		})
		o.Key = func(*object) string { return "one" }
		return runner.New(o)
	}}
	return m, m.Restart()
}

// Restart implements [Site].
func (m *Memory) Restart() (err error) {
	m.runner, err = m.new()
	return err
}

// Lose implements [Site].
func (m *Memory) Lose(l Loss) { m.loss = l }

// Edit implements [Site].
func (m *Memory) Edit(_ context.Context, change func(*Requests)) error {
	change(&m.kept.Requests)
	return nil
}

// State implements [Site].
func (m *Memory) State(context.Context) (runner.State, error) { return *m.kept.State.DeepCopy(), nil }

// Reconcile implements [Site].
func (m *Memory) Reconcile(ctx context.Context) (Reconciled, error) {
	m.loss = Nothing
	o := &object{Requests: m.kept.Requests, State: *m.kept.State.DeepCopy()}
	out, _ := m.runner.Reconcile(ctx, o)
	next := Reconciled{Requeue: out.Requeue, RequeueAfter: out.RequeueAfter}
	if !out.Changed {
		return next, nil
	}
	if m.loss != Nothing {
		next.Requeue, next.RequeueAfter = true, Limited
	}
	if next.Lost = m.loss == Before; next.Lost {
		return next, nil
	}
	b, err := json.Marshal(o.State)
	if err != nil {
		return next, err
	}
	m.Largest = max(m.Largest, len(b))
	m.kept.State = runner.State{}
	m.kept.Requests.Failed = m.kept.Requests.Failed || o.Requests.Failed
	return next, json.Unmarshal(b, &m.kept.State)
}
