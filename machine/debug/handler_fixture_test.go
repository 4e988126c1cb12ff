package debug_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// migration is an object of the fixture, and what its handlers and sources do.
type migration struct {
	name    debug.Name
	state   runner.State
	selects string
	paused  bool
	facts   phases.Facts
	broken  error // of all sources
	// handle does the work of a phase; nil passes it.
	handle func(v runner.Visit) (runner.Result, error)
}

// fixture is a recorder that a runner of MTC's itineraries reports to, on a clock
// of its own.
type fixture struct {
	t        testing.TB
	set      *machine.Set
	recorder *debug.Recorder
	runner   *runner.Runner[*migration]
	mu       sync.Mutex
	now      time.Time
}

func newFixture(t testing.TB, o debug.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	f.set = machine.MustCompileSet(mtc.Itineraries()...)
	o.Itineraries, o.Now = f.set, f.clock
	var err error
	f.recorder, err = debug.NewRecorder(o)
	require.NoError(t, err)
	observer, err := debug.NewObserver(f.recorder, func(m *migration) debug.Name { return m.name })
	require.NoError(t, err)
	f.runner, err = runner.New(runner.Options[*migration]{
		Itineraries: f.set,
		Select: func(_ context.Context, m *migration) (string, error) {
			if m.state.FailedPhases > 0 {
				return mtc.Failed, nil
			}
			return m.selects, nil
		},
		Sources: func(_ context.Context, m *migration) (*phases.Sources, error) {
			if m.broken != nil {
				return nil, m.broken
			}
			var all []phases.Source
			for flag := range mtc.Vocabulary().All().Each {
				all = append(all, phases.SourceOf(flag, m.facts.Of(flag)))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Storage: runner.NewStatusStorage(func(m *migration) *runner.State { return &m.state }),
		Handler: runner.VisitFunc[*migration](func(_ context.Context, m *migration, v runner.Visit) (runner.Result, error) {
			if m.handle == nil {
				return runner.Done(), nil
			}
			return m.handle(v)
		}),
		PhasesByItinerary: map[string]map[string]runner.Phase[*migration]{
			mtc.Final: {copying: {Deadline: 4 * time.Hour}},
		},
		Paused:    func(_ context.Context, m *migration) (bool, error) { return m.paused, nil },
		Key:       func(m *migration) string { return m.name.String() },
		Now:       f.clock,
		Observers: []runner.Observer[*migration]{observer},
	})
	require.NoError(t, err)
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// reconcile reconciles an object n times, a while apart.
func (f *fixture) reconcile(m *migration, n int, apart time.Duration) {
	f.t.Helper()
	for range n {
		_, _ = f.runner.Reconcile(context.Background(), m) // errors are recorded
		f.pass(apart)
	}
}

// until reconciles an object until its phase is the one of that name.
func (f *fixture) until(m *migration, phase string, apart time.Duration) {
	f.t.Helper()
	for range 200 {
		if m.state.Phase == phase {
			return
		}
		f.reconcile(m, 1, apart)
	}
	require.Equal(f.t, phase, m.state.Phase, "it never got there")
}

// finalFacts are those of a migration that copies its volumes directly.
var finalFacts = phases.NewFacts(
	mtc.Quiesce|mtc.HasPVs|mtc.DirectVolume|mtc.EnableVolume|mtc.DirectImage|mtc.EnableImage|mtc.HasISs, mtc.Vocabulary().All(),
).Set(mtc.Vocabulary().All()&^(mtc.Quiesce|mtc.HasPVs|mtc.DirectVolume|mtc.EnableVolume|mtc.DirectImage|mtc.EnableImage|mtc.HasISs), phases.False).
	Set(mtc.Quiesce|mtc.HasPVs|mtc.DirectVolume|mtc.EnableVolume|mtc.DirectImage|mtc.EnableImage|mtc.HasISs, phases.True)

func newMigration(name string, handle func(v runner.Visit) (runner.Result, error)) *migration {
	return &migration{name: debug.Name{Namespace: "openshift-migration", Name: name}, selects: mtc.Final, facts: finalFacts, handle: handle}
}

// at makes a handler that passes all phases but one.
func at(phase string, handle func() (runner.Result, error)) func(v runner.Visit) (runner.Result, error) {
	return func(v runner.Visit) (runner.Result, error) {
		if v.Phase != phase {
			return runner.Done(), nil
		}
		return handle()
	}
}

const copying = "WaitForDirectVolumeMigrationToComplete"

// dozen drives a run into each state that the pages know.
func (f *fixture) dozen() map[string]*migration {
	all := make(map[string]*migration)
	add := func(name string, handle func(v runner.Visit) (runner.Result, error)) *migration {
		all[name] = newMigration(name, handle)
		return all[name]
	}
	waiting := func() (runner.Result, error) {
		return runner.Wait(30*time.Second, "3 of 5 volumes are copied", "data-0: 41 of 120 GiB", "data-1: 12 of 80 GiB"), nil
	}
	refused := func() (runner.Result, error) {
		return runner.Result{}, errors.New("Post \"https://api.target.example.com:6443/apis/velero.io/v1/backups\": dial tcp 10.0.12.7:6443: connect: connection refused")
	}
	done := add("orders-done", nil)
	f.reconcile(done, 60, 17*time.Second)
	failed := add("billing-failed", at("EnsureCloudSecretPropagated", func() (runner.Result, error) {
		return runner.Fail("secret cloud-credentials was not found in namespace openshift-migration"), nil
	}))
	f.reconcile(failed, 40, 11*time.Second)
	canceled := add("search-canceled", at("EnsureInitialBackup", waiting))
	f.reconcile(canceled, 20, 9*time.Second)
	canceled.selects = mtc.Cancel
	f.reconcile(canceled, 40, 12*time.Second)
	rolledBack := add("mail-rolled-back", at(copying, waiting))
	f.reconcile(rolledBack, 30, 9*time.Second)
	rolledBack.selects = mtc.Rollback
	f.reconcile(rolledBack, 40, 12*time.Second)
	overdue := add("ledger-overdue", at(copying, waiting))
	f.reconcile(overdue, 40, 20*time.Second)
	f.pass(4*time.Hour - 30*time.Minute)
	stopped := add("crm-stopped", at("EnsureInitialBackup", waiting))
	f.reconcile(stopped, 20, 9*time.Second)
	stopped.state.Phase = "EnsureInitialBackups"
	f.reconcile(stopped, 2, time.Minute)
	retrying := add("shop-retrying", at("EnsureInitialBackup", refused))
	f.reconcile(retrying, 20, 40*time.Second)
	flags := add("wiki-flags-unknown", nil)
	flags.broken = errors.New("the server was unable to return a response in the time allotted (get imagestreams.image.openshift.io)")
	f.reconcile(flags, 4, 20*time.Second)
	paused := add("forum-paused", at("EnsureInitialBackup", waiting))
	f.reconcile(paused, 20, 9*time.Second)
	paused.paused = true
	f.reconcile(paused, 2, 5*time.Minute)
	wait := add("payments-waiting", at(copying, waiting))
	f.reconcile(wait, 40, 15*time.Second)
	f.pass(7 * time.Minute)
	working := add("catalog-working", nil)
	f.reconcile(working, 12, 5*time.Second)
	begins := add("portal-not-begun", nil)
	begins.paused = true
	f.reconcile(begins, 1, time.Second)
	item := add("vms", at("EnsureInitialBackup", waiting))
	item.name.Item = "vm-4"
	f.reconcile(item, 20, 5*time.Second)
	f.reconcile(retrying, 1, time.Second)
	return all
}

// many records a thousand runs.
func (f *fixture) many(n int) {
	for i := range n {
		m := newMigration(fmt.Sprintf("migration-%04d", i), at(copying, func() (runner.Result, error) {
			if i%3 == 0 {
				return runner.Result{}, errors.New("the server is currently unable to handle the request")
			}
			return runner.Wait(time.Minute, "3 of 5 volumes are copied"), nil
		}))
		f.reconcile(m, 2+i%40, time.Second)
	}
}
