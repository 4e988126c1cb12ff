package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// planWorld is everything around a reconciler of a Plan.
type planWorld struct {
	t   *testing.T
	now time.Time
	// handle is the work of handlers; nil is done at once.
	handle func(i PlanVM, phase string) (runner.Result, error)
	// before is called before each patch.
	before func() error

	called  []string // "vm/phase"
	writes  int
	events  []string
	server  client.WithWatch
	metrics *prometheus.Registry
	list    controller.ListOptions[*Plan, VM]
	options controller.Options[*Plan]
	made    *controller.Reconciler[*Plan]
}

func newPlanWorld(t *testing.T, names ...string) *planWorld {
	w := &planWorld{t: t, now: time.Unix(1_600_000_000, 0), metrics: prometheus.NewRegistry()}
	group := schema.GroupVersion{Group: "example.com", Version: "v1"}
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(group, &Plan{})
	metav1.AddToGroupVersion(scheme, group)
	w.server = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&Plan{}).WithObjects(&Plan{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "shop", UID: "1", Generation: 1}, Spec: PlanSpec{VMs: names},
	}).Build()
	w.list = controller.ListOptions[*Plan, VM]{
		Items:     VMs,
		Key:       func(vm *VM) string { return vm.Name },
		Summarize: func(f *Plan, s controller.Summary) { f.Status.Summary = s },
		Runner: runner.Options[PlanVM]{
			Itineraries: itineraries,
			Storage:     runner.NewStatusStorage(func(i PlanVM) *runner.State { return &i.Item.State }),
			Select: func(_ context.Context, i PlanVM) (string, error) {
				if slices.Contains(i.Object.Spec.Canceled, i.Key()) || i.Item.FailedPhases > 0 {
					return "CleanUp", nil
				}
				return "Move", nil
			},
			Sources: func(context.Context, PlanVM) (*phases.Sources, error) {
				return phases.NewSources(vocabulary, phases.Source{Flag: volumes, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					return phases.True, nil
				}})
			},
			Paused: func(_ context.Context, i PlanVM) (bool, error) {
				return slices.Contains(i.Object.Spec.Paused, i.Key()), nil
			},
			Now: func() time.Time { return w.now },
			Handler: runner.VisitFunc[PlanVM](func(_ context.Context, i PlanVM, v runner.Visit) (runner.Result, error) {
				w.called = append(w.called, i.Key()+"/"+v.Phase)
				if w.handle != nil {
					return w.handle(i, v.Phase)
				}
				return runner.Done(), nil
			}),
		},
	}
	w.options = controller.Options[*Plan]{
		Client: interceptor.NewClient(w.server, interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				w.writes++
				if w.before != nil {
					if err := w.before(); err != nil {
						return err
					}
				}
				return c.Status().Patch(ctx, o, p, opts...)
			},
		}),
		New:               func() *Plan { return &Plan{} },
		StatusSubresource: true,
		Conditions:        controller.NewConditions(func(f *Plan) *[]metav1.Condition { return &f.Status.Conditions }),
		Metrics:           w.metrics,
		Recorder: controller.RecorderFunc(func(_ runtime.Object, kind, reason, message string) {
			w.events = append(w.events, fmt.Sprintf("%s %s: %s", kind, reason, message))
		}),
	}
	return w
}

func (w *planWorld) restart() {
	w.t.Helper()
	var err error
	w.options.List = controller.NewList(w.list)
	w.made, err = controller.New(w.options)
	require.NoError(w.t, err)
}

// reconcile reconciles once; it writes at most once.
func (w *planWorld) reconcile() (reconcile.Result, error) {
	w.t.Helper()
	if w.made == nil {
		w.restart()
	}
	writes := w.writes
	w.called = nil
	result, err := w.made.Reconcile(context.Background(), request)
	require.LessOrEqual(w.t, w.writes-writes, 1)
	return result, err
}

// after lets time pass, and reconciles.
func (w *planWorld) after(d time.Duration) reconcile.Result {
	w.t.Helper()
	w.now = w.now.Add(d)
	result, err := w.reconcile()
	require.NoError(w.t, err)
	return result
}

// end reconciles until nothing remains to be done.
func (w *planWorld) end() {
	w.t.Helper()
	for n := 1; n < 1000; n++ {
		result := w.after(0)
		if result.RequeueAfter == 0 {
			return
		}
		w.now = w.now.Add(result.RequeueAfter)
	}
	w.t.Fatal("it does not come to an end")
}

