package machinetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// handle is the handler of every phase.
func (e *engine[T, W]) handle(
	ctx context.Context, object T, itinerary string, phase phases.Phase, work runner.HandlerFunc[T],
) (result runner.Result, err error) {
	c := call{itinerary: itinerary, phase: phase.Name, at: e.clock.Now(), ended: ctx.Err() != nil}
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
	if extra := differ(was, is) &^ (phase.Decides | e.flags.Live()); extra != 0 {
		e.broken(Break{Promise: PromiseDeclared, Itinerary: itinerary, How: "a phase changes a flag that it does not decide",
			Detail: fmt.Sprintf("%s changes %s; add it to Decides of the phase", phase.Name, strings.Join(e.flags.Names(extra), ", "))})
	}
	e.now.worked = e.now.worked || !bytes.Equal(worldWas, e.save())
	c.result, c.kind = result.String(), e.kindOf(itinerary, phase.Name, result)
	if c.kind == resultDone {
		c.choice, c.after = result.Choice(), result.RequeueAfter()
	}
	switch {
	case panicked != nil:
		c.result, c.kind = fmt.Sprintf("panic: %v", panicked), resultError
	case err != nil:
		c.result, c.kind = "error: "+err.Error(), resultError
	case instead == nil && decides == nil && work != nil:
		e.checkRepeat(itinerary, phase.Name, work, objectWas, object, worldWas, result)
	}
	e.now.calls = append(e.now.calls, c)
	e.now.log = append(e.now.log, c)
	if panicked != nil {
		panic(panicked)
	}
	return result, err
}

// kindOf classifies a result that came without an error.
func (e *engine[T, W]) kindOf(itinerary, phase string, result runner.Result) resultKind {
	switch {
	case result.IsDone() && (result.Choice() == "" || e.mayChoose(itinerary, phase, result.Choice())):
		return resultDone
	case result.IsDone() && cleansUp(e.graph(itinerary)):
		return resultFail
	case result.IsDone():
		return resultStop
	case result.IsWait():
		return resultWait
	case result.IsFail():
		return resultFail
	}
	return resultError
}

// mayChoose reports whether a phase declares a choice.
func (e *engine[T, W]) mayChoose(itinerary, phase, choice string) bool {
	m, err := e.graph(itinerary).NewMachine(machine.Position{Phase: phase}, phases.Facts{})
	return err == nil && m.MayChoose(choice) == nil
}

// work calls the phase's handler, or does what a line of the script puts in its place.
func (e *engine[T, W]) work(ctx context.Context, object T, work runner.HandlerFunc[T], instead *Line) (runner.Result, error) {
	if instead == nil || instead.after {
		result, err := runner.Done(), error(nil)
		if work != nil {
			result, err = work(ctx, object)
		}
		if instead == nil {
			return result, err
		}
	}
	switch instead.verb {
	case verbDone:
		return instead.done, nil
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

// checkRepeat checks that a handler is idempotent. Called again after it is done, it must be done
// again and leave the world unchanged. After a crash before its write, when the object has its old
// state, repeated calls must finish the work and reach the same world as without the crash.
func (e *engine[T, W]) checkRepeat(itinerary, phase string, work runner.HandlerFunc[T], was, is T, worldWas []byte, result runner.Result) {
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
	without := repeat{calls: maxRepeats} // the crash
	if result.IsDone() {
		once := e.again(work, is, worldIs, repeat{calls: 1})
		switch {
		case !once.done():
			report("a handler that is done returns something else when it is called once more", once.String())
			return
		case !bytes.Equal(once.world, worldIs):
			report("a handler that is done changes the world when it is called once more", diffJSON(worldIs, once.world))
			return
		}
		without.calls = 0
	}
	a := e.again(work, is, worldIs, without)
	if !a.done() {
		return // repeated calls do not finish it, so there is no end to compare
	}
	b := e.again(work, was, worldIs, repeat{calls: maxRepeats})
	// Compare the worlds at the same time: the rest of the world changes with time.
	if a.elapsed < b.elapsed {
		a = e.again(work, is, worldIs, repeat{calls: without.calls, elapses: b.elapsed})
	}
	if b.elapsed < a.elapsed {
		b = e.again(work, was, worldIs, repeat{calls: maxRepeats, elapses: a.elapsed})
	}
	switch {
	case !b.done():
		report("after a crash before the write, repeated calls do not finish the work", b.String())
	case !bytes.Equal(a.world, b.world):
		report("after a crash before the write, repeated calls reach a different world", diffJSON(a.world, b.world))
	}
}

// maxRepeats bounds the calls of a handler after a simulated crash.
const maxRepeats = 100

// repeat is how often a handler is called at most, and how often time passes at least.
type repeat struct{ calls, elapses int }

// repeated is the result of a repeat.
type repeated struct {
	repeat
	result  runner.Result
	err     error
	world   []byte
	elapsed int
}

func (r repeated) done() bool { return r.err == nil && (r.calls == 0 || r.result.IsDone()) }

func (r repeated) String() string {
	if r.err != nil {
		return r.err.Error()
	}
	return r.result.String()
}

// again calls a handler on a copy of an object and of a world until it is done or has been called
// n.calls times. Time passes between two calls.
func (e *engine[T, W]) again(work runner.HandlerFunc[T], object T, world []byte, n repeat) (r repeated) {
	r.repeat = n
	if r.err = e.load(world); r.err != nil {
		return r
	}
	if object, r.err = copyOf(object); r.err != nil {
		return r
	}
	ctx, cancel := e.aside()
	defer cancel()
	now := e.clock.Now()
	elapse := func() {
		r.elapsed++
		now = now.Add(e.setup.Resync)
		if e.setup.Elapse != nil {
			e.setup.Elapse(e.world, now)
		}
	}
	for call := range n.calls {
		if call > 0 {
			elapse()
		}
		if r.result, r.err = callSafely(ctx, work, object); r.done() {
			break
		}
	}
	for r.elapsed < n.elapses {
		elapse()
	}
	r.world = e.save()
	return r
}

// callSafely calls a handler and recovers from its panics, as the runner does.
func callSafely[T any](ctx context.Context, work runner.HandlerFunc[T], object T) (result runner.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p}
		}
	}()
	return work(ctx, object)
}

// diffJSON returns the differing lines of two worlds in one line.
func diffJSON(before, after []byte) string {
	a, _ := decode[any](before)
	b, _ := decode[any](after)
	return "-before +after: " + diffLines(cmp.Diff(a, b))
}

// diffLines joins the differing lines of a diff into one line.
func diffLines(diff string) string {
	var lines []string
	for line := range strings.Lines(diff) {
		if line[0] == '-' || line[0] == '+' {
			lines = append(lines, line[:1]+strings.Join(strings.Fields(strings.ReplaceAll(line[1:], "\u00a0", " ")), " "))
		}
	}
	return strings.TrimSuffix(strings.Join(lines, " "), ",")
}
