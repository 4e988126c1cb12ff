package machinetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Setup describes the controller under test: its real parts, working on a world in memory.
//
// T is the type of the reconciled object, usually a pointer to a custom resource. W is the type of
// the world: everything outside the object that handlers change and sources read, such as backups,
// pods, or whether traffic is on. Both are kept as JSON between two reconciles, as an API server
// keeps an object; a type that does not survive JSON whole is refused. W may be struct{}.
//
// A Setup can be used any number of times, and concurrently if its functions allow that. Each life
// and each exploration works on copies of Object and World.
type Setup[T, W any] struct {
	// Options returns the controller's runner options, with handlers, sources and selector that
	// work on *world. They may keep this pointer but nothing read through it, since *world is
	// replaced between reconciles. Now and WithTimeout are replaced by a simulated clock, and
	// observers are kept. A handler that needs the time can read it from the world if Elapse stores
	// it there.
	//
	// In a life, Options is called again after each simulated crash, so what Options itself makes is
	// lost, as in a real restart; package variables survive. An exploration does not call it again:
	// there, functions must keep nothing outside the object and the world.
	Options func(world *W) runner.Options[T]
	// Object is the object as a user creates it.
	Object T
	// World is the world at the time the user creates the object.
	World W

	// SetFlag changes the object and the world so that the flag's source answers with that value,
	// at once or as soon as it can: a source may return unknown while it has nothing to read yet.
	// An exploration needs SetFlag for every flag; a life needs it for the lines Flags, Flag and
	// Decide. An error ends the test.
	SetFlag func(object T, world *W, flag string, value bool) error
	// Elapse advances the rest of the world with time: a backup completes, a pod starts. It is
	// called before each reconcile and, on copies of the world, between the repeated calls that check
	// whether a handler is idempotent. It must depend only on its arguments. Optional.
	Elapse func(world *W, now time.Time)
	// Edits are the changes that users may make to the object at any moment, by name: "cancel",
	// "pause". Optional.
	Edits map[string]func(object T)
	// Releases are other versions of the controller, by name, for the line Release. Optional.
	Releases map[string]func(world *W) runner.Options[T]
	// Invariants must hold after every write of the object, whatever happened before. Optional.
	Invariants []Invariant[T, W]

	// Items is the number of runs that one object holds, such as one per item of a list. Zero means
	// one. Item returns the object as the reconcile of one run sees it, given the run's number from
	// 0; it may change its argument. The run under test is number 0. The others are reconciled once
	// after each of its reconciles, without faults.
	Items int
	Item  func(object T, number int) T
	// EachWrite makes a life run as an exploration does: at most one phase per reconcile, whatever
	// MaxPhases is, with each attempt recorded in the state.
	EachWrite bool
	// Source describes how a printed test makes this setup.
	Source Source
	// Coverage collects what lives and explorations cover. If nil, nothing is collected.
	Coverage *Coverage

	// Start is the time at which the clock starts. Zero means 2000-01-01 00:00 UTC.
	Start time.Time
	// Step is how far each reconcile moves the clock. Zero means not at all.
	Step time.Duration
	// NoAutoAdvance stops the clock from following the requeues: only Step and the line Clock move
	// it. A reconcile that is due later never happens, and a life ends when nothing is due.
	NoAutoAdvance bool
	// Resync is the time after which an object that requested no requeue is reconciled again. Zero
	// means one minute.
	Resync time.Duration
	// MaxReconciles bounds a life. Zero means 10,000.
	MaxReconciles int
}

// Source describes how a test printed for a break makes its setup.
type Source struct {
	// Expression is the Go expression that makes the setup: "backuptest.New()".
	Expression string
	// Imports are the import paths of the packages that it names.
	Imports []string
}

// Invariant is a property that the embedder requires, such as "traffic is never off at the end".
type Invariant[T, W any] struct {
	Name string
	// Check returns an error that describes the violation, or nil. It must not change anything.
	Check func(Snapshot[T, W]) error
}

// Snapshot is one moment of a life: the object as it was last written, and the world. The harness
// owns both; do not change them.
type Snapshot[T, W any] struct {
	Object T
	World  *W
	// State is the state of the run that the object holds.
	State runner.State
	// Now is the time on the simulated clock.
	Now time.Time
	// Injected lists the phases that the test made fail, as ITINERARY/PHASE, in order.
	Injected []string
}

// SetupError reports something missing or wrong in a [Setup], [Exploration] or [Walks], or a
// function of theirs that broke its contract.
type SetupError struct {
	// Problem describes what is wrong and how to fix it.
	Problem string
}

func (e *SetupError) Error() string { return "machinetest: " + e.Problem }

func setupError(format string, args ...any) error {
	return &SetupError{Problem: fmt.Sprintf(format, args...)}
}

const (
	defaultResync        = time.Minute
	defaultMaxReconciles = 10_000
	// reconcileTimeout bounds a reconcile on the simulated clock.
	reconcileTimeout = time.Hour
	// blockTimeout is how long, in real time, a reconcile may block before the simulated clock
	// moves to the next timeout.
	blockTimeout = 10 * time.Second
)

// check reports what is missing, and fills in the defaults.
func (s Setup[T, W]) check() (Setup[T, W], error) {
	if s.Options == nil {
		return s, setupError("Setup.Options is missing; give a function that returns the runner's options")
	}
	object := reflect.TypeFor[T]()
	if object.Kind() != reflect.Pointer || reflect.ValueOf(s.Object).IsNil() {
		return s, setupError("Setup.Object must be a pointer that is not nil, so that handlers can change the object; it is a %s", object)
	}
	world := reflect.TypeFor[W]()
	for _, err := range []error{checkPlain(object), checkPlain(world), checkHeld(world)} {
		if err != nil {
			return s, setupError("%v", err)
		}
	}
	if s.Items > 1 && s.Item == nil {
		return s, setupError("Setup.Item is missing; it is required because Setup.Items is %d", s.Items)
	}
	if s.Start.IsZero() {
		s.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if s.Resync <= 0 {
		s.Resync = defaultResync
	}
	if s.MaxReconciles <= 0 {
		s.MaxReconciles = defaultMaxReconciles
	}
	return s, nil
}