func (w *planWorld) get() *Plan {
	w.t.Helper()
	f := &Plan{}
	require.NoError(w.t, w.server.Get(context.Background(), request.NamespacedName, f))
	return f
}

func (w *planWorld) vm(name string) *VM {
	w.t.Helper()
	for _, vm := range w.get().Status.VMs {
		if vm.Name == name {
			return &vm
		}
	}
	w.t.Fatalf("there is no %s", name)
	return nil
}

// edit changes the spec as a user does.
func (w *planWorld) edit(change func(f *Plan)) {
	w.t.Helper()
	f := w.get()
	change(f)
	require.NoError(w.t, w.server.Update(context.Background(), f))
}

// editStatus changes the status as another client does.
func (w *planWorld) editStatus(change func(f *Plan)) {
	w.t.Helper()
	f := w.get()
	change(f)
	require.NoError(w.t, w.server.Status().Update(context.Background(), f))
}

func (w *planWorld) condition(kind string) string {
	w.t.Helper()
	for _, c := range w.get().Status.Conditions {
		if c.Type == kind {
			return fmt.Sprintf("%s/%s: %s", c.Status, c.Reason, c.Message)
		}
	}
	return ""
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("vm-%03d", i))
	}
	return all
}

// busy returns the names of the items that have begun and are not done.
func (w *planWorld) busy() (all []string) {
	for _, vm := range w.get().Status.VMs {
		if vm.Itinerary != "" && !vm.Done && vm.Stopped == nil {
			all = append(all, vm.Name)
		}
	}
	return all
}

func TestMaxAtWork(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	w := newPlanWorld(t, names(9)...)
	w.list.MaxAtWork = 3
	w.handle = func(i PlanVM, _ string) (runner.Result, error) {
		switch random.IntN(3) {
		case 0:
			return runner.Wait(time.Duration(random.IntN(20))*time.Second, "copying"), nil
		case 1:
			return runner.Result{}, errDown
		}
		return runner.Done(), nil
	}
	var begun []string
	most := 0
	for n := 0; w.get().Status.Summary.Done() < 9; n++ {
		require.Less(t, n, 500)
		result := w.after(0)
		busy := w.busy()
		require.LessOrEqual(t, len(busy), 3)
		most = max(most, len(busy))
		for _, vm := range busy {
			if !slices.Contains(begun, vm) {
				begun = append(begun, vm)
			}
		}
		w.now = w.now.Add(max(result.RequeueAfter, time.Second))
	}
	assert.Equal(t, 3, most)
	assert.Equal(t, names(9), begun, "in the order of the list")
	assert.Equal(t, controller.Summary{Succeeded: 9}, w.get().Status.Summary)
	assert.Equal(t, "False/Done: 9 succeeded", w.condition(controller.ConditionRunning))
	assert.Equal(t, "True/Succeeded: ", w.condition(controller.ConditionSucceeded))
}

// An item that is done or stopped makes room in the same reconcile.
func TestNextItemBeginsAtOnce(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.list.MaxAtWork = 1
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		if phase == "Attach" {
			return runner.Fail("no node"), nil
		}
		return runner.Done(), nil
	}
	w.list.Runner.Select = func(context.Context, PlanVM) (string, error) { return "Move", nil } // does not answer a failure
	for range 4 {
		w.after(time.Second)
	}
	assert.NotNil(t, w.vm("a").Stopped)
	assert.Equal(t, "Refresh", w.vm("b").Phase)
	assert.Equal(t, []string{"b"}, w.busy())
}

// A cancel does not wait, even if it comes before the item has begun.
func TestCancelOfItemDoesNotWait(t *testing.T) {
	w := newPlanWorld(t, "a", "b", "c")
	w.list.MaxAtWork = 1
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		if phase == "Refresh" {
			return runner.Wait(time.Hour, ""), nil
		}
		return runner.Done(), nil
	}
	w.after(0)
	w.after(time.Second)
	assert.Equal(t, []string{"a"}, w.busy())
	w.edit(func(f *Plan) { f.Spec.Canceled = []string{"b"} })
	w.after(time.Second)
	assert.Equal(t, "Report", w.vm("b").Phase)
	w.after(time.Millisecond)
	assert.Equal(t, phases.Canceled, w.vm("b").Result)
	assert.True(t, w.vm("b").Done)
	assert.Equal(t, controller.Summary{NotBegun: 1, Waiting: 1, Canceled: 1}, w.get().Status.Summary)
	assert.Empty(t, w.vm("c").Itinerary)
}

