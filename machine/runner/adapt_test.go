package runner_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// envelope holds a migration beside other fields.
type envelope struct {
	Label     string
	Migration migration
}

func open(e *envelope) *migration { return &e.Migration }

// full returns the options of a world with all fields set. called records the functions
// that the runner does not call in a short life.
func full(w *world, called *[]string) options {
	o := w.options
	recordCall := func(name string) { *called = append(*called, name) }
	o.Handler = o.Phases["Copy"].Handler
	o.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"Copy": {
		Handler: o.Handler, Deadline: time.Minute, MaxAttempts: 2, Backoff: runner.Backoff{Initial: time.Second},
	}}}
	o.PassThrough, o.PauseHoldsCleanup = true, true
	o.OnError = func(*migration, runner.Visit, error) runner.ErrorAction {
		recordCall("OnError")
		return runner.ActionFail
	}
	o.Deadline, o.MaxAttempts, o.Backoff = time.Hour, 3, runner.Backoff{Initial: time.Second}
	o.Failed = func(context.Context, *migration) (bool, error) { recordCall("Failed"); return false, nil }
	o.Token = func(_ context.Context, m *migration) (string, runner.RunFrom, error) {
		return "a", runner.FromStart, nil
	}
	o.OnRunAgain = func(context.Context, *migration, runner.PastRun) error { recordCall("OnRunAgain"); return nil }
	o.SourceFlags = volumes | images
	o.Key = func(*migration) string { recordCall("Key"); return "key" }
	o.MaxState = func(*migration) int { recordCall("MaxState"); return 0 }
	o.MaxPhases, o.EvaluationTimeout, o.WithTimeout = 1, time.Second, context.WithTimeout
	o.Storage.Annotation = "example.com/state"
	return o
}

func TestAdaptLeavesNoOptionOut(t *testing.T) {
	w := newWorld(t)
	var called []string
	adapted := runner.Adapt(full(w, &called), open)
	for _, v := range []any{adapted, adapted.PhasesByItinerary["Move"]["Copy"]} {
		for i, r := 0, reflect.ValueOf(v); i < r.NumField(); i++ {
			assert.False(t, r.Field(i).IsZero(), "%T has no %s", v, r.Type().Field(i).Name)
		}
	}
	assert.Equal(t, "example.com/state", adapted.Storage.Annotation)

	ctx, e := context.Background(), &envelope{}
	assert.Equal(t, runner.ActionFail, adapted.OnError(e, runner.Visit{}, errors.New("conflict")))
	_, _ = adapted.Failed(ctx, e)
	_ = adapted.OnRunAgain(ctx, e, runner.PastRun{})
	adapted.Key(e)
	adapted.MaxState(e)
	assert.Equal(t, []string{"OnError", "Failed", "OnRunAgain", "Key", "MaxState"}, called)
}

func TestAdaptAddsNoOption(t *testing.T) {
	assert.True(t, reflect.ValueOf(runner.Adapt(options{}, open)).IsZero())
}

// A migration lives in its envelope as it does alone, even if it fails or is paused.
func TestAdaptedRunEqualsRun(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(*world, *migration)
	}{
		{"to its end", func(*world, *migration) {}},
		{"with a failure", func(w *world, _ *migration) {
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no space left"), nil }
		}},
		{"paused", func(_ *world, m *migration) { m.Paused = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alone, inside := newWorld(t), newWorld(t)
			m, e := &migration{}, &envelope{Label: "blue"}
			tt.prepare(alone, m)
			tt.prepare(inside, &e.Migration)
			r, err := runner.New(runner.Adapt(inside.options, open))
			require.NoError(t, err)
			for range 12 {
				want, wantErr := alone.runner().Reconcile(context.Background(), m)
				got, gotErr := r.Reconcile(context.Background(), e)
				require.Equal(t, wantErr, gotErr)
				require.Empty(t, cmp.Diff(want, got), "-alone +inside")
			}
			assert.Empty(t, cmp.Diff(m, &e.Migration), "-alone +inside")
			assert.Equal(t, alone.called, inside.called)
			assert.Equal(t, alone.events, inside.events)
			assert.Equal(t, "blue", e.Label)
		})
	}
}

// New refuses the same faults in adapted options.
func TestAdaptHidesNothingFromNew(t *testing.T) {
	w := newWorld(t)
	o := w.options
	o.Handler = runner.VisitFunc[*migration](nil)
	o.Observers = append(o.Observers, nil)
	o.Storage = runner.NewStatusStorage[*migration](nil)
	_, want := runner.New(o)
	_, got := runner.New(runner.Adapt(o, open))
	var a, b *runner.OptionsError
	require.ErrorAs(t, want, &a)
	require.ErrorAs(t, got, &b)
	assert.Len(t, b.Problems, len(a.Problems))
	assert.Contains(t, b.Problems, "Observers: number 2 is nil; remove it")

	_, err := runner.New(runner.Adapt[*migration, *envelope](w.options, nil))
	assert.ErrorContains(t, err, "Adapt has no function")
}
