package controller_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// gauges returns the metrics of what runs do now.
func (w *world) gauges() []string { return gaugesOf(w.counted()) }

func gaugesOf(all []string) (gauges []string) {
	for _, metric := range all {
		for _, name := range []string{"runs{", "runs_overdue{", "oldest_activity_seconds{"} {
			if strings.HasPrefix(metric, name) {
				gauges = append(gauges, strings.ReplaceAll(metric, "controller=move ", ""))
			}
		}
	}
	return gauges
}

// The gauges show what a run does at the moment at which they are collected.
func TestGaugesOfRun(t *testing.T) {
	w := newWorld(t, subresource)
	result, cause := runner.Wait(10*time.Minute, "copying"), error(nil)
	w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return result, cause }
	w.options.Runner.Deadline = time.Hour
	reconcile := func() {
		t.Helper()
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Empty(t, w.gauges())
	for s := w.get().Status.State; s == nil || s.Phase != "Copy"; s = w.get().Status.State {
		reconcile()
	}
	const overdue = "runs_overdue{itinerary=Move} "
	assert.Equal(t, []string{overdue + "0", "runs{activity=Working itinerary=Move} 1"}, w.gauges())
	w.now = w.now.Add(5 * time.Second)
	assert.Contains(t, w.gauges(), "oldest_activity_seconds{activity=Working itinerary=Move} 5")

	reconcile()
	w.now = w.now.Add(time.Minute)
	waits := []string{"oldest_activity_seconds{activity=Waiting itinerary=Move} 60", overdue + "0",
		"runs{activity=Waiting itinerary=Move} 1"}
	assert.Equal(t, waits, w.gauges())

	w.edit(func(m *Move) { m.Spec.Paused = true })
	reconcile()
	w.now = w.now.Add(2 * time.Hour)
	assert.Equal(t, []string{"oldest_activity_seconds{activity=Paused itinerary=Move} 7200", overdue + "0",
		"runs{activity=Paused itinerary=Move} 1"}, w.gauges(),
		"a pause moves the deadline")
	w.edit(func(m *Move) { m.Spec.Paused = false })

	cause = errDown
	reconcile()
	w.now = w.now.Add(30 * time.Second)
	assert.Equal(t, []string{"oldest_activity_seconds{activity=Retrying itinerary=Move} 30", overdue + "0",
		"runs{activity=Retrying itinerary=Move} 1"}, w.gauges())
	w.now = w.now.Add(time.Hour)
	assert.Equal(t, []string{"oldest_activity_seconds{activity=Retrying itinerary=Move} 3630", overdue + "1",
		"runs{activity=Retrying itinerary=Move} 1"}, w.gauges(),
		"the controller does not get to it")

	cause = nil
	result = runner.Fail("no space")
	w.end()
	assert.Equal(t, []string{"runs_overdue{itinerary=CleanUp} 0", "runs{activity=Done itinerary=CleanUp} 1"}, w.gauges())
}

// An object that cannot be read or written is stopped or retried, since the first
// failure.
func TestGaugesOfUnreadableObjects(t *testing.T) {
	w := newWorld(t, plain)
	w.options.Runner.Storage = inAnnotation
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) { m.Annotations[annotation] = "{" })
	for range 2 {
		w.now = w.now.Add(time.Minute)
		_, err = w.reconcile()
		require.Error(t, err)
	}
	assert.Contains(t, w.gauges(), "runs{activity=Stopped itinerary=Move} 1")
	assert.Contains(t, w.gauges(), "oldest_activity_seconds{activity=Stopped itinerary=Move} 61", "it is stopped since the first")

	w.edit(func(m *Move) { m.Annotations[annotation] = `{"itinerary": "Mvoe", "done": true}` })
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, []string{"runs_overdue{itinerary=} 0", "runs{activity=Done itinerary=} 1"}, w.gauges(),
		"users can write any name into a state")

	w.edit(func(m *Move) { delete(m.Annotations, annotation); m.Status.Itinerary, m.Status.Phase = "", "" })
	w.end()
	assert.Equal(t, []string{"runs_overdue{itinerary=Move} 0", "runs{activity=Done itinerary=Move} 1"}, w.gauges())

	// The first failure that is seen of an object.
	w = newWorld(t, plain)
	w.options.Runner.Storage = inAnnotation
	w.edit(func(m *Move) { m.Annotations = map[string]string{annotation: "{"} })
	_, err = w.reconcile()
	require.Error(t, err)
	assert.Equal(t, []string{"runs_overdue{itinerary=} 0", "runs{activity=Stopped itinerary=} 1"}, w.gauges())
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, w.gauges())
}