// The reconciler comes back for the item that is due first. It then calls only that
// item and those without their own time.
func TestItemsAreCalledWhenDue(t *testing.T) {
	w := newPlanWorld(t, "long", "short", "retried", "watching")
	w.list.Runner.Backoff = runner.Backoff{Initial: 20 * time.Second}
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		switch i.Key() {
		case "long":
			return runner.Wait(15*time.Minute, ""), nil
		case "short":
			return runner.Wait(3*time.Second, ""), nil
		case "retried":
			return runner.Result{}, errDown
		}
		return runner.Wait(0, ""), nil
	}
	assert.Equal(t, time.Millisecond, w.after(0).RequeueAfter, "all have begun")
	assert.Equal(t, 3*time.Second, w.after(time.Millisecond).RequeueAfter)
	require.Equal(t, []string{"long/Refresh", "short/Refresh", "retried/Refresh", "watching/Refresh"}, w.called)
	for _, next := range []time.Duration{3 * time.Second, 3 * time.Second, time.Second} {
		assert.Equal(t, next, w.after(3*time.Second).RequeueAfter)
		assert.Equal(t, []string{"short/Refresh", "watching/Refresh"}, w.called)
	}
	assert.Equal(t, 2*time.Second, w.after(time.Second).RequeueAfter)
	assert.Equal(t, []string{"long/Refresh", "watching/Refresh"}, w.called,
		"an event of what it waits for may have come at the time of another item")

	w.after(time.Second)
	assert.Len(t, w.called, 4, "an event wakes all")
	w.after(3 * time.Second)
	assert.Len(t, w.called, 2)
	w.now = w.now.Add(2 * time.Second)
	w.edit(func(f *Plan) { metav1.SetMetaDataAnnotation(&f.ObjectMeta, "example.com/note", "woken") })
	w.after(time.Second)
	assert.Len(t, w.called, 4, "a change of the object at the time of an item wakes all")

	w.restart()
	w.after(0)
	assert.Len(t, w.called, 4, "after a restart all are called")
}

// If one waiting item is called early, all are, so that they do not wake each other every
// few seconds. An hour later the first of them is due, and then all are called again.
func TestWaitingItemsAreCalledEarlyOnce(t *testing.T) {
	w := newPlanWorld(t, "a", "b", "short")
	start, calls := w.now, map[string][]int{}
	waits := map[string][]time.Duration{"b": {4 * time.Second}, "short": {3 * time.Second, 3 * time.Second}}
	w.handle = func(i PlanVM, _ string) (runner.Result, error) {
		key, n := i.Key(), len(calls[i.Key()])
		calls[key] = append(calls[key], int(w.now.Sub(start)/time.Second))
		if n < len(waits[key]) {
			return runner.Wait(waits[key][n], ""), nil
		}
		return runner.Wait(time.Hour, ""), nil
	}
	next := w.after(0).RequeueAfter
	for range 6 {
		next = w.after(next).RequeueAfter
	}
	assert.Equal(t, map[string][]int{"a": {0, 10, 3610}, "b": {0, 4, 10, 3610}, "short": {0, 3, 6, 10, 3610}}, calls)
	assert.Equal(t, time.Hour, next)
}

func TestRetryOfItemIsNotEarly(t *testing.T) {
	w := newPlanWorld(t, "retried", "short")
	w.list.Runner.Backoff = runner.Backoff{Initial: time.Minute}
	calls := 0
	w.handle = func(i PlanVM, _ string) (runner.Result, error) {
		if i.Key() == "retried" {
			calls++
			return runner.Result{}, errDown
		}
		return runner.Wait(time.Second, ""), nil
	}
	w.after(0)
	w.after(time.Millisecond)
	for range 59 {
		w.after(time.Second)
	}
	assert.Equal(t, 1, calls)
	w.after(time.Second)
	assert.Equal(t, 2, calls)
	assert.Equal(t, int64(2), w.vm("retried").Retry.Attempts)
}

