package debug

import (
	"context"
	"slices"
)

// watchers are the clients that wait for changes: of any run, or of one.
type watchers struct {
	ofAll []chan struct{}
	of    map[Name][]chan struct{}
}

// Watch returns a channel that receives a value after a change of one run, or of any run
// if n is nil. Several changes before the value is received are merged into one. The
// channel is closed when the context is done.
func (r *Recorder) Watch(ctx context.Context, n *Name) <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	var name Name
	if n == nil {
		r.watchers.ofAll = append(r.watchers.ofAll, c)
	} else {
		name = *n
		r.watchers.of[name] = append(r.watchers.of[name], c)
	}
	is := func(o chan struct{}) bool { return o == c }
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if n == nil {
			r.watchers.ofAll = slices.DeleteFunc(r.watchers.ofAll, is)
		} else if r.watchers.of[name] = slices.DeleteFunc(r.watchers.of[name], is); len(r.watchers.of[name]) == 0 {
			delete(r.watchers.of, name)
		}
		close(c)
	})
	return c
}

// changed notifies the watchers that a run has changed. It never blocks.
func (w *watchers) changed(n Name) {
	for _, c := range w.ofAll {
		wake(c)
	}
	for _, c := range w.of[n] {
		wake(c)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // an earlier change has not been received yet
	}
}
