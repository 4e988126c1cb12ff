package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// BenchmarkObserver compares whole runs of MTC's Final with and without an observer.
// They take turns, so the ratio also holds on a busy machine.
func BenchmarkObserver(b *testing.B) {
	var status runner.Status
	var state runner.State
	for _, c := range []struct {
		name     string
		observer runner.ObserverFunc[*migration]
	}{
		{"that does nothing", func(context.Context, *migration, runner.Event) {}},
		{"of the status", func(_ context.Context, _ *migration, e runner.Event) {
			if e, ok := e.(runner.RunReconciled); ok {
				status = e.State.Status(noon)
			}
		}},
		{"that copies the state", func(_ context.Context, _ *migration, e runner.Event) {
			if e, ok := e.(runner.RunReconciled); ok {
				e.State.DeepCopyInto(&state)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			without, with := finalRun(b), finalRun(b, c.observer)
			var took [2]time.Duration
			hops := 0
			for b.Loop() {
				for i, run := range []func() int{without, with} {
					began := time.Now()
					hops += run() * i
					took[i] += time.Since(began)
				}
			}
			b.ReportMetric(float64(took[0].Nanoseconds())/float64(hops), "ns/hop-without")
			b.ReportMetric(float64(took[1].Nanoseconds())/float64(hops), "ns/hop-with")
			b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
		})
	}
	_ = status
}

// finalRun returns a function that runs MTC's Final with all of its steps from start to
// end, and returns the number of reconciles.
func finalRun(b *testing.B, observers ...runner.ObserverFunc[*migration]) func() int {
	b.Helper()
	o := runner.Options[*migration]{
		Itineraries: machine.MustCompileSet(mtc.Itineraries()...),
		Select:      func(context.Context, *migration) (string, error) { return mtc.Final, nil },
		Sources: func(context.Context, *migration) (*phases.Sources, error) {
			var all []phases.Source
			for flag := range mtc.Vocabulary().All().Each {
				all = append(all, phases.SourceOf(flag, phases.True))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Storage:     runner.NewStatusStorage(func(m *migration) *runner.State { return &m.State }),
		PassThrough: true,
	}
	for _, observer := range observers {
		o.Observers = append(o.Observers, observer)
	}
	r, err := runner.New(o)
	if err != nil {
		b.Fatal(err)
	}
	return func() (hops int) {
		m := &migration{}
		for !m.State.Done {
			if _, err := r.Reconcile(context.Background(), m); err != nil {
				b.Fatal(err)
			}
			hops++
		}
		return hops
	}
}
