package debugtest

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Copying is the phase of [mtc.Final] that has a deadline, of 4 hours.
const Copying = mtc.PhaseWaitForDirectVolumeMigrationToComplete

// flags are the true flags of all migrations. They copy images and volumes directly, without a
// backup.
const flags = mtc.Quiesce | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume |
	mtc.DirectImage | mtc.EnableImage | mtc.HasISs

// Migration is an object of the runner. A test may change it between reconciles.
type Migration struct {
	Name       debug.Name
	State      runner.State
	Itinerary  string // selected unless a phase has failed
	Paused     bool
	SourcesErr error // returned by Sources
	// Holds is the phase whose handler returns Result and Err. Other phases are done at once.
	Holds  string
	Result runner.Result
	Err    error
}

// Final returns a final migration that waits in the phase holds with a message and progress.
func Final(name, holds, message string, progress ...string) *Migration {
	return &Migration{
		Name: debug.Name{Namespace: "openshift-migration", Name: name}, Itinerary: mtc.Final,
		Holds: holds, Result: runner.Wait(30*time.Second, message, progress...),
	}
}

// Fixture is a runner and the recorder that it reports to. Its methods are safe for
// concurrent use if each migration is reconciled by one goroutine at a time.
type Fixture struct {
	T        testing.TB
	Recorder *debug.Recorder

	runner *runner.Runner[*Migration]
	mu     sync.Mutex
	now    time.Time
}

// New returns a fixture, which sets Itineraries and Now of the options.
func New(t testing.TB, o debug.Options) *Fixture {
	t.Helper()
	f := &Fixture{T: t, now: time.Date(2026, 11, 20, 9, 12, 0, 0, time.UTC)}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	o.Itineraries, err = machine.CompileSet(mtc.Itineraries()...)
	check(err)
	o.Now = f.Now
	f.Recorder, err = debug.NewRecorder(o)
	check(err)
	observer, err := debug.NewObserver(f.Recorder, func(m *Migration) debug.Name { return m.Name })
	check(err)
	f.runner, err = runner.New(runner.Options[*Migration]{
		Itineraries: o.Itineraries,
		Storage:     runner.NewStatusStorage(func(m *Migration) *runner.State { return &m.State }),
		Select: func(_ context.Context, m *Migration) (string, error) {
			if m.State.FailedPhases > 0 {
				return mtc.Failed, nil
			}
			return m.Itinerary, nil
		},
		Sources: func(_ context.Context, m *Migration) (*phases.Sources, error) {
			if m.SourcesErr != nil {
				return nil, m.SourcesErr
			}
			var all []phases.Source
			for flag := range mtc.Vocabulary().All().Each {
				all = append(all, phases.SourceOf(flag, phases.TruthOf(flags.Has(flag))))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Handler: runner.VisitFunc[*Migration](func(_ context.Context, m *Migration, v runner.Visit) (runner.Result, error) {
			if v.Phase != m.Holds {
				return runner.Done(), nil
			}
			return m.Result, m.Err
		}),
		PhasesByItinerary: map[string]map[string]runner.Phase[*Migration]{
			mtc.Final: {Copying: {Deadline: 4 * time.Hour}},
		},
		Paused:    func(_ context.Context, m *Migration) (bool, error) { return m.Paused, nil },
		Key:       func(m *Migration) string { return m.Name.String() },
		Now:       f.Now,
		Observers: []runner.Observer[*Migration]{observer},
	})
	check(err)
	return f
}

// Handler returns a handler for the recorder's pages. If o.Now is nil, it uses the fixture's clock.
func (f *Fixture) Handler(o debug.HandlerOptions) http.Handler {
	f.T.Helper()
	if o.Now == nil {
		o.Now = f.Now
	}
	h, err := debug.NewHandler(f.Recorder, o)
	if err != nil {
		f.T.Fatal(err)
	}
	return h
}

// Now returns the clock's time. Only Pass, Repeat and Drive move the clock.
func (f *Fixture) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Pass advances the clock by d.
func (f *Fixture) Pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// Reconcile reconciles a migration once. Errors go to the recorder only.
func (f *Fixture) Reconcile(m *Migration) { _, _ = f.runner.Reconcile(context.Background(), m) }

// Repeat reconciles a migration n times, and advances the clock after each.
func (f *Fixture) Repeat(m *Migration, n int, apart time.Duration) {
	for range n {
		f.Reconcile(m)
		f.Pass(apart)
	}
}

// Drive reconciles a migration until the handler of the phase in Holds has run, or until the
// migration is done, paused, or has SourcesErr. It advances the clock by seconds to minutes per
// reconcile. If none of these happens, the test fails.
func (f *Fixture) Drive(m *Migration) {
	f.T.Helper()
	for i := range 200 {
		held := m.State.Phase == m.Holds
		f.Reconcile(m)
		if m.State.Done || held && m.Holds != "" || m.SourcesErr != nil || m.Paused {
			return
		}
		f.Pass(time.Duration(3+i*i%97) * time.Second)
	}
	f.T.Fatalf("%s does not reach %s; it is in %s", m.Name, cmp.Or(m.Holds, "its end"), m.State.Phase)
}
