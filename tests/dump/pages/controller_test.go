package pages

import (
	"cmp"
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

// migration is an object of the controller.
type migration struct {
	name      debug.Name
	state     runner.State
	itinerary string
	paused    bool
	flags     phases.Flags
	unknown   error // what evaluating a flag returns
	// holds is the phase whose handler returns result and err; those of others are
	// done at once.
	holds  string
	result runner.Result
	err    error
}

// direct are the flags of a final migration that copies images and volumes without
// a backup of them, and indirect of one that needs that backup.
const (
	direct = mtc.Quiesce | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume |
		mtc.DirectImage | mtc.EnableImage | mtc.HasISs
	indirect = mtc.Quiesce | mtc.HasPVs | mtc.IndirectVolume | mtc.EnableVolume | mtc.HasStageBackup |
		mtc.IndirectImage | mtc.EnableImage | mtc.HasISs | mtc.HasStagePods
)

// final is a migration that waits in a phase.
func final(name, holds, message string, progress ...string) *migration {
	return &migration{
		name: debug.Name{Namespace: "openshift-migration", Name: name}, itinerary: mtc.Final, flags: direct,
		holds: holds, result: runner.Wait(30*time.Second, message, progress...),
	}
}

// controller is a real runner whose observer reports to a recorder. Its clock moves
// only when the test says so.
type controller struct {
	t        testing.TB
	recorder *debug.Recorder
	runner   *runner.Runner[*migration]

	mu  sync.Mutex
	now time.Time
}

const copying = mtc.PhaseWaitForDirectVolumeMigrationToComplete

func newController(t testing.TB) *controller {
	t.Helper()
	c := &controller{t: t, now: time.Date(2026, 11, 20, 9, 12, 0, 0, time.UTC)}
	set, err := machine.CompileSet(mtc.Itineraries()...)
	require.NoError(t, err)
	c.recorder, err = debug.NewRecorder(debug.Options{Itineraries: set, Now: c.clock})
	require.NoError(t, err)
	observer, err := debug.NewObserver(c.recorder, func(m *migration) debug.Name { return m.name })
	require.NoError(t, err)
	c.runner, err = runner.New(runner.Options[*migration]{
		Itineraries: set,
		Storage:     runner.NewStatusStorage(func(m *migration) *runner.State { return &m.state }),
		Select: func(_ context.Context, m *migration) (string, error) {
			if m.state.FailedPhases > 0 {
				return mtc.Failed, nil
			}
			return m.itinerary, nil
		},
		Sources: func(_ context.Context, m *migration) (*phases.Sources, error) {
			if m.unknown != nil {
				return nil, m.unknown
			}
			var all []phases.Source
			for flag := range mtc.Vocabulary().All().Each {
				value := phases.False
				if m.flags.Has(flag) {
					value = phases.True
				}
				all = append(all, phases.SourceOf(flag, value))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Handler: runner.VisitFunc[*migration](func(_ context.Context, m *migration, v runner.Visit) (runner.Result, error) {
			if v.Phase != m.holds {
				return runner.Done(), nil
			}
			return m.result, m.err
		}),
		PhasesByItinerary: map[string]map[string]runner.Phase[*migration]{
			mtc.Final: {copying: {Deadline: 4 * time.Hour}},
		},
		Paused:    func(_ context.Context, m *migration) (bool, error) { return m.paused, nil },
		Key:       func(m *migration) string { return m.name.String() },
		Now:       c.clock,
		Observers: []runner.Observer[*migration]{observer},
	})
	require.NoError(t, err)
	return c
}

func (c *controller) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *controller) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// reconcile reconciles a migration once. Its errors are recorded.
func (c *controller) reconcile(m *migration) { _, _ = c.runner.Reconcile(context.Background(), m) }

// drive reconciles a migration until the handler of a phase holds it or it is
// done. Some phases take seconds and some minutes.
func (c *controller) drive(m *migration) {
	c.t.Helper()
	for i := range 200 {
		held := m.state.Phase == m.holds
		c.reconcile(m)
		if m.state.Done || held && m.holds != "" || m.unknown != nil || m.paused {
			return
		}
		c.pass(time.Duration(3+i*i%97) * time.Second)
	}
	c.t.Fatalf("%s does not get to %s; it is in %s", m.name, cmp.Or(m.holds, "its end"), m.state.Phase)
}

// dozen are migrations in every state that the pages know.
func (c *controller) dozen() map[string]*migration {
	all := make(map[string]*migration)
	begin := func(name, holds, message string, progress ...string) *migration {
		m := final(name, holds, message, progress...)
		all[name] = m
		c.drive(m)
		return m
	}
	begin("orders", "", "")
	begin("loyalty", "", "")

	billing := final("billing", mtc.PhaseEnsureCloudSecretPropagated, "")
	billing.result = runner.Fail("secret cloud-credentials was not found in namespace openshift-migration")
	all["billing"] = billing
	for range 100 {
		if c.reconcile(billing); billing.state.Done {
			break
		}
		c.pass(9 * time.Second)
	}

	search := begin("search", mtc.PhaseEnsureInitialBackup, "backup search-initial is in progress")
	search.itinerary, search.holds = mtc.Cancel, ""
	c.drive(search)

	mail := begin("mail", copying, "1 of 4 volumes is copied")
	mail.itinerary, mail.holds = mtc.Rollback, ""
	c.drive(mail)

	begin("ledger", copying, "6 of 7 volumes are copied", "archive-0: 798 of 840 GiB")
	c.pass(4*time.Hour - 20*time.Minute)

	crm := begin("crm", mtc.PhaseEnsureInitialBackup, "")
	crm.state.Phase = "EnsureInitialBackups"
	c.reconcile(crm)

	shop := begin("shop", mtc.PhaseEnsureInitialBackup, "")
	shop.err = errors.New(`Post "https://api.target.example.com:6443/apis/velero.io/v1/backups": dial tcp 10.0.12.7:6443: connect: connection refused`)
	for range 4 {
		c.reconcile(shop)
		c.pass(40 * time.Second)
	}

	wiki := final("wiki", "", "")
	wiki.unknown = errors.New("the server was unable to return a response in the time allotted (get imagestreams.image.openshift.io)")
	all["wiki"] = wiki
	c.drive(wiki)

	forum := begin("forum", mtc.PhaseEnsureInitialBackup, "backup forum-initial is in progress")
	forum.paused = true
	c.reconcile(forum)

	begin("payments", copying, "3 of 5 volumes are copied", "data-0: 41 of 120 GiB", "data-1: 12 of 80 GiB")
	c.pass(7 * time.Minute)

	catalog := final("catalog", "", "")
	all["catalog"] = catalog
	for range 9 {
		c.reconcile(catalog)
		c.pass(4 * time.Second)
	}

	portal := final("portal", "", "")
	portal.paused = true
	all["portal"] = portal
	c.reconcile(portal)

	for _, name := range []string{"wiki", "forum", "portal", "payments", "shop"} {
		c.reconcile(all[name])
	}
	c.pass(4 * time.Second)
	return all
}

// many are migrations of which a third cannot go on.
func (c *controller) many(n int) {
	for i := range n {
		m := final(fmt.Sprintf("migration-%04d", i), copying, "3 of 5 volumes are copied")
		if i%3 == 0 {
			m.err = errors.New("the server is currently unable to handle the request")
		}
		for range 2 + i%30 {
			c.reconcile(m)
		}
	}
}