// A new run of an item that is done waits for room as its first run did.
func TestRunAgainOfItemWaitsForRoom(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.list.MaxAtWork = 1
	w.list.Runner.Token = func(_ context.Context, i PlanVM) (string, runner.RunFrom, error) {
		return i.Object.Annotations["example.com/"+i.Key()], runner.FromStart, nil
	}
	waits := true
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		if i.Key() == "b" && waits {
			return runner.Wait(time.Minute, ""), nil
		}
		return runner.Done(), nil
	}
	w.after(0)
	for !w.vm("a").Done || w.vm("b").WaitingSince == nil {
		w.after(time.Second)
	}
	w.edit(func(p *Plan) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, "example.com/a", "again") })
	for range 3 {
		w.after(time.Minute)
		assert.True(t, w.vm("a").Done)
		assert.Equal(t, []string{"b"}, w.busy())
	}
	waits = false
	for !w.vm("b").Done {
		w.after(time.Minute)
	}
	assert.Equal(t, []string{"a"}, w.busy())
	w.end()
	assert.Equal(t, controller.Summary{Succeeded: 2}, w.get().Status.Summary)
	assert.Equal(t, int64(2), w.vm("a").Run)
	assert.Len(t, w.vm("a").Runs, 1)
}

// An item that is stopped is called again once the object has changed, not when another
// item is due.
func TestStoppedItemWaitsForChange(t *testing.T) {
	w := newPlanWorld(t, "stopped", "short")
	w.list.Runner.OnError = func(PlanVM, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
	broken := true
	w.handle = func(i PlanVM, _ string) (runner.Result, error) {
		if i.Key() == "stopped" && broken {
			return runner.Result{}, errDown
		}
		return runner.Wait(time.Second, ""), nil
	}
	w.after(0)
	w.after(time.Millisecond)
	require.NotNil(t, w.vm("stopped").Stopped)
	for range 20 {
		w.after(time.Second)
		assert.Equal(t, []string{"short/Refresh"}, w.called)
	}
	broken = false
	w.edit(func(p *Plan) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, "example.com/fixed", "yes") })
	w.after(time.Second)
	assert.Equal(t, []string{"short/Refresh", "stopped/Refresh"}, w.called)
	assert.Nil(t, w.vm("stopped").Stopped)
}

// A problem of one item neither hides nor stops the others.
func TestProblemOfItemStaysWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		set      func(w *planWorld)
		state    func(vm *VM) string
		want     string
		terminal bool // if nothing else remains
		summary  controller.Summary
		event    string
	}{
		"a failure that the selector does not answer": {
			set: func(w *planWorld) {
				w.list.Runner.Select = func(context.Context, PlanVM) (string, error) { return "Move", nil }
				w.handle = func(i PlanVM, _ string) (runner.Result, error) {
					if i.Key() == "bad" {
						return runner.Fail("no disk"), nil
					}
					return runner.Done(), nil
				}
			},
			state: func(vm *VM) string { return vm.Stopped.Error }, want: "no disk", terminal: true,
			summary: controller.Summary{Stopped: 1, Succeeded: 2}, event: `Warning Stopped: item "bad": phase "Refresh" of itinerary "Move" failed`,
		},
		"a handler that panics": {
			set: func(w *planWorld) {
				w.handle = func(i PlanVM, _ string) (runner.Result, error) {
					if i.Key() == "bad" {
						panic("no disk")
					}
					return runner.Done(), nil
				}
			},
			state: func(vm *VM) string { return vm.Retry.Error }, want: "no disk",
			summary: controller.Summary{Running: 1, Succeeded: 2}, event: `Warning Retrying: item "bad": phase "Refresh" of itinerary "Move"`,
		},
		"a selector that panics": {
			set: func(w *planWorld) {
				was := w.list.Runner.Select
				w.list.Runner.Select = func(ctx context.Context, i PlanVM) (string, error) {
					if i.Key() == "bad" {
						panic("no disk")
					}
					return was(ctx, i)
				}
			},
			state: func(vm *VM) string { return vm.Retry.Error }, want: "no disk",
			summary: controller.Summary{NotBegun: 1, Succeeded: 2}, event: `Warning Retrying: item "bad": the run has not begun`,
		},
		"an itinerary that is unknown": {
			set: func(w *planWorld) {
				was := w.list.Runner.Select
				w.list.Runner.Select = func(ctx context.Context, i PlanVM) (string, error) {
					if i.Key() == "bad" {
						return "Mvoe", nil
					}
					return was(ctx, i)
				}
			},
			state: func(vm *VM) string { return vm.Stopped.Error }, want: `"Mvoe"`, terminal: true,
			summary: controller.Summary{Stopped: 1, Succeeded: 2}, event: `Warning Stopped: item "bad": `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlanWorld(t, "good", "bad", "better")
			w.list.MaxAtWork = 2
			c.set(w)
			var err error
			for n := 0; w.get().Status.Summary.Succeeded < 2; n++ {
				require.Less(t, n, 50)
				var result reconcile.Result
				result, err = w.reconcile()
				w.now = w.now.Add(max(result.RequeueAfter, time.Second))
			}
			if c.terminal {
				_, err = w.reconcile()
				require.ErrorIs(t, err, reconcile.TerminalError(nil))
				require.ErrorContains(t, err, `item "bad": `)
			} else {
				require.NoError(t, err)
			}
			assert.Contains(t, c.state(w.vm("bad")), c.want)
			assert.Equal(t, c.summary, w.get().Status.Summary)
			assert.Contains(t, w.condition(controller.ConditionRunning), `item "bad": `)
			assert.True(t, slices.ContainsFunc(w.events, func(e string) bool { return strings.HasPrefix(e, c.event) }), "%q", w.events)
		})
	}
}

