package debug

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// migration is an object whose run follows MTC's itineraries.
type migration struct {
	metav1.ObjectMeta
	Itinerary string
	Flags     phases.Flags
	Paused    bool
	// Handle is called by all handlers of the object.
	Handle func(v runner.Visit) (runner.Result, error)
	// Unanswered are the flags whose sources fail.
	Unanswered phases.Flags
	State      runner.State
}

func newMigration(name string, flags phases.Flags) *migration {
	return &migration{
		ObjectMeta: metav1.ObjectMeta{Namespace: "openshift-migration", Name: name, UID: types.UID("uid of " + name)},
		Itinerary:  mtc.Final, Flags: flags,
	}
}

func (m *migration) name() Name { return Name{Namespace: m.Namespace, Name: m.Name} }

// busy are the flags of a final migration with much to do: 44 of its 50 phases run.
const busy = mtc.Quiesce | mtc.HasStagePods | mtc.HasPVs | mtc.HasVerify | mtc.HasISs | mtc.IndirectImage |
	mtc.IndirectVolume | mtc.HasStageBackup | mtc.EnableImage | mtc.EnableVolume | mtc.HasPreBackupHooks |
	mtc.HasPostBackupHooks | mtc.HasPreRestoreHooks | mtc.HasPostRestoreHooks

func itineraries(t testing.TB) *machine.Set {
	t.Helper()
	set, err := machine.CompileSet(mtc.Itineraries()...)
	require.NoError(t, err)
	return set
}

// newOptions returns runner options for migrations.
func newOptions(set *machine.Set, observers ...runner.Observer[*migration]) runner.Options[*migration] {
	return runner.Options[*migration]{
		Itineraries: set,
		Storage:     runner.NewStatusStorage(func(m *migration) *runner.State { return &m.State }),
		Select: func(_ context.Context, m *migration) (string, error) {
			if m.State.FailedPhases > 0 {
				return mtc.Failed, nil
			}
			return m.Itinerary, nil
		},
		Sources: func(_ context.Context, m *migration) (*phases.Sources, error) {
			var sources []phases.Source
			for flag := range mtc.Vocabulary().All().Each {
				sources = append(sources, phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					if m.Unanswered.Has(flag) {
						return phases.Unknown, fmt.Errorf("list %s: the API server does not answer", mtc.Vocabulary().Names(flag)[0])
					}
					return phases.TruthOf(m.Flags.Has(flag)), nil
				}})
			}
			return phases.NewSources(mtc.Vocabulary(), sources...)
		},
		Paused: func(_ context.Context, m *migration) (bool, error) { return m.Paused, nil },
		Handler: runner.VisitFunc[*migration](func(_ context.Context, m *migration, v runner.Visit) (runner.Result, error) {
			if m.Handle == nil {
				return runner.Done(), nil
			}
			return m.Handle(v)
		}),
		Observers: observers,
	}
}

func newRecorder(t testing.TB, o Options) *Recorder {
	t.Helper()
	if o.Itineraries == nil {
		o.Itineraries = itineraries(t)
	}
	r, err := NewRecorder(o)
	require.NoError(t, err)
	return r
}

func newRunner(t testing.TB, set *machine.Set, observers ...runner.Observer[*migration]) *runner.Runner[*migration] {
	t.Helper()
	r, err := runner.New(newOptions(set, observers...))
	require.NoError(t, err)
	return r
}

func observe(t testing.TB, r *Recorder) runner.Observer[*migration] {
	t.Helper()
	o, err := NewObserver[*migration](r, nil)
	require.NoError(t, err)
	return o
}
