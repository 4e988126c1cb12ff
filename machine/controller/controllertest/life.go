package controllertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

// life is one life of an object under a controller, with at most one fault.
type life[T client.Object] struct {
	setup    Setup[T]
	injector *Injector
	server   client.WithWatch
	key      client.ObjectKey
	empty    T
	clock    *machinetest.SimulatedClock
	work     *work

	last   T // as last written
	broken []string
}

// end describes how a life ended.
type end struct {
	object, outside any
	stopped         bool // with a terminal error
}

func newLife[T client.Object](s Setup[T], faults ...Fault) (*life[T], error) {
	server, object, err := s.Begin()
	if err != nil {
		return nil, fmt.Errorf("begin a life: %w", err)
	}
	l := &life[T]{setup: s, server: server, key: client.ObjectKeyFromObject(object), injector: NewInjector(server, faults...),
		clock: machinetest.NewClock(s.Start), work: &work{times: map[visit]int{}}}
	o, err := empty(object, l.key)
	if err != nil {
		return nil, err
	}
	l.empty = o.(T)
	l.injector.wrote, l.injector.now = l.wrote, l.clock.Now
	l.last, err = l.read(context.Background())
	return l, err
}

// read returns the object as the server has it.
func (l *life[T]) read(ctx context.Context) (T, error) {
	object := l.empty.DeepCopyObject().(T)
	err := l.server.Get(ctx, l.key, object)
	return object, err
}

func (l *life[T]) reportf(format string, args ...any) {
	l.broken = append(l.broken, fmt.Sprintf(format, args...))
}

// wrote checks the object after a write.
func (l *life[T]) wrote(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	now, err := l.read(ctx)
	if err != nil {
		if client.IgnoreNotFound(err) != nil {
			l.reportf("the object cannot be read after a write: %v", err)
		}
		return
	}
	if now.GetResourceVersion() == l.last.GetResourceVersion() {
		return
	}
	l.broken = append(l.broken, CheckStates(ctx, l.setup.Itineraries, l.setup.States, l.last, now)...)
	if l.setup.Conditions != nil {
		if states, err := l.setup.States(ctx, now); err == nil {
			l.broken = append(l.broken, CheckConditions(states, l.setup.Conditions(now))...)
		}
	}
	l.last = now
}

// start makes the controller, as after a crash.
func (l *life[T]) start() (reconcile.Reconciler, error) {
	l.injector.Restart()
	r, err := l.setup.New(Env{Client: l.injector.Client(), Reader: l.injector.Reader(), Now: l.clock.Now,
		WithTimeout: l.clock.WithTimeout, work: l.work})
	if err != nil {
		return nil, fmt.Errorf("make the controller: %w", err)
	}
	return r, nil
}

// run lets the object live to its end.
func (l *life[T]) run() (e end, err error) {
	r, err := l.start()
	if err != nil {
		return e, err
	}
	for n, over := 0, false; !over; n++ {
		if n == l.setup.MaxReconciles {
			return e, fmt.Errorf("the run does not end within %d reconciles; the last request is %s", n, l.lastRequest())
		}
		result, err := l.reconcile(r)
		var wrong *SetupError
		if errors.As(err, &wrong) {
			return e, err
		}
		after := time.Second // as long as the rate limiter holds an error
		switch {
		case l.injector.Crashed():
			if r, err = l.start(); err != nil {
				return e, err
			}
		case errors.Is(err, reconcile.TerminalError(nil)):
			e.stopped, over = true, true
		case err != nil:
		case result.RequeueAfter > 0:
			after = result.RequeueAfter
		case !result.IsZero():
		default:
			if over, err = l.done(); err != nil {
				return e, err
			}
			after = l.setup.Resync
		}
		if over {
			break
		}
		l.clock.Set(l.clock.Now().Add(after))
	}
	l.checkStable(r)
	return l.end(e)
}

func (l *life[T]) lastRequest() string {
	all := l.injector.Requests()
	if len(all) == 0 {
		return "none"
	}
	return all[len(all)-1].String()
}

// reconcile reconciles once.
func (l *life[T]) reconcile(r reconcile.Reconciler) (reconcile.Result, error) {
	if l.setup.Elapse != nil {
		if err := l.setup.Elapse(l.server, l.clock.Now()); err != nil {
			return reconcile.Result{}, setupError("Elapse: %v", err)
		}
	}
	ctx := context.Background()
	if l.setup.Only == "" { // the log of many lives is of no use
		ctx = log.IntoContext(ctx, logr.Discard())
	}
	ctx, cancel := l.clock.WithTimeout(ctx, l.setup.ReconcileTimeout)
	defer cancel()
	return r.Reconcile(ctx, reconcile.Request{NamespacedName: l.key})
}

// done reports whether all runs are done, or the object is gone.
func (l *life[T]) done() (bool, error) {
	ctx := context.Background()
	now, err := l.read(ctx)
	if err != nil {
		return true, client.IgnoreNotFound(err)
	}
	states, err := l.setup.States(ctx, now)
	if err != nil {
		return false, fmt.Errorf("read the states: %w", err)
	}
	for _, s := range states {
		if !s.Done {
			return false, nil
		}
	}
	return len(states) > 0, nil
}

// checkStable reconciles once more, which must change nothing.
func (l *life[T]) checkStable(r reconcile.Reconciler) {
	was, err := l.read(context.Background())
	if err != nil {
		return
	}
	_, _ = l.reconcile(r)
	if is, err := l.read(context.Background()); err == nil && is.GetResourceVersion() != was.GetResourceVersion() {
		l.reportf("a reconcile after the end has changed the object: -before +after\n%s", cmp.Diff(plain(was), plain(is)))
	}
}

// plain returns an object in the form that is compared, or the text of an error.
func plain(object any) any {
	v, err := normalized(object)
	if err != nil {
		return err.Error()
	}
	return v
}

// end reads how the life ended.
func (l *life[T]) end(e end) (end, error) {
	now, err := l.read(context.Background())
	switch {
	case client.IgnoreNotFound(err) != nil:
		return e, err
	case err == nil:
		if l.setup.Ignore != nil {
			l.setup.Ignore(now)
		}
		if e.object, err = normalized(now); err != nil {
			return e, err
		}
	}
	if l.setup.Outside == nil {
		return e, nil
	}
	outside, err := l.setup.Outside(l.server)
	if err != nil {
		return e, setupError("Outside: %v", err)
	}
	e.outside, err = normalized(outside)
	return e, err
}
