package world

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Delay is the default duration of any work: long enough that a controller
// must wait, short enough for a test.
const Delay = 10 * time.Millisecond

// World works on all namespaces of a control plane. It is safe for concurrent
// use.
type World struct {
	client client.Client
	tasks  sync.WaitGroup

	mu         sync.Mutex
	failing    map[client.ObjectKey]string
	held       map[client.ObjectKey]bool
	discovered map[client.ObjectKey]func(*api.MigPlan)
}

// Start starts a world that works until the context is done. The returned
// function waits for its end.
func Start(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (*World, func(), error) {
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, err
	}
	w := &World{
		client: c, failing: map[client.ObjectKey]string{}, held: map[client.ObjectKey]bool{},
		discovered: map[client.ObjectKey]func(*api.MigPlan){},
	}
	informers, err := cache.New(config, cache.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, err
	}
	for _, one := range []struct {
		object client.Object
		work   func(context.Context, client.ObjectKey) error
	}{{&api.Task{}, w.task}, {&corev1.Pod{}, w.pod}, {&api.MigPlan{}, w.plan}} {
		informer, err := informers.GetInformer(ctx, one.object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, nil, err
		}
		seen := func(o any) {
			if object, ok := o.(client.Object); ok {
				w.tasks.Go(func() { w.work(ctx, client.ObjectKeyFromObject(object), one.work) })
			}
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: seen, UpdateFunc: func(_, o any) { seen(o) },
		}); err != nil {
			return nil, nil, err
		}
	}
	w.tasks.Go(func() { _ = informers.Start(ctx) })
	return w, w.tasks.Wait, nil
}

// work repeats a piece of work after a delay until it succeeds.
func (w *World) work(ctx context.Context, key client.ObjectKey, do func(context.Context, client.ObjectKey) error) {
	for wait := Delay; ; wait *= 2 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(wait, time.Second)):
		}
		err := do(ctx, key)
		if err == nil || apierrors.IsNotFound(err) {
			return
		}
	}
}

// Fail makes a present or future task of a migration fail.
func (w *World) Fail(namespace, task, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing[client.ObjectKey{Namespace: namespace, Name: task}] = why
}

// Hold keeps a task, or the refresh of a plan, from ending. Call release to
// end it.
func (w *World) Hold(namespace, name string) (release func()) {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[key] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.held, key)
	}
}

// Discover changes a plan when it is refreshed.
func (w *World) Discover(namespace, plan string, change func(*api.MigPlan)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.discovered[client.ObjectKey{Namespace: namespace, Name: plan}] = change
}

// released returns an error while the object is held.
func (w *World) released(key client.ObjectKey) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[key] {
		return fmt.Errorf("%s is held", key)
	}
	return nil
}

func (w *World) task(ctx context.Context, key client.ObjectKey) error {
	var task api.Task
	if err := w.client.Get(ctx, key, &task); err != nil || task.Status.Phase != "" {
		return err
	}
	if err := w.released(key); err != nil {
		return err
	}
	task.Status.Phase = api.TaskCompleted
	w.mu.Lock()
	if why, ok := w.failing[key]; ok {
		task.Status = api.TaskStatus{Phase: api.TaskFailed, Message: why}
	}
	w.mu.Unlock()
	return w.client.Status().Update(ctx, &task)
}

func (w *World) pod(ctx context.Context, key client.ObjectKey) error {
	var pod corev1.Pod
	if err := w.client.Get(ctx, key, &pod); err != nil || pod.Status.Phase == corev1.PodRunning || pod.DeletionTimestamp != nil {
		return err
	}
	pod.Status.Phase = corev1.PodRunning
	return w.client.Status().Update(ctx, &pod)
}

func (w *World) plan(ctx context.Context, key client.ObjectKey) error {
	var plan api.MigPlan
	if err := w.client.Get(ctx, key, &plan); err != nil || !plan.Spec.Refresh {
		return err
	}
	if err := w.released(key); err != nil {
		return err
	}
	plan.Spec.Refresh = false
	w.mu.Lock()
	if change := w.discovered[key]; change != nil {
		change(&plan)
	}
	w.mu.Unlock()
	return w.client.Update(ctx, &plan)
}