// An item whose state cannot be read or written stays as it was.
func TestItemThatCannotBeReadOrWritten(t *testing.T) {
	for _, writing := range []bool{false, true} {
		t.Run(fmt.Sprintf("writing: %v", writing), func(t *testing.T) {
			w := newPlanWorld(t, "good", "bad")
			real, broken := w.list.Runner.Storage, true
			w.list.Runner.Storage = runner.Storage[PlanVM]{
				Read: func(ctx context.Context, i PlanVM) (runner.State, error) {
					if broken && !writing && i.Item.Name == "bad" {
						return runner.State{}, errDown
					}
					return real.Read(ctx, i)
				},
				Write: func(ctx context.Context, i PlanVM, s runner.State) error {
					if broken && writing && i.Item.Name == "bad" {
						i.Item.Note = "half written"
						return errDown
					}
					return real.Write(ctx, i, s)
				},
			}
			result := w.after(0)
			assert.Equal(t, time.Millisecond, result.RequeueAfter, "the good item continues")
			for w.get().Status.Summary.Succeeded == 0 {
				_, err := w.reconcile()
				if w.get().Status.Summary.Succeeded == 0 {
					require.NoError(t, err)
				}
				w.now = w.now.Add(time.Second)
			}
			_, err := w.reconcile()
			require.ErrorIs(t, err, errDown)
			require.NotErrorIs(t, err, reconcile.TerminalError(nil), "it is retried by the rate limiter")
			assert.Contains(t, w.condition(controller.ConditionRunning), errDown.Error())
			assert.Empty(t, cmp.Diff(VM{Name: "bad"}, *w.vm("bad")))
			broken = false
			w.end()
			assert.Equal(t, controller.Summary{Succeeded: 2}, w.get().Status.Summary)
		})
	}
}

func TestConflictOfItems(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		if i.Key() == "b" {
			return runner.Wait(time.Hour, ""), nil
		}
		return runner.Done(), nil
	}
	w.after(0)
	w.after(time.Millisecond)
	require.Equal(t, "Copy", w.vm("a").Phase)

	once := func(change func()) {
		w.before = func() error {
			w.before = nil
			change()
			return nil
		}
		w.made, w.called = nil, nil
		w.restart()
		w.now = w.now.Add(time.Second)
		_, err := w.made.Reconcile(context.Background(), request)
		require.NoError(t, err)
	}
	once(func() { w.editStatus(func(f *Plan) { f.Status.VMs[1].Note = "by another" }) })
	assert.Equal(t, "Attach", w.vm("a").Phase, "the change of another item does no harm")
	assert.Equal(t, "by another", w.vm("b").Note)
	assert.Equal(t, []string{"a/Copy", "b/Refresh"}, w.called, "handlers are called once")

	once(func() { w.editStatus(func(f *Plan) { f.Status.VMs[1].State = runner.State{} }) })
	assert.Equal(t, "Attach", w.vm("a").Phase, "the state has changed, so the result is discarded")
	assert.Empty(t, w.vm("b").Phase)

	once(func() { w.edit(func(f *Plan) { f.Spec.VMs = []string{"a", "c", "b"} }) })
	assert.Equal(t, "Attach", w.vm("a").Phase, "the same holds for other items")
	w.after(time.Millisecond)
	assert.True(t, w.vm("a").Done)
	assert.Equal(t, "Refresh", w.vm("c").Phase)
}

