package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/phases"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

// The pipeline shows exactly the steps that run, from the first moment on.
// Only the step Indexes comes later: that the indexes must be rebuilt is known
// once the new primary runs.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		spec      api.UpgradeSpec
		replicas  int
		collation bool
		steps     []string
		late      []string // not shown at the beginning
	}{
		{name: "a primary alone", steps: []string{"Check", "Primary", "Cutover", "Cleanup"}},
		{name: "with a backup", spec: api.UpgradeSpec{Backup: true}, steps: []string{"Check", "Backup", "Primary", "Cutover", "Cleanup"}},
		{name: "with replicas", replicas: 3, steps: []string{"Check", "Primary", "Replicas", "Cutover", "Cleanup"}},
		{name: "with all", spec: api.UpgradeSpec{Backup: true}, replicas: 2, collation: true,
			steps: []string{"Check", "Backup", "Primary", "Indexes", "Replicas", "Cutover", "Cleanup"}, late: []string{"Indexes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, c.replicas)
			f.set(func(a *agents) { a.collation = c.collation })
			r := f.upgrade(c.spec)
			u := r.awaitDone()
			assert.Equal(t, phases.Succeeded, u.Status.Result)
			assert.True(t, meta.IsStatusConditionTrue(u.Status.Conditions, controller.ConditionSucceeded))
			var want []string
			for _, step := range c.steps {
				want = append(want, step+": Completed")
			}
			assert.Equal(t, want, messages(u))
			for _, version := range r.all() {
				for _, step := range version.Status.Pipeline {
					assert.Contains(t, c.steps, step.Name)
					if version.Status.Phase == "Check" {
						assert.NotContains(t, c.late, step.Name)
					}
				}
			}

			request := httptest.NewRequest(http.MethodGet, "/debug/pipeline/run?name="+f.namespace+"/shop", nil)
			request.Header.Set("Accept", "text/plain")
			page := httptest.NewRecorder()
			pages.ServeHTTP(page, request)
			for _, word := range append(c.steps, string(phases.Succeeded)) {
				assert.Contains(t, page.Body.String(), word, "its page")
			}

			servers := f.servers(t.Context())
			assert.Len(t, servers, 1+c.replicas)
			primary := servers["shop-v17"]
			require.NotNil(t, primary)
			assert.True(t, primary.Spec.Writable)
			assert.Empty(t, primary.Spec.Source)
			assert.Equal(t, c.collation, f.indexed["shop-v17"])
		})
	}
}

// An upgrade that cannot begin changes nothing, and shows no step of a rollback.
func TestUpgradeThatCannotBegin(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	u := f.upgrade(api.UpgradeSpec{Version: 15}).awaitDone()
	assert.Equal(t, phases.Failed, u.Status.Result)
	assert.Equal(t, []string{"Check: Failed"}, messages(u))
	assert.Equal(t, []string{"shop-v16", "shop-v16-0"}, f.names())
}

// If the new primary cannot be promoted, the old one accepts writes again, and
// the new servers are removed.
func TestFailedCutoverIsRolledBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	f.set(func(a *agents) {
		a.refuse = func(s *api.Server) string {
			if s.Name == "shop-v17" && s.Spec.Source == "" {
				return "no space left"
			}
			return ""
		}
	})
	r := f.upgrade(api.UpgradeSpec{})
	u := r.awaitDone()
	assert.Equal(t, phases.Failed, u.Status.Result)
	want := []string{"Check: Completed", "Primary: Completed", "Replicas: Completed", "Cutover: Failed", "Rollback: Completed"}
	assert.Equal(t, want, messages(u))
	failed := meta.FindStatusCondition(u.Status.Conditions, controller.ConditionFailed)
	require.NotNil(t, failed)
	assert.Equal(t, `phase "Promote" of itinerary "Upgrade" failed: server shop-v17: no space left`, failed.Message)
	assert.Equal(t, []string{"shop-v16", "shop-v16-0"}, f.names())
	assert.True(t, f.servers(t.Context())["shop-v16"].Spec.Writable)

	// Events are recorded in the background.
	require.Eventually(t, func() bool {
		var events eventsv1.EventList
		require.NoError(t, f.client.List(t.Context(), &events, client.InNamespace(f.namespace)))
		reasons := map[string]int{}
		for _, e := range events.Items {
			reasons[e.Reason]++
		}
		return reasons[controller.EventPhaseFailed] == 1 && reasons[controller.EventFailed] == 1 && reasons[controller.EventBegun] == 2
	}, timeout, tick)
	assert.NotZero(t, runsFailed(t), "the failed run is counted in the registry of controller-runtime")
}

