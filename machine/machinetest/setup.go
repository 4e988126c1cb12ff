package machinetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Setup is a controller under test: its real parts, over a world in memory.
//
// T is the type of the object that is reconciled, usually a pointer to a
// custom resource. W is the type of the world, all that handlers change and
// sources look at outside of the object: backups, pods, whether traffic is on.
// Both are kept as JSON between two reconciles, as an API server keeps an
// object; a type that JSON does not keep whole is refused. W may be struct{}.
//
// A Setup is data. It can be used any number of times, also concurrently if
// its functions allow that; each life and each exploration works on copies of
// Object and World.
type Setup[T, W any] struct {
	// Options returns the runner's options of the controller, with handlers,
	// sources and selector that work on *world: they keep the pointer and
	// nothing that they found behind it, since each reconcile has a world of
	// its own there. Its Now and WithTimeout are replaced by a simulated clock,
	// which Elapse can keep in the world for handlers that need the time; its
	// observers are kept. It is called
	// again after each simulated crash; what its functions keep elsewhere than
	// in the object and the world is lost then, as in a real restart.
	Options func(world *W) runner.Options[T]
	// Object is the object as a user creates it.
	Object T
	// World is the world at that moment.
	World W

	// SetFlag changes the object and the world so that the source of the flag
	// answers with that value, at once or as soon as it can: a source may return
	// unknown until then, such as before there is what it looks at. An exploration
	// needs it for every flag; a life needs it for the lines Flags, Flag and
	// Decide. An error ends the test.
	SetFlag func(object T, world *W, flag string, value bool) error
	// Elapse is what the rest of the world does as time passes: a backup that
	// comes to its end, a pod that starts. It is called before each
	// reconcile. Optional.
	Elapse func(world *W, now time.Time)
	// Edits are what users may do to the object at any moment, by name:
	// "cancel", "pause". Optional.
	Edits map[string]func(object T)
	// Releases are other versions of the controller, by name, for the line
	// Release. Optional.
	Releases map[string]func(world *W) runner.Options[T]
	// Invariants hold whenever the object has been written, whatever happened
	// before. Optional.
	Invariants []Invariant[T, W]

	// Items is how many runs one object holds, such as those of the items of a
	// list; zero means one. Item returns the object as the reconcile of one of
	// them sees it, by its number from 0; it may change what it is given. The
	// run under test is number 0. The others are reconciled once after each of
	// its reconciles, without faults.
	Items int
	Item  func(object T, number int) T
	// EachWrite runs a life as an exploration does: one phase in a reconcile,
	// whatever MaxPhases says, with each attempt in the state.
	EachWrite bool
	// Source is how a printed test makes this setup.
	Source Source
	// Coverage collects what lives and explorations cover; nil collects nothing.
	Coverage *Coverage

	// Start is when the clock starts; if zero, 2000-01-01 00:00 UTC.
	Start time.Time
	// Step is how long each reconcile takes on the clock; zero takes no time.
	Step time.Duration
	// NoAutoAdvance keeps the clock where it is, beside Step and the line
	// Clock: a reconcile that is due later never comes, and a life ends when
	// nothing is due. Without it the clock follows the requeues.
	NoAutoAdvance bool
	// Resync is the time after which an object is reconciled that asked for no
	// requeue and waits for a watch. Zero means one minute.
	Resync time.Duration
	// MaxReconciles bounds a life. Zero means 10,000.
	MaxReconciles int
}

// Source is how the test that is printed of a break makes its setup.
type Source struct {
	// Expression is the Go expression that makes the setup: "backuptest.New()".
	Expression string
	// Imports are the import paths of the packages that it names.
	Imports []string
}

// Invariant is a property of the embedder's own: "traffic is never off at the
// end".
type Invariant[T, W any] struct {
	Name string
	// Check returns an error that describes what is wrong, or nil. It must not
	// change anything.
	Check func(Snapshot[T, W]) error
}

// Snapshot is a moment of a life: the object as it was last written, and the
// world. Both are the harness's own; do not change them.
type Snapshot[T, W any] struct {
	Object T
	World  *W
	// State is the state of the run that the object holds.
	State runner.State
	// Now is the time on the simulated clock.
	Now time.Time
	// Injected lists the phases in which the test let a handler fail, as
	// ITINERARY/PHASE, in order.
	Injected []string
}

// SetupError describes what is missing or wrong in a [Setup] or an
// [Exploration], or what its functions did that they must not do.
type SetupError struct{ Problem string }

func (e *SetupError) Error() string { return "machinetest: " + e.Problem }

func setupError(format string, args ...any) error {
	return &SetupError{Problem: fmt.Sprintf(format, args...)}
}

const (
	defaultResync        = time.Minute
	defaultMaxReconciles = 10_000
	// reconcileTimeout ends the context of a reconcile, on the simulated
	// clock, if nothing else does.
	reconcileTimeout = time.Hour
	// blockTimeout is how long, in real time, a reconcile may block before the
	// simulated clock moves on to the next timeout.
	blockTimeout = 10 * time.Second
)

// check finds what is missing, and fills in the defaults.
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
		return s, setupError("Setup.Item is missing; Setup.Items says that an object holds %d runs", s.Items)
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