func TestItemsComeAndGo(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.list.Runner.Backoff = runner.Backoff{Initial: time.Minute}
	w.handle = func(PlanVM, string) (runner.Result, error) { return runner.Result{}, errDown }
	w.after(0)
	w.after(time.Millisecond)
	assert.Equal(t, []string{"a", "b"}, controller.RememberedItems[*Plan, VM](w.made))
	w.edit(func(f *Plan) { f.Spec.VMs = []string{"c", "b"} })
	w.after(time.Second)
	assert.Equal(t, []string{"b/Refresh"}, w.called, "c begins")
	assert.Equal(t, "Refresh", w.vm("c").Phase)
	assert.Equal(t, int64(1), w.vm("b").Retry.Attempts, "b is as it was")
	assert.Equal(t, []string{"b", "c"}, controller.RememberedItems[*Plan, VM](w.made))

	w.edit(func(f *Plan) { f.Spec.VMs = []string{"a", "b", "c"} })
	w.after(time.Second)
	assert.Equal(t, "Refresh", w.vm("a").Phase, "a begins again")
	assert.Nil(t, w.vm("a").Retry)

	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	w.after(time.Second)
	assert.Empty(t, controller.RememberedItems[*Plan, VM](w.made))
}

// known is an observer that remembers runs by their keys.
type known map[string]bool

func (k known) Observe(_ context.Context, _ PlanVM, e runner.Event) {
	if e, ok := e.(runner.RunReconciled); ok {
		k[e.Key] = true
	}
}

func (k known) Forget(key string) { delete(k, key) }

func TestObserversForgetItemsThatAreGone(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	runs := known{}
	w.list.Runner.Observers = []runner.Observer[PlanVM]{runs}
	w.before = func() error { return errDown }
	_, err := w.reconcile()
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, known{"apps/shop/a": true, "apps/shop/b": true}, runs)
	w.before = nil
	w.edit(func(f *Plan) { f.Spec.VMs = []string{"b", "c"} })
	w.after(time.Second)
	assert.Equal(t, known{"apps/shop/b": true, "apps/shop/c": true}, runs, "also if the call with the first was not settled")

	w.edit(func(f *Plan) { f.Spec.VMs = []string{"c", "d"} })
	w.before = func() error { return errDown }
	_, err = w.reconcile()
	require.ErrorIs(t, err, errDown)
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	w.after(time.Second)
	assert.Empty(t, runs)
}

// An item that leaves the list is forgotten.
func TestRunsOfItemsAreRecorded(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
	require.NoError(t, err)
	w.options.Runs = recorder
	names := func() (names []string) {
		runs, _ := recorder.Runs()
		for _, run := range runs {
			names = append(names, run.Name.String())
		}
		return names
	}
	w.after(time.Second)
	assert.Equal(t, []string{"apps/shop[a]", "apps/shop[b]"}, names())
	w.edit(func(f *Plan) { f.Spec.VMs = []string{"b", "c"} })
	w.after(time.Second)
	assert.Equal(t, []string{"apps/shop[b]", "apps/shop[c]"}, names(), "a is gone")
}

func TestItemsWithoutUniqueKeys(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		want  controller.ItemError
		text  string
	}{
		"one key": {[]string{"a", "b", "a"}, controller.ItemError{Index: 2, Key: "a"}, `item 2 of the list has the key "a" of an earlier item; make the keys unique`},
		"no key":  {[]string{"a", ""}, controller.ItemError{Index: 1}, "item 1 of the list has no key; give each item one"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlanWorld(t, c.names...)
			for range 2 {
				_, err := w.reconcile()
				var item *controller.ItemError
				require.ErrorAs(t, err, &item)
				assert.Equal(t, c.want, *item)
				require.ErrorIs(t, err, reconcile.TerminalError(nil))
			}
			assert.Empty(t, w.called)
			assert.Equal(t, "False/Stopped: read the items: "+c.text, w.condition(controller.ConditionRunning))
			assert.Len(t, w.events, 1)
			w.edit(func(f *Plan) { f.Spec.VMs = []string{"a"} })
			w.end()
			assert.True(t, w.vm("a").Done)
		})
	}
}

