package controllertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

// Injector counts the requests of a controller to an API server, and lets some of them
// meet a fault. It is safe for concurrent use. Requests of the method Apply, which
// newer releases of controller-runtime have, bypass it.
type Injector struct {
	server client.WithWatch

	mu       sync.Mutex
	faults   []Fault
	met      []int // by fault: the number of requests that have matched
	fired    []Request
	requests []Request
	process  int
	crashed  bool
	stale    int // the number of reads of the cache that are still behind
	since    time.Time
	history  history
	// now is the clock, to end a lag of the cache in time. Optional.
	now func() time.Time
	// wrote is called after each write that was carried out. Optional.
	wrote func(ctx context.Context)
}

// NewInjector returns an injector in front of a server, which is a client of a real API
// server or a fake client. Requests meet the faults as [Fault] describes.
func NewInjector(server client.WithWatch, faults ...Fault) *Injector {
	return &Injector{server: server, faults: faults, met: make([]int, len(faults)), history: newHistory()}
}

// Client returns the client of the present process of the controller. It reads from a
// cache that may be behind ([StaleRead]), and ends with the process: see
// [Injector.Restart].
func (i *Injector) Client() client.WithWatch { return i.client(true) }

// Reader returns a reader of the present process that reads past the cache.
func (i *Injector) Reader() client.Reader { return i.client(false) }

// Restart begins a new process of the controller. Requests of clients that were made
// before fail from now on.
func (i *Injector) Restart() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process++
	i.crashed = false
}

// Crashed reports whether a fault has ended the present process.
func (i *Injector) Crashed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.crashed
}

// Requests returns a copy of all requests so far, of all processes, in order.
func (i *Injector) Requests() []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.requests)
}

// Fired returns a copy of the requests that met a fault, in order.
func (i *Injector) Fired() []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.fired)
}

// hang waits until a context ends. See [machinetest.Hang].
func hang(ctx context.Context) error {
	if ctx.Done() == nil {
		return errors.New("the request would never return: its context cannot end; use a context with a deadline or a cancel")
	}
	return machinetest.Hang(ctx)
}

// next counts a request of a process, and returns the kind of its fault; empty if there
// is none.
func (i *Injector) next(process int, r Request) (_ Request, fault Kind, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if process != i.process || i.crashed {
		return r, "", fmt.Errorf("%s: %w", r, ErrCrashed)
	}
	r.N = len(i.requests) + 1
	i.requests = append(i.requests, r)
	for k, f := range i.faults {
		if !f.matches(r) {
			continue
		}
		if i.met[k]++; fault == "" && (f.Nth == 0 || f.Nth == i.met[k]) && f.Kind.fits(r) {
			fault = f.Kind
		}
	}
	if fault != "" {
		i.fired = append(i.fired, r)
	}
	if fault == StaleRead {
		i.lags()
	}
	return r, fault, nil
}

// do lets a request meet its fault, if it has one. The function do carries it out.
func (i *Injector) do(ctx context.Context, process int, r Request, object runtime.Object, do func() error) error {
	if err := ctx.Err(); err != nil { // a fake client does not check it
		return fmt.Errorf("%s: %w", r, err)
	}
	r, fault, err := i.next(process, r)
	if err != nil {
		return err
	}
	write := r.IsWrite()
	switch fault {
	case Timeout, TooManyRequests, InternalError, NetworkError:
		return fault.errorOf(ctx, r)
	case CrashBefore:
		i.crash(fault)
		return fault.errorOf(ctx, r)
	case Slow:
		if !write {
			return fault.errorOf(ctx, r)
		}
	case Conflict:
		if err := i.touch(ctx, r, object); err != nil {
			return fmt.Errorf("let another client write first: %w", err)
		}
	}
	if write {
		err = i.write(ctx, r, object, do)
	} else {
		err = do()
	}
	switch {
	case fault.crashes():
		i.crash(fault)
		return fault.errorOf(ctx, r)
	case err == nil && (fault == AnswerLost || fault == Slow):
		return fault.errorOf(ctx, r)
	}
	return err
}

