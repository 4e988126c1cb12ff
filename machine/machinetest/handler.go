package machinetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// handle is the handler of every phase.
func (e *engine[T, W]) handle(ctx context.Context, object T, itinerary string, phase phases.Phase, work runner.Handler[T]) (result runner.Result, err error) {
	instead, decides := e.inject.call(itinerary, phase.Name)
	was := e.truth(object)
	objectWas, err := copyOf(object)
	if err != nil {
		e.problem("the object cannot be copied: %v", err)
	}
	worldWas := e.save()

	var panicked any
	func() {
		defer func() { panicked = recover() }()
		result, err = e.work(ctx, object, work, instead)
	}()
	if decides != nil {
		f, perr := e.parse(decides)
		if perr == nil {
			perr = e.setFlags(object, f)
		}
		if perr != nil && e.now.problem == nil {
			e.now.problem = perr
		}
	}
	is := e.truth(object)
	if extra := differ(was, is) &^ phase.Decides; extra != 0 {
		e.broken(Break{Promise: PromiseDeclared, Itinerary: itinerary, How: "a phase changes a flag that it does not decide",
			Detail: fmt.Sprintf("%s changes %s; add it to Decides of the phase", phase.Name, strings.Join(e.flags.Names(extra), ", "))})
	}
	e.now.worked = e.now.worked || !bytes.Equal(worldWas, e.save())
	c := call{itinerary: itinerary, phase: phase.Name, injected: instead != nil, result: result.String()}
	switch {
	case panicked != nil:
		c.result = fmt.Sprintf("panic: %v", panicked)
	case err != nil:
		c.result = "error: " + err.Error()
	case instead == nil && decides == nil && work != nil:
		e.checkRepeat(itinerary, phase.Name, work, objectWas, object, worldWas, result)
	}
	e.now.calls = append(e.now.calls, c)
	if panicked != nil {
		panic(panicked)
	}
	return result, err
}

// work does the work of a phase, or what a line puts in its place.
func (e *engine[T, W]) work(ctx context.Context, object T, work runner.Handler[T], instead *Line) (runner.Result, error) {
	if instead == nil || instead.after {
		result, err := runner.Done(), error(nil)
		if work != nil {
			result, err = work.Handle(ctx, object)
		}
		if instead == nil {
			return result, err
		}
	}
	switch instead.verb {
	case verbFail:
		return runner.Fail(instead.texts...), nil
	case verbErr:
		return runner.Result{}, errors.New(instead.texts[0])
	case verbPanic:
		panic(instead.texts[0])
	case verbHang:
		return runner.Result{}, Hang(ctx)
	}
	return runner.Wait(instead.duration, ""), nil
}

// checkRepeat sees that a handler is idempotent. Called once more after it is
// done, it must be done and leave the world as it is; and after a crash before
// its write, when the object is as it was, repeated calls must reach the same
// world as without the crash.
func (e *engine[T, W]) checkRepeat(itinerary, phase string, work runner.Handler[T], was, is T, worldWas []byte, result runner.Result) {
	worldIs := e.save()
	if !result.IsDone() && bytes.Equal(worldWas, worldIs) {
		return // a crash loses nothing
	}
	defer func() {
		if err := e.load(worldIs); err != nil {
			e.problem("%v", err)
		}
	}()
	report := func(how, detail string) {
		e.broken(Break{Promise: PromiseIdempotent, Itinerary: itinerary, How: how, Detail: phase + ": " + detail})
	}
	end := worldIs
	if result.IsDone() {
		again, world, err := e.again(work, is, worldIs, 1)
		switch {
		case err != nil:
			report("a handler that is done returns something else when it is called once more", err.Error())
			return
		case !again.IsDone():
			report("a handler that is done returns something else when it is called once more", again.String())
			return
		case !bytes.Equal(world, worldIs):
			report("a handler that is done changes the world when it is called once more", diffJSON(worldIs, world))
			return
		}
	} else {
		r, world, err := e.again(work, is, worldIs, maxRepeats)
		if err != nil || !r.IsDone() {
			return // it is not done by calls alone, so there is no end to compare
		}
		end = world
	}
	if r, world, err := e.again(work, was, worldIs, maxRepeats); err == nil && r.IsDone() && !bytes.Equal(world, end) {
		report("after a crash before the write, repeated calls reach another world", diffJSON(end, world))
	}
}

// maxRepeats bounds the calls of a handler after a simulated crash.
const maxRepeats = 100

// again calls a handler on a copy of an object and in a world, until it is
// done, fails, or has been called often enough.
func (e *engine[T, W]) again(work runner.Handler[T], object T, world []byte, calls int) (result runner.Result, after []byte, err error) {
	if err := e.load(world); err != nil {
		return result, nil, err
	}
	if object, err = copyOf(object); err != nil {
		return result, nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p}
		}
	}()
	ctx, cancel := e.aside()
	defer cancel()
	now := e.clock.Now()
	for range calls {
		if result, err = work.Handle(ctx, object); err != nil || result.IsDone() {
			break
		}
		now = now.Add(e.setup.Resync)
		if calls > 1 && e.setup.Elapse != nil {
			e.setup.Elapse(e.world, now)
		}
	}
	return result, e.save(), err
}

// diffJSON shows how two worlds differ: the lines of a diff that do, in one.
func diffJSON(before, after []byte) string {
	a, _ := decode[any](before)
	b, _ := decode[any](after)
	var lines []string
	for line := range strings.Lines(cmp.Diff(a, b)) {
		if line[0] == '-' || line[0] == '+' {
			lines = append(lines, line[:1]+strings.Join(strings.Fields(strings.ReplaceAll(line[1:], "\u00a0", " ")), " "))
		}
	}
	return "-before +after: " + strings.TrimSuffix(strings.Join(lines, " "), ",")
}
