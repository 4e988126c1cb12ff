package command_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// upgrade is the custom resource of an embedder; testdata/runs.yaml holds its runs.
type upgrade struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   upgradeSpec   `json:"spec"`
	Status upgradeStatus `json:"status,omitzero"`
}

type upgradeSpec struct {
	Version  string `json:"version"`
	Backup   bool   `json:"backup,omitempty"`
	Replicas int    `json:"replicas,omitempty"`
	Schema   bool   `json:"schemaChanges,omitempty"`
	Canceled bool   `json:"canceled,omitempty"`
	RollBack bool   `json:"rollBack,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
}

type upgradeStatus struct {
	runner.State `json:",inline"`
	Conditions   []metav1.Condition `json:"conditions,omitempty"`
}

// life describes how one run of the file came about.
type life struct {
	name string
	// annotated reports whether the state is in an annotation and the status holds only
	// what users see.
	annotated bool
	spec      upgradeSpec
	// begins is when the controller first sees the object; empty if it does not.
	begins string
	// work holds the results of handlers by phase; the others are done at once.
	work map[string]func() (runner.Result, error)
	// unknown is the reason why ReplicasLeft is unknown.
	unknown error
	// changes are the changes by users, by time.
	changes []change
	// ends is the latest time at which the controller is called; empty means noon.
	ends string
}

type change struct {
	at string
	do func(*upgradeSpec)
}

var errFatal = errors.New("schema version 41 is not known to this release; install release 2.4 or later")

// lives are the runs of the file.
func lives() []life {
	done := func() (runner.Result, error) { return runner.Done(), nil }
	wait := func(message string, progress ...string) func() (runner.Result, error) {
		return func() (runner.Result, error) { return runner.Wait(5*time.Minute, message, progress...), nil }
	}
	fail := func(reasons ...string) func() (runner.Result, error) {
		return func() (runner.Result, error) { return runner.Fail(reasons...), nil }
	}
	errs := func(text string) func() (runner.Result, error) {
		return func() (runner.Result, error) { return runner.Result{}, errors.New(text) }
	}
	type work = map[string]func() (runner.Result, error)
	cancel := func(s *upgradeSpec) { s.Canceled = true }
	rollBack := func(s *upgradeSpec) { s.RollBack = true }
	pause := func(s *upgradeSpec) { s.Paused = true }
	resume := func(s *upgradeSpec) { s.Paused = false }
	return []life{
		{name: "not-begun", spec: upgradeSpec{Version: "16"}},
		{name: "working", begins: "11:59:20", spec: upgradeSpec{Version: "16"}, ends: "11:59:20", work: work{"UpgradePrimary": done}},
		{name: "waiting", begins: "11:43:10", spec: upgradeSpec{Version: "16", Replicas: 3},
			work: work{"WaitForReplica": wait("waiting for replica-2 to catch up", "replica-2: 1.2 GB behind")}},
		{name: "waiting-overdue", annotated: true, begins: "11:18:00", ends: "11:40:00", spec: upgradeSpec{Version: "16", Backup: true},
			work: work{"WaitForBackup": wait("waiting for the backup store to accept the upload")}},
		{name: "waiting-for-later", begins: "11:55:00", spec: upgradeSpec{Version: "16", Schema: true},
			work: work{"StopTraffic": func() (runner.Result, error) { return runner.Done(runner.After(30 * time.Minute)), nil }}},
		{name: "retrying", begins: "11:37:30", spec: upgradeSpec{Version: "16", Schema: true},
			work: work{"ChangeSchema": errs("ALTER TABLE orders: canceling statement due to lock timeout")}},
		{name: "retrying-flags", annotated: true, begins: "11:51:05", spec: upgradeSpec{Version: "16", Replicas: 2},
			unknown: errors.New("list replicas: dial tcp 10.0.4.7:5432: connect: connection refused")},
		{name: "stopped", begins: "09:30:00", spec: upgradeSpec{Version: "17", Schema: true},
			work: work{"ChangeSchema": func() (runner.Result, error) { return runner.Result{}, errFatal }}},
		{name: "paused", annotated: true, begins: "10:02:00", spec: upgradeSpec{Version: "16", Backup: true},
			work:    work{"WaitForBackup": wait("waiting for the backup")},
			changes: []change{{"10:05:00", pause}}},
		{name: "paused-retrying", begins: "10:27:00", spec: upgradeSpec{Version: "16"},
			work:    work{"UpgradePrimary": errs("pg_upgrade: could not connect to the old server")},
			changes: []change{{"11:10:00", pause}}},
		{name: "was-paused", begins: "08:15:00", spec: upgradeSpec{Version: "16", Replicas: 3},
			work:    work{"WaitForReplica": wait("waiting for replica-1 to catch up")},
			changes: []change{{"08:20:00", pause}, {"11:50:00", resume}}},
		{name: "cleaning-up", begins: "11:46:00", spec: upgradeSpec{Version: "16", Schema: true},
			work: work{
				"ChangeSchema":   fail("migration 0042 failed: column \"total\" contains null values"),
				"RestoreTraffic": wait("waiting for the load balancer"),
			}},
		{name: "succeeded", begins: "10:30:00", spec: upgradeSpec{Version: "16"}},
		{name: "failed", annotated: true, begins: "11:05:00", spec: upgradeSpec{Version: "16", Schema: true},
			work: work{"ChangeSchema": fail("migration 0042 failed: column \"total\" contains null values")}},
		{name: "canceled", begins: "11:20:00", spec: upgradeSpec{Version: "16", Backup: true},
			work:    work{"WaitForBackup": wait("waiting for the backup")},
			changes: []change{{"11:32:00", cancel}}},
		{name: "rolled-back", begins: "07:45:00", spec: upgradeSpec{Version: "16", Replicas: 1},
			work:    work{"WaitForReplica": wait("waiting for replica-1 to catch up")},
			changes: []change{{"08:40:00", rollBack}}},
	}
}

// clock parses a time of the day on which all runs happen.
func clock(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		text = "12:00:00"
	}
	at, err := time.Parse(time.RFC3339, "2026-11-20T"+text+"Z")
	require.NoError(t, err)
	return at
}

// live runs the runner until the end of a life and returns the object.
func (l life) live(t *testing.T, itineraries *machine.Set) *upgrade {
	t.Helper()
	u := &upgrade{TypeMeta: metav1.TypeMeta{APIVersion: "ops.example.com/v1", Kind: "Upgrade"}, Spec: l.spec}
	u.Name, u.Namespace, u.Generation = l.name, "databases", int64(1+len(l.changes))
	id := sha256.Sum256([]byte(l.name))
	u.UID = types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16]))
	now, end := clock(t, l.begins), clock(t, l.ends)
	u.CreationTimestamp = metav1.NewTime(now.Add(-time.Second))
	if l.begins == "" {
		u.ResourceVersion = "1"
		return u
	}
	r, err := runner.New(l.options(itineraries, &now))
	require.NoError(t, err)

	writes, changes := 1, l.changes
	for !now.After(end) {
		for len(changes) > 0 && !clock(t, changes[0].at).After(now) {
			changes[0].do(&u.Spec)
			changes = changes[1:]
		}
		out, err := r.Reconcile(context.Background(), u)
		if err != nil && out.State.Retry == nil {
			require.ErrorIs(t, err, errFatal)
		}
		if out.Changed {
			writes++
		}
		next := end.Add(time.Second)
		if out.Requeue {
			next = now.Add(max(out.RequeueAfter, time.Second))
		}
		if len(changes) > 0 && clock(t, changes[0].at).Before(next) {
			next = clock(t, changes[0].at)
		}
		now = next
	}
	u.ResourceVersion = fmt.Sprint(writes)
	return u
}

// options returns the options of the embedder's runner.
func (l life) options(itineraries *machine.Set, now *time.Time) runner.Options[*upgrade] {
	state := func(u *upgrade) *runner.State { return &u.Status.State }
	o := runner.Options[*upgrade]{
		Itineraries: itineraries,
		Storage:     runner.NewStatusStorage(state),
		Select: func(_ context.Context, u *upgrade) (string, error) {
			switch {
			case u.Spec.RollBack:
				return "Rollback", nil
			case u.Spec.Canceled:
				return "Cancel", nil
			case len(u.Status.Conditions) > 0:
				return "Abort", nil
			}
			return "Upgrade", nil
		},
		Sources: l.sources(itineraries),
		Handler: runner.VisitFunc[*upgrade](func(_ context.Context, _ *upgrade, v runner.Visit) (runner.Result, error) {
			if work := l.work[v.Phase]; work != nil {
				return work()
			}
			return runner.Done(), nil
		}),
		OnError: func(_ *upgrade, _ runner.Visit, err error) runner.ErrorAction {
			if errors.Is(err, errFatal) {
				return runner.ActionStop
			}
			return runner.ActionRetry
		},
		Phases: map[string]runner.Phase[*upgrade]{
			"WaitForBackup":  {Deadline: 30 * time.Minute},
			"WaitForReplica": {Deadline: 2 * time.Hour},
			"ChangeSchema":   {Deadline: time.Hour},
			"RestoreTraffic": {Deadline: 20 * time.Minute},
		},
		OnFail: func(_ context.Context, u *upgrade, f runner.Failure) error {
			u.Status.Conditions = append(u.Status.Conditions, metav1.Condition{
				Type: "Failed", Status: metav1.ConditionTrue, Reason: f.Phase, Message: f.Reasons[0], LastTransitionTime: f.At,
			})
			return nil
		},
		Paused: func(_ context.Context, u *upgrade) (bool, error) { return u.Spec.Paused, nil },
		Now:    func() time.Time { return *now },
	}
	if l.annotated {
		o.Storage = runner.NewAnnotationStorage("pipeline.konveyor.io/state", runner.Fields[*upgrade]{
			Pipeline:  func(u *upgrade) *steps.Pipeline { return &u.Status.Pipeline },
			Itinerary: func(u *upgrade) *string { return &u.Status.Itinerary },
			Phase:     func(u *upgrade) *string { return &u.Status.Phase },
		})
	}
	return o
}

// sources returns sources that depend on the spec and on the progress of the run.
func (l life) sources(itineraries *machine.Set) func(context.Context, *upgrade) (*phases.Sources, error) {
	g, _ := itineraries.Graph("Upgrade")
	v := g.Vocabulary()
	return func(_ context.Context, u *upgrade) (*phases.Sources, error) {
		source := func(name string, value bool, err error) phases.Source {
			flag, _ := v.Parse(name)
			return phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				return phases.TruthOf(value), err
			}}
		}
		upgrading := u.Status.Phase == "WaitForReplica"
		var unknown error
		if upgrading {
			unknown = l.unknown
		}
		return phases.NewSources(v,
			source("BackupWanted", u.Spec.Backup, nil),
			source("HasReplicas", u.Spec.Replicas > 0, nil),
			source("ReplicasLeft", u.Spec.Replicas > 0 && !upgrading, unknown),
			source("SchemaChanges", u.Spec.Schema, nil),
			source("TrafficStopped", u.Spec.Schema || u.Spec.Replicas > 0, nil),
		)
	}
}

// testdata/runs.yaml holds what the runner wrote, as kubectl prints it, with runs in every
// state.
func TestRunsFileIsWrittenByTheRunner(t *testing.T) {
	itineraries := upgrades(t)
	list := struct {
		APIVersion string            `json:"apiVersion"`
		Items      []*upgrade        `json:"items"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
	}{APIVersion: "v1", Kind: "List", Metadata: map[string]string{"resourceVersion": ""}}
	for _, l := range lives() {
		list.Items = append(list.Items, l.live(t, itineraries))
	}
	out, err := yaml.Marshal(list)
	require.NoError(t, err)
	goldentest.Compare(t, "testdata/runs.yaml", string(out))
}
