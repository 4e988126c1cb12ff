package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// seed is that of a run that is to be repeated, or a new one.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(time.Now().UnixNano())
	if text, ok := os.LookupEnv("E2E_SEED"); ok {
		var err error
		s, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "E2E_SEED")
	}
	t.Logf("E2E_SEED=%d", s)
	return s
}

// Every second process is killed within killedAfter of its start, and every other within
// workedFor of its first call of a phase: on a busy machine, the start may take longer.
const (
	killedAfter = 1200 * time.Millisecond
	workedFor   = 300 * time.Millisecond
)

// The controller is killed at 200 random moments, as a process of its own, in
// lanes that are independent of each other. In each lane some migrations are
// always on their way. The recorder sees that no version goes backwards.
func TestCrash(t *testing.T) {
	t.Parallel()
	const lanes, kills, inFlight = 4, 50, 5
	s := seed(t)
	for lane := range lanes {
		r := both[lane%2]
		t.Run(fmt.Sprintf("lane %d, %s", lane, r.name), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(s, uint64(lane)))
			g := newFixture(t, common, r)
			g.record(itineraries)
			made := map[string]configuration{}
			var open []string
			begin := func() {
				c := richest[len(made)%2]
				c.spec.Stage = len(made)%4 > 1
				c.name = fmt.Sprintf("%s-%d", c.name, len(made))
				made[c.name] = c
				open = append(open, c.name)
				g.plan(c.name, c.plan)
				g.migrate(c.name, c.spec)
			}
			arguments := []string{"-max-phases", strconv.Itoa(1 + lane/2*4)}
			cut, working := 0, 0
			for n := range kills {
				open = slices.DeleteFunc(open, func(name string) bool {
					all := g.recorder.Versions(name)
					return len(all) > 0 && all[len(all)-1].State.Done
				})
				for len(open) < inFlight {
					begin()
				}
				p := g.spawn(g.Config, arguments...)
				after := killedAfter
				if n%2 == 1 {
					require.True(t, g.works(p))
					after = workedFor
				}
				// The sleep sets the moment of the kill. It does not wait for an event.
				time.Sleep(time.Duration(random.Int64N(int64(after))))
				calls := p.kill()
				if cut += calls; calls > 0 {
					working++
				}
			}
			g.spawn(g.Config, arguments...)
			for name, c := range made {
				g.done(name)
				itinerary := mtc.Final
				if c.spec.Stage {
					itinerary = mtc.Stage
				}
				want := expected(t, itinerary, c.flags, nil)
				assert.Empty(t, cmp.Diff(want, g.calls.ran(name, itinerary)), "%s: the phases that ran", name)
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, want), g.recorder.Steps(name)), "%s: the steps that were ever seen", name)
			}
			assert.Empty(t, g.calls.atOnce())
			t.Logf("%d kills over %d migrations; %d of them cut %d calls of phases short", kills, len(made), working, cut)
			assert.Positive(t, cut, "some kill hits a phase at work")
		})
	}
}

// The controller is killed in each phase that decides flags: when the call
// begins, and when its work is done and not written down yet. After that the
// phase goes on, fails, or is canceled or rolled back in the middle. What it
// decides is never judged by the value from before.
func TestCrashInPhasesThatDecide(t *testing.T) {
	t.Parallel()
	ways := map[string]string{"goes-on": "", "fails": mtc.Failed, "is-canceled": mtc.Cancel, "is-rolled-back": mtc.Rollback}
	for i, itinerary := range []string{mtc.Final, mtc.Stage} {
		r := both[i]
		t.Run(itinerary+" "+r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			type dying struct {
				phase, way string
				kills      int // that are still to come
			}
			c := richest[0]
			c.spec.Stage = itinerary == mtc.Stage
			all := map[string]*dying{}
			for _, phase := range deciders(itinerary) {
				for way := range ways {
					all[strings.ToLower(phase)+"-"+way] = &dying{phase: phase, way: way, kills: 2}
				}
			}
			var mu sync.Mutex
			var killed atomic.Bool // all of them have been
			kill := make(chan struct{}, 1)
			g.reply = func(ctx context.Context, call example.Call) example.Reply {
				mu.Lock()
				d := all[call.Migration]
				if call.Itinerary != itinerary || call.Phase != d.phase {
					mu.Unlock()
					return ""
				}
				if d.kills > 0 && call.Ended == (d.kills == 1) {
					select {
					case kill <- struct{}{}:
						d.kills--
					default: // it is about to be killed for another
					}
					mu.Unlock()
					<-ctx.Done() // it does not live to see a reply
					return ""
				}
				mu.Unlock()
				switch {
				case !call.Ended || d.way == "goes-on":
				case !killed.Load():
					// A kill for another would lose what this call wrote down,
					// which is all that MTC knows of the pods it made.
					return example.Wait
				case d.way == "fails":
					return example.Fail
				case d.way == "is-canceled":
					g.edit(call.Migration, toCancel)
					return example.Wait
				case d.way == "is-rolled-back":
					g.edit(call.Migration, toRollBack)
					return example.Wait
				}
				return ""
			}
			for name := range all {
				g.plan(name, c.plan)
				g.migrate(name, c.spec)
			}
			kills := 2 * len(all)
			for n := range kills {
				p := g.spawn(g.Config)
				select {
				case <-kill:
				case <-time.After(timeout):
					t.Fatalf("%d of %d kills", n, kills)
				}
				p.kill()
			}
			killed.Store(true)
			g.spawn(g.Config)
			for name, d := range all {
				last := g.done(name)
				whole := expected(t, itinerary, c.flags, nil)
				if d.way == "goes-on" {
					assert.Empty(t, cmp.Diff(whole, g.calls.ran(name, itinerary)), "%s: the phases that ran", name)
					assert.Equal(t, phases.Succeeded, last.State.Result, name)
					continue
				}
				to := ways[d.way]
				assert.Empty(t, cmp.Diff(whole[:slices.Index(whole, d.phase)+1], g.calls.ran(name, itinerary)), "%s: the phases before", name)
				flags := c.flags
				if d.way == "is-rolled-back" {
					flags |= mtc.RollingBack
				}
				// What the object says at the beginning of the cleanup.
				begins := g.until(name, func(v record.Version) bool { return v.State.Itinerary == to })
				if hasCondition(begins, "StagePodsCreated") {
					flags |= mtc.HasStagePods
				}
				assert.Empty(t, cmp.Diff(expected(t, to, flags, nil), g.calls.ran(name, to)), "%s: the cleanup", name)
				if to != mtc.Failed { // which deletes none, in MTC
					var pods corev1.PodList
					require.NoError(t, g.client.List(g.ctx, &pods, client.InNamespace(g.namespace), client.MatchingLabels{example.MigrationLabel: name}))
					assert.Empty(t, pods.Items, "%s: pods that are left", name)
				}
			}
			assert.Empty(t, g.calls.atOnce())
		})
	}
}

// hasCondition reports whether a version has a condition that is true.
func hasCondition(v record.Version, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(v.Object.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		m, ok := c.(map[string]any)
		return ok && m["type"] == kind && m["status"] == "True"
	})
}
