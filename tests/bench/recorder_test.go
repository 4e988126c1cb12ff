package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// recorded is a custom resource with recorded runs.
type recorded struct {
	metav1.ObjectMeta
	State runner.State
}

// BenchmarkRecorder compares the hops of final migrations without and with the
// observer of machine/debug, for one migration and for as many as the recorder keeps.
// Migrations advance in turn, by one phase each. Both sides alternate within one
// benchmark; the ratio is therefore meaningful even on a busy machine.
func BenchmarkRecorder(b *testing.B) {
	itineraries, err := machine.CompileSet(mtc.Itineraries()...)
	require.NoError(b, err)
	for _, n := range []int{1, 1_000} {
		b.Run(fmt.Sprintf("runs=%d", n), func(b *testing.B) {
			runs, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
			require.NoError(b, err)
			observer, err := debug.NewObserver[*recorded](runs, nil)
			require.NoError(b, err)
			runners := [2]*runner.Runner[*recorded]{finalRunner(b, itineraries), finalRunner(b, itineraries, observer)}
			var took [2]time.Duration
			hops := 0
			for b.Loop() {
				for i, r := range runners {
					all := make([]*recorded, n)
					for k := range all {
						name := fmt.Sprintf("migration-%d", k)
						all[k] = &recorded{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name, UID: types.UID(name)}}
					}
					start := time.Now()
					hops += i * allToTheEnd(b, r, all)
					took[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(took[0].Nanoseconds())/float64(hops), "ns/hop-without")
			b.ReportMetric(float64(took[1].Nanoseconds())/float64(hops), "ns/hop-with")
			b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// allToTheEnd reconciles all in turn until they are done, and returns the number of
// reconciles.
func allToTheEnd(b *testing.B, r *runner.Runner[*recorded], all []*recorded) (hops int) {
	for done := false; !done; {
		done = true
		for _, m := range all {
			if m.State.Done {
				continue
			}
			if _, err := r.Reconcile(context.Background(), m); err != nil {
				b.Fatal(err)
			}
			hops++
			done = done && m.State.Done
		}
	}
	return hops
}

// finalRunner returns a runner of final migrations with the flags of busy, whose
// phases do nothing.
func finalRunner(b *testing.B, itineraries *machine.Set, observers ...runner.Observer[*recorded]) *runner.Runner[*recorded] {
	r, err := runner.New(runner.Options[*recorded]{
		Itineraries: itineraries,
		Select:      func(context.Context, *recorded) (string, error) { return mtc.Final, nil },
		Sources: func(context.Context, *recorded) (*phases.Sources, error) {
			known := facts(busy)
			var all []phases.Source
			for _, d := range mtc.Vocabulary().Defs() {
				all = append(all, phases.SourceOf(d.Flag, known.Of(d.Flag)))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Storage:     runner.NewStatusStorage(func(m *recorded) *runner.State { return &m.State }),
		PassThrough: true,
		Observers:   observers,
	})
	require.NoError(b, err)
	return r
}