// An object with so many items that their states might not fit is refused before any of
// them begins.
func TestTooManyItems(t *testing.T) {
	w := newPlanWorld(t, names(20_000)...)
	_, err := w.reconcile()
	var many *controller.TooManyItemsError
	require.ErrorAs(t, err, &many)
	require.ErrorIs(t, err, reconcile.TerminalError(nil))
	assert.Equal(t, 20_000, many.Items)
	assert.Greater(t, many.Max, 500)
	assert.Empty(t, w.called)
	assert.Equal(t, fmt.Sprintf("False/Stopped: the object has 20000 items, but room for the states of only %d; divide the items among "+
		"several objects", many.Max),
		w.condition(controller.ConditionRunning))
	w.edit(func(f *Plan) { f.Spec.VMs = names(many.Max) })
	w.list.MaxAtWork = 1
	w.restart()
	w.after(0)
	assert.Equal(t, controller.Summary{NotBegun: many.Max - 1, Running: 1}, w.get().Status.Summary)
}

// Whatever handlers return, an object of 500 items stays below 1 MiB, and each item
// keeps its checkpoint, its facts and its steps. The itinerary is the warm migration of
// forklift, with all flags set: nine steps.
func TestSizeOfFiveHundredItems(t *testing.T) {
	n := testscale.Of(500, 25)
	w := newPlanWorld(t, names(n)...)
	file, err := os.Open("../../tests/conformance/testdata/forklift-warm.yaml")
	require.NoError(t, err)
	defer file.Close()
	loaded, err := phases.Load(file, file.Name())
	require.NoError(t, err)
	warm, err := loaded.Itinerary("Warm")
	require.NoError(t, err)
	w.list.Runner.Itineraries = machine.MustCompileSet(warm, phases.Itinerary{Name: "Cancel", Vocabulary: warm.Vocabulary, Cleanup: true,
		Phases: []phases.Phase{{Name: "DeleteVM", Step: "Cleanup"}}})
	w.list.Runner.Select = func(_ context.Context, i PlanVM) (string, error) {
		if i.Item.FailedPhases > 0 {
			return "Cancel", nil
		}
		return "Warm", nil
	}
	w.list.Runner.Sources = func(context.Context, PlanVM) (*phases.Sources, error) {
		var all []phases.Source
		for flag := range warm.Vocabulary.All().Each {
			all = append(all, phases.Source{Flag: flag,
				Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) { return phases.True, nil }})
		}
		return phases.NewSources(warm.Vocabulary, all...)
	}
	w.list.Runner.MaxPhases = 40
	huge := strings.Repeat("\x00\xff\"", 1<<10)
	lines := slices.Repeat([]string{huge}, 10)
	random := rand.New(rand.NewPCG(2, 0))
	visited := map[string]bool{}
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		if at := i.Key() + phase; !visited[at] {
			visited[at] = true
			switch random.IntN(24) {
			case 0:
				return runner.Wait(time.Second, huge, lines...), nil
			case 1:
				return runner.Result{}, errors.New(huge)
			}
		}
		if random.IntN(100) == 0 {
			return runner.Fail(lines...), nil
		}
		return runner.Done(), nil
	}
	largest, s, wasSteps := 0, controller.Summary{}, 0
	for rounds := 0; s.Done() < n; rounds++ {
		require.Less(t, rounds, 60)
		w.after(time.Minute)
		p := w.get()
		s = p.Status.Summary
		data, err := json.Marshal(p)
		require.NoError(t, err)
		largest = max(largest, len(data))
		require.Less(t, len(data), 1<<20)
		for _, vm := range p.Status.VMs {
			require.NotEmpty(t, vm.Itinerary)
			require.NotEmpty(t, vm.Facts.Hash)
			require.Len(t, append(vm.Facts.True, vm.Facts.Unknown...), warm.Vocabulary.Len())
			wasSteps = max(wasSteps, len(vm.Pipeline))
			require.NotEmpty(t, vm.Pipeline)
			for _, step := range vm.Pipeline {
				require.True(t, step.Completed == nil || step.Message == "Completed" || step.Message == "Failed", "%+v", step)
			}
			require.Equal(t, vm.FailedPhases > 0, len(vm.Failures) > 0, "the last failure is kept")
		}
	}
	t.Logf("at most %d bytes, %d writes", largest, w.writes)
	assert.Equal(t, 9, wasSteps)
	assert.Equal(t, n, s.Succeeded+s.Failed)
	assert.NotZero(t, s.Failed)
	assert.NotZero(t, s.Succeeded)
	assert.Contains(t, w.condition(controller.ConditionFailed), `True/Failed: item "vm-`)
}