// runsFailed returns the number of runs that failed in this process.
func runsFailed(t *testing.T) (n float64) {
	t.Helper()
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if family.GetName() == "dynamic_pipeline_runs_total" && label.GetName() == "result" &&
					label.GetValue() == string(phases.Failed) {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

// An upgrade that failed runs again from the start when the user asks for it.
func TestSecondAttempt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	f.set(func(a *agents) {
		a.refuse = func(s *api.Server) string {
			if s.Name == "shop-v17" {
				return "no space left"
			}
			return ""
		}
	})
	r := f.upgrade(api.UpgradeSpec{})
	u := r.awaitDone()
	assert.Equal(t, phases.Failed, u.Status.Result)
	assert.Equal(t, []string{"Check: Completed", "Primary: Failed", "Rollback: Completed"}, messages(u))
	f.set(func(a *agents) { a.refuse = nil })
	r.edit(`{"attempt": "after more disks"}`)
	u = r.await("the end of the second attempt", func(u *api.Upgrade) bool { return u.Status.Run == 2 && u.Status.Done })
	assert.Equal(t, phases.Succeeded, u.Status.Result)
	want := []string{"Check: Completed", "Primary: Completed", "Replicas: Completed", "Cutover: Completed", "Cleanup: Completed"}
	assert.Equal(t, want, messages(u))
	require.Len(t, u.Status.Runs, 1)
	assert.Equal(t, "CreatePrimary", u.Status.Runs[0].Phase)
}

// A cancel rolls back what was done, and nothing else.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		held     func(s *api.Server) bool
		want     []string
	}{
		{"before anything was changed", "BackUp", func(s *api.Server) bool { return s.Spec.BackUp },
			[]string{"Check: Completed", "Backup: Canceled"}},
		{"in the loop", "RebuildReplica", func(s *api.Server) bool { return s.Spec.Version == 17 && s.Spec.Role == api.Replica },
			[]string{"Check: Completed", "Backup: Completed", "Primary: Completed", "Replicas: Canceled", "Rollback: Completed"}},
		{"in the cutover", "StopWrites", func(s *api.Server) bool { return s.Name == "shop-v16" && !s.Spec.Writable },
			[]string{"Check: Completed", "Backup: Completed", "Primary: Completed", "Replicas: Completed", "Cutover: Canceled", "Rollback: Completed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, 1)
			f.set(func(a *agents) { a.hold = c.held })
			r := f.upgrade(api.UpgradeSpec{Backup: true})
			r.await("a wait", func(u *api.Upgrade) bool { return u.Status.Phase == c.at && u.Status.WaitingSince != nil })
			r.edit(`{"canceled": true}`)
			u := r.awaitDone()
			assert.Equal(t, phases.Canceled, u.Status.Result)
			assert.Equal(t, c.want, messages(u))
			assert.Equal(t, []string{"shop-v16", "shop-v16-0"}, f.names())
			assert.True(t, f.servers(t.Context())["shop-v16"].Spec.Writable)
		})
	}
}

// Once clients use the new primary, a cancel has no effect.
func TestCancelAfterCutover(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 0)
	f.set(func(a *agents) {
		a.hold = func(s *api.Server) bool { return s.Name == "shop-v17" && s.Spec.Writable }
	})
	r := f.upgrade(api.UpgradeSpec{})
	r.awaitPhase("AcceptWrites")
	r.edit(`{"canceled": true}`)
	r.await("the cancel", func(u *api.Upgrade) bool { return u.Spec.Canceled })
	f.set(func(a *agents) { a.hold = nil })
	u := r.awaitDone()
	assert.Equal(t, phases.Succeeded, u.Status.Result)
	assert.Equal(t, []string{"shop-v17"}, f.names())
}
