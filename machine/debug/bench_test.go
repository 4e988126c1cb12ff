package debug

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// run runs a migration from start to end, and returns the number of reconciles.
func run(t testing.TB, r *runner.Runner[*migration], m *migration) (hops int) {
	for !m.State.Done {
		_, err := r.Reconcile(context.Background(), m)
		require.NoError(t, err)
		hops++
	}
	return hops
}

// BenchmarkIdle measures a reconcile that changes nothing, with and without a recorder.
func BenchmarkIdle(b *testing.B) {
	set := itineraries(b)
	recorder := newRecorder(b, Options{Itineraries: set})
	without, with := newRunner(b, set), newRunner(b, set, observe(b, recorder))
	var took [2]time.Duration
	n := 0
	migrations := []*migration{newMigration("a", busy), newMigration("b", busy)}
	for i, r := range []*runner.Runner[*migration]{without, with} {
		run(b, r, migrations[i])
	}
	for b.Loop() {
		for i, r := range []*runner.Runner[*migration]{without, with} {
			start := time.Now()
			for range 100 {
				if _, err := r.Reconcile(context.Background(), migrations[i]); err != nil {
					b.Fatal(err)
				}
			}
			took[i] += time.Since(start)
		}
		n += 100
	}
	b.ReportMetric(float64(took[1]-took[0])/float64(n), "ns-more")
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkObserve measures the recorder alone: leaving a phase for the next, and a
// reconcile that changes nothing.
func BenchmarkObserve(b *testing.B) {
	set := itineraries(b)
	m := newMigration("migration", busy)
	var states []runner.State
	var events [][]runner.Event
	r := newRunner(b, set, runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
		if e, is := e.(runner.RunReconciled); is {
			states = append(states, *e.State.DeepCopy())
			return
		}
		if len(events) == len(states) {
			events = append(events, nil)
		}
		events[len(states)] = append(events[len(states)], e)
	}))
	run(b, r, m)
	o := observe(b, newRecorder(b, Options{Itineraries: set}))
	ctx := context.Background()
	b.Run("moved", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			k := 5 + i%(len(states)-10)
			for _, e := range events[k] {
				o.Observe(ctx, m, e)
			}
			o.Observe(ctx, m, runner.RunReconciled{Key: string(m.UID), State: &states[k], Changed: true, Requeue: true})
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		last := len(states) - 1
		for i := 0; b.Loop(); i++ {
			o.Observe(ctx, m, runner.RunReconciled{Key: string(m.UID), State: &states[last], Changed: i == 0})
		}
	})
}

// BenchmarkWatched measures a change that 50 slow watchers are notified of, relative to
// one without watchers.
func BenchmarkWatched(b *testing.B) {
	var took [2]time.Duration
	recorders := [2]*Recorder{newRecorder(b, Options{}), newRecorder(b, Options{})}
	for range 50 {
		recorders[1].Watch(b.Context(), nil)
	}
	n := int64(0)
	for b.Loop() {
		n++
		for i, r := range recorders {
			start := time.Now()
			r.Record(Name{Name: "a"}, runner.State{Visit: n}, false)
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1]-took[0])/float64(n), "ns-more")
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRead reads 1,000 runs, and one with its history.
func BenchmarkRead(b *testing.B) {
	set := itineraries(b)
	r := newRecorder(b, Options{Itineraries: set})
	m := newMigration("migration", busy)
	run(b, newRunner(b, set, observe(b, r)), m)
	for i := range 999 {
		r.Record(Name{Name: strconv.Itoa(i)}, m.State, false)
	}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			r.Runs()
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			r.Lookup(m.name())
		}
	})
}