func TestGaugesForgetObjectsThatAreBeingDeleted(t *testing.T) {
	w := newWorld(t, subresource)
	w.edit(func(m *Move) { m.Finalizers = []string{"example.com/a"} })
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.NotEmpty(t, w.gauges())
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, w.gauges())
}

// Each item of a list counts, from the reconcile in which it changes.
func TestGaugesOfItems(t *testing.T) {
	w := newPlanWorld(t, "a", "b", "c", "d")
	w.list.MaxAtWork = 2
	w.list.Runner.OnError = func(PlanVM, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
	broken := errors.New("no such disk")
	w.handle = func(i PlanVM, phase string) (runner.Result, error) {
		switch {
		case phase == "Copy" && i.Key() == "a":
			return runner.Wait(time.Minute, ""), nil
		case phase == "Copy" && i.Key() == "b":
			return runner.Result{}, broken
		case phase == "Copy" && i.Key() == "c":
			return runner.Wait(time.Minute, ""), nil
		}
		return runner.Done(), nil
	}
	gauges := func() []string { return gaugesOf(metricsOf(t, w.metrics)) }
	for range 8 {
		w.after(time.Second)
	}
	now := gauges()
	for i := range now {
		now[i] = strings.ReplaceAll(now[i], "controller=plan ", "")
	}
	assert.Contains(t, now, "runs{activity=Stopped itinerary=Move} 1", "although the others continue")
	assert.Contains(t, now, "runs{activity=Waiting itinerary=Move} 2")
	assert.Contains(t, now, "runs{activity=NotBegun itinerary=} 1")
	assert.Contains(t, now, "runs_overdue{itinerary=Move} 0")
	assert.Len(t, now, 7)

	w.edit(func(f *Plan) { f.Spec.VMs = []string{"c"} })
	w.after(time.Second)
	assert.Len(t, gauges(), 3)
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	w.after(time.Second)
	assert.Empty(t, gauges())
}

// An item whose state cannot be read or written also counts.
func TestGaugesOfUnreadableItem(t *testing.T) {
	w := newPlanWorld(t, "a", "b")
	read := w.list.Runner.Storage.Read
	w.list.Runner.Storage.Read = func(ctx context.Context, i PlanVM) (runner.State, error) {
		if i.Key() == "b" {
			return runner.State{}, &runner.AnnotationError{Annotation: "x", Err: errDown}
		}
		return read(ctx, i)
	}
	for range 2 {
		_, _ = w.reconcile()
		w.now = w.now.Add(time.Second)
	}
	got := strings.Join(metricsOf(t, w.metrics), "\n")
	assert.Contains(t, got, "runs{activity=Stopped controller=plan itinerary=} 1")
	assert.Contains(t, got, "oldest_activity_seconds{activity=Stopped controller=plan itinerary=} 2")
	assert.Contains(t, got, "runs{activity=Working controller=plan itinerary=Move} 1")
}

func TestNameOfController(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Name = "moves"
	w.end()
	assert.Contains(t, w.counted(), "runs{activity=Done controller=moves itinerary=Move} 1")
	assert.Contains(t, w.counted(), "runs_total{controller=moves itinerary=Move result=Succeeded} 1")

	w.options.Name = "\xff"
	_, err := controller.New(w.options)
	require.ErrorContains(t, err, "Name is \"\\xff\", which is not valid UTF-8")
}

// Metrics are collected while runs are reconciled.
func TestGaugesAreCollectedAtAnyTime(t *testing.T) {
	w := newPlanWorld(t, names(20)...)
	w.restart()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := w.metrics.Gather(); err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 10 {
		_, err := w.made.Reconcile(context.Background(), request)
		require.NoError(t, err)
	}
	close(stop)
	require.NoError(t, <-stopped)
	assert.Contains(t, metricsOf(t, w.metrics), "runs{activity=Done controller=plan itinerary=Move} 20")
}
