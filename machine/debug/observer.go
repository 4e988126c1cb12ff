package debug

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// NewObserver returns an observer that records the runs of a runner in r, for
// [runner.Options].Observers. It is safe for concurrent use if name is. The function name
// returns the name of an object's run. If nil, the name is the result of the object's
// method
//
//	RunName() (namespace, name, item string)
//
// as items of a list have it, or else the namespace and name of a Kubernetes object. The
// error is an [*UnnamedTypeError] if the type has neither. The recorder treats runs with
// equal names as one run: use one recorder for each kind of objects.
func NewObserver[T any](r *Recorder, name func(object T) Name) (runner.Observer[T], error) {
	if name == nil {
		var err error
		if name, err = nameOf[T](); err != nil {
			return nil, err
		}
	}
	return &observer[T]{r: r, name: name}, nil
}

type observer[T any] struct {
	r    *Recorder
	name func(object T) Name
}

func (o *observer[T]) Observe(_ context.Context, object T, e runner.Event) {
	o.r.observe(o, o.name(object), e)
}

// Forget drops a run whose object is gone, by the runner's key.
func (o *observer[T]) Forget(key string) { o.r.forgetKey(runKey{o, key}) }

// runKey is the key of a run in its runner. Each runner has one observer.
type runKey struct {
	observer any
	key      string
}