func (i *Injector) crash(fault Kind) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.crashed = true
	if fault == CrashStale {
		i.lags()
	}
}

// write carries a write out and records its result.
func (i *Injector) write(ctx context.Context, r Request, object runtime.Object, do func() error) error {
	o, one := object.(client.Object)
	one = one && r.Verb != "deletecollection"
	if one {
		i.record(ctx, r, o, true)
	}
	err := do()
	if err == nil && one {
		i.record(ctx, r, o, false)
	}
	if err == nil && i.wrote != nil {
		i.wrote(ctx)
	}
	return err
}

// touch changes an object as another client does.
func (i *Injector) touch(ctx context.Context, r Request, object runtime.Object) error {
	o, err := empty(object.(client.Object), types.NamespacedName{Namespace: r.Namespace, Name: r.Name})
	if err != nil {
		return err
	}
	patch := `{"metadata":{"labels":{"` + Touched + `":"` + strconv.Itoa(r.N) + `"}}}`
	return client.IgnoreNotFound(i.server.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// request describes a request for an object or a list.
func (i *Injector) request(verb, subresource string, object runtime.Object, key types.NamespacedName, cached bool) Request {
	r := Request{Verb: verb, Subresource: subresource, Namespace: key.Namespace, Name: key.Name, Cached: cached}
	gvk, err := apiutil.GVKForObject(object, i.server.Scheme())
	if err != nil {
		r.Object = fmt.Sprintf("%T", object)
		return r
	}
	gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	r.Object = gvk.Kind
	r.resource = resourceOf(gvk)
	return r
}

func (i *Injector) client(cached bool) client.WithWatch {
	i.mu.Lock()
	process := i.process
	i.mu.Unlock()
	write := func(ctx context.Context, verb, sub string, o client.Object, do func() error) error {
		return i.do(ctx, process, i.request(verb, sub, o, client.ObjectKeyFromObject(o), cached), o, do)
	}
	return interceptor.NewClient(i.server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			r := i.request("get", "", o, key, cached)
			return i.do(ctx, process, r, o, func() error { return i.get(ctx, r, key, o, opts) })
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			var o client.ListOptions
			r := i.request("list", "", list, types.NamespacedName{Namespace: o.ApplyOptions(opts).Namespace}, cached)
			return i.do(ctx, process, r, list, func() error { return i.list(ctx, r, list, opts) })
		},
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) (w watch.Interface, err error) {
			var o client.ListOptions
			r := i.request("watch", "", list, types.NamespacedName{Namespace: o.ApplyOptions(opts).Namespace}, cached)
			err = i.do(ctx, process, r, list, func() error { w, err = c.Watch(ctx, list, opts...); return err })
			return w, err
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return write(ctx, "create", "", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return write(ctx, "update", "", o, func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return write(ctx, "patch", "", o, func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return write(ctx, "delete", "", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			return write(ctx, "deletecollection", "", o, func() error { return c.DeleteAllOf(ctx, o, opts...) })
		},
		SubResourceGet: func(
			ctx context.Context, c client.Client, name string, o, sub client.Object, opts ...client.SubResourceGetOption,
		) error {
			r := i.request("get", name, o, client.ObjectKeyFromObject(o), false)
			return i.do(ctx, process, r, o, func() error { return c.SubResource(name).Get(ctx, o, sub, opts...) })
		},
		SubResourceCreate: func(
			ctx context.Context, c client.Client, name string, o, sub client.Object, opts ...client.SubResourceCreateOption,
		) error {
			return write(ctx, "create", name, o, func() error { return c.SubResource(name).Create(ctx, o, sub, opts...) })
		},
		SubResourceUpdate: func(
			ctx context.Context, c client.Client, name string, o client.Object, opts ...client.SubResourceUpdateOption,
		) error {
			return write(ctx, "update", name, o, func() error { return c.SubResource(name).Update(ctx, o, opts...) })
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, name string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption,
		) error {
			return write(ctx, "patch", name, o, func() error { return c.SubResource(name).Patch(ctx, o, p, opts...) })
		},
	})
}