// When the controller shuts down, no more handlers are called.
func TestShutdownBetweenItems(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.after(0)
	ctx, cancel := context.WithCancel(context.Background())
	w.handle = func(PlanVM, string) (runner.Result, error) {
		cancel()
		return runner.Done(), nil
	}
	w.called = nil
	_, _ = w.made.Reconcile(ctx, request)
	assert.Equal(t, []string{"a/Refresh"}, w.called)
	w.handle = nil
	w.end()
	assert.Equal(t, controller.Summary{Succeeded: 2}, w.get().Status.Summary)
}

func TestPausedItem(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	w.after(0)
	w.edit(func(f *Plan) { f.Spec.Paused = []string{"a"} })
	w.after(time.Second)
	assert.Contains(t, w.events, `Normal Paused: item "a": paused: phase "Refresh" of itinerary "Move"`)
	assert.Equal(t, controller.Summary{Paused: 1, Running: 1}, w.get().Status.Summary)
	w.end()
	assert.Equal(t, "True/Paused: ", w.condition(controller.ConditionPaused))
	assert.Equal(t, "False/Paused: 1 paused, 1 succeeded", w.condition(controller.ConditionRunning))
	w.edit(func(f *Plan) { f.Spec.Paused = nil })
	w.end()
	assert.Contains(t, w.events, `Normal Resumed: item "a": resumed: phase "Refresh" of itinerary "Move"`)
	assert.Equal(t, "False/No: ", w.condition(controller.ConditionPaused))
	assert.True(t, w.vm("a").Done)
}

// No label has the name of an item.
func TestMetricsOfItems(t *testing.T) {
	w := newPlanWorld(t, names(20)...)
	w.end()
	families, err := w.metrics.Gather()
	require.NoError(t, err)
	finished := 0.0
	for _, f := range families {
		assert.LessOrEqual(t, len(f.GetMetric()), 3)
		if f.GetName() == "dynamic_pipeline_runs_total" {
			finished = f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	assert.Equal(t, 20.0, finished)
}

func TestSpansOfItems(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	seen := &spans{}
	w.options.TracerProvider = seen
	w.handle = func(i PlanVM, _ string) (runner.Result, error) {
		if i.Key() == "b" {
			return runner.Result{}, errDown
		}
		return runner.Done(), nil
	}
	w.after(0)
	seen.ended = nil
	w.after(time.Millisecond)
	assert.Equal(t, []string{
		"reconcile run > reconcile item > phase Refresh [Move Refresh]",
		"reconcile run > reconcile item [a Move Refresh Copy]",
		"reconcile run > reconcile item > phase Refresh [Move Refresh] error",
		"reconcile run > reconcile item [b Move Refresh Refresh] error",
		"reconcile run [shop] error",
	}, seen.ended)
}

func TestInvalidOptionsOfList(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(w *planWorld)
		want string
	}{
		"no items":    {func(w *planWorld) { w.list.Items = nil }, "List: Items is missing"},
		"no key":      {func(w *planWorld) { w.list.Key = nil }, "List: Key is missing"},
		"negative":    {func(w *planWorld) { w.list.MaxAtWork = -1 }, "List: MaxAtWork is -1; it must not be negative"},
		"no selector": {func(w *planWorld) { w.list.Runner.Select = nil }, "List: Runner: Select is missing"},
		"items panic": {func(w *planWorld) { w.list.Items = func(*Plan) []*VM { panic("none") } },
			"List: Items panics with an empty object: none; let it allocate what the object lacks"},
		"both":        {func(w *planWorld) { w.options.Runner.Itineraries = itineraries }, "both Runner and List are set; set one of them"},
		"no client":   {func(w *planWorld) { w.options.Client = nil }, "Client is missing"},
		"a zero list": {func(w *planWorld) { w.options.List = &controller.List[*Plan]{} }, "List was not made; make it with NewList"},
		"read panics": {func(w *planWorld) {
			w.list.Runner.Storage.Read = func(context.Context, PlanVM) (runner.State, error) { panic("none") }
		}, "List: Read of Storage panics with an empty object: none; let it allocate what the object lacks"},
		"an annotation.": {func(w *planWorld) { w.list.Runner.Storage.Annotation = "example.com/state" },
			`List: Storage is the annotation "example.com/state", which cannot be written together with a status subresource; use NewStatusStorage`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPlanWorld(t)
			c.set(w)
			if w.options.List == nil {
				w.options.List = controller.NewList(w.list)
			}
			_, err := controller.New(w.options)
			var options *controller.OptionsError
			require.ErrorAs(t, err, &options)
			assert.Equal(t, []string{c.want}, options.Problems)
		})
	}
}
