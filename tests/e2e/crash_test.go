package e2e

import (
	"context"
	"fmt"
	"maps"
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

// seed returns the seed of the kills: E2E_SEED, or a new one.
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

// Every second process is killed within killedAfter of its start. Every other
// one is killed within workedFor of its first call of a phase, because the
// start may take longer on a busy machine.
const (
	killedAfter = 1200 * time.Millisecond
	workedFor   = 300 * time.Millisecond
)

// The controller runs as a process and is killed at 200 random moments, in
// independent lanes. In each lane some migrations are always in progress. The
// recorder checks that no version goes backwards.
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
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, want), g.recorder.Steps(name)), "%s: all steps seen", name)
			}
			assert.Empty(t, g.calls.atOnce())
			t.Logf("%d kills over %d migrations; %d of them cut %d calls of phases short", kills, len(made), working, cut)
			assert.Positive(t, cut, "kills that hit a phase at work")
		})
	}
}

// The controller is killed in each phase that decides flags: when the call
// begins, and when its work is done but not recorded yet. After that the phase
// continues, fails, or is canceled or rolled back half-way. The old values of
// the flags that it decides never count.
func TestCrashInPhasesThatDecide(t *testing.T) {
	t.Parallel()
	ways := map[string]string{"goes-on": "", "fails": mtc.Failed, "is-canceled": mtc.Cancel, "is-rolled-back": mtc.Rollback}
	for i, itinerary := range []string{mtc.Final, mtc.Stage} {
		r := both[i]
		t.Run(itinerary+" "+r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			c := richest[0]
			c.spec.Stage = itinerary == mtc.Stage
			v := newVictims(g, itinerary, slices.Collect(maps.Keys(ways)))
			g.reply = v.reply
			for name := range v.all {
				g.plan(name, c.plan)
				g.migrate(name, c.spec)
			}
			v.killAll()
			g.spawn(g.Config)
			for name, d := range v.all {
				checkVictim(g, itinerary, ways[d.way], name, d, c)
			}
			assert.Empty(t, g.calls.atOnce())
		})
	}
}

// victim is a migration during whose phase the controller is killed.
type victim struct {
	phase, way string
	kills      int // remaining
}

// victims kills controllers in the phases of migrations.
type victims struct {
	*fixture
	itinerary string
	all       map[string]*victim

	mu     sync.Mutex
	kill   chan struct{}
	killed atomic.Bool // all kills are done
}

// newVictims returns a migration for each phase of an itinerary that decides
// flags, and each way in which the phase ends.
func newVictims(g *fixture, itinerary string, ways []string) *victims {
	v := &victims{fixture: g, itinerary: itinerary, all: map[string]*victim{}, kill: make(chan struct{}, 1)}
	for _, phase := range deciders(itinerary) {
		for _, way := range ways {
			v.all[strings.ToLower(phase)+"-"+way] = &victim{phase: phase, way: way, kills: 2}
		}
	}
	return v
}

func (v *victims) reply(ctx context.Context, call example.Call) example.Reply {
	v.mu.Lock()
	d := v.all[call.Migration]
	if call.Itinerary != v.itinerary || call.Phase != d.phase {
		v.mu.Unlock()
		return ""
	}
	if d.kills > 0 && call.Ended == (d.kills == 1) {
		select {
		case v.kill <- struct{}{}:
			d.kills--
		default: // about to be killed for another migration
		}
		v.mu.Unlock()
		<-ctx.Done() // the process is killed before a reply
		return ""
	}
	v.mu.Unlock()
	switch {
	case !call.Ended || d.way == "goes-on":
	case !v.killed.Load():
		// A kill for another migration would lose what this call recorded,
		// which is MTC's only record of its pods.
		return example.Wait
	case d.way == "fails":
		return example.Fail
	case d.way == "is-canceled":
		v.edit(call.Migration, toCancel)
		return example.Wait
	case d.way == "is-rolled-back":
		v.edit(call.Migration, toRollBack)
		return example.Wait
	}
	return ""
}

// killAll starts a controller for each kill, and kills it.
func (v *victims) killAll() {
	v.Helper()
	kills := 2 * len(v.all)
	for n := range kills {
		p := v.spawn(v.Config)
		select {
		case <-v.kill:
		case <-time.After(timeout):
			v.Fatalf("%d of %d kills", n, kills)
		}
		p.kill()
	}
	v.killed.Store(true)
}

// checkVictim checks the end of a migration. Its cleanup itinerary is to, or
// empty if the phase continues.
func checkVictim(g *fixture, itinerary, to, name string, d *victim, c configuration) {
	g.Helper()
	last := g.done(name)
	whole := expected(g.T, itinerary, c.flags, nil)
	if to == "" {
		assert.Empty(g, cmp.Diff(whole, g.calls.ran(name, itinerary)), "%s: the phases that ran", name)
		assert.Equal(g, phases.Succeeded, last.State.Result, name)
		return
	}
	before := whole[:slices.Index(whole, d.phase)+1]
	assert.Empty(g, cmp.Diff(before, g.calls.ran(name, itinerary)), "%s: the phases before", name)
	flags := c.flags
	if d.way == "is-rolled-back" {
		flags |= mtc.RollingBack
	}
	// The flag follows from the object at the beginning of the cleanup.
	begins := g.until(name, func(v record.Version) bool { return v.State.Itinerary == to })
	if hasCondition(begins, "StagePodsCreated") {
		flags |= mtc.HasStagePods
	}
	assert.Empty(g, cmp.Diff(expected(g.T, to, flags, nil), g.calls.ran(name, to)), "%s: the cleanup", name)
	if to != mtc.Failed { // MTC's Failed deletes no pods
		var pods corev1.PodList
		labels := client.MatchingLabels{example.MigrationLabel: name}
		require.NoError(g, g.client.List(g.ctx, &pods, client.InNamespace(g.namespace), labels))
		assert.Empty(g, pods.Items, "%s: remaining pods", name)
	}
}

// hasCondition reports whether a version has a true condition of a type.
func hasCondition(v record.Version, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(v.Object.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		m, ok := c.(map[string]any)
		return ok && m["type"] == kind && m["status"] == "True"
	})
}
