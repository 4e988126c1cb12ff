package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
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

// killedAfter is how long a process lives before it is killed, at the most: from
// its first breath to a second of work.
const killedAfter = 1200 * time.Millisecond

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
			g := newGround(t, common, r)
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
			for range kills {
				open = slices.DeleteFunc(open, func(name string) bool {
					all := g.recorder.Versions(name)
					return len(all) > 0 && all[len(all)-1].State.Done
				})
				for len(open) < inFlight {
					begin()
				}
				p := g.spawn(g.Config, arguments...)
				// The moment is what the test is about, and no wait for anything.
				time.Sleep(time.Duration(random.Int64N(int64(killedAfter))))
				n := p.kill()
				if cut += n; n > 0 {
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
				assert.Empty(t, cmp.Diff(want, g.witness.ran(name, itinerary)), "%s: the phases that ran", name)
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, want), g.recorder.Steps(name)), "%s: the steps that were ever seen", name)
			}
			assert.Empty(t, g.witness.atOnce())
			t.Logf("%d kills over %d migrations; %d of them cut %d calls of phases short", kills, len(made), working, cut)
			assert.Positive(t, cut, "some kill hits a phase at work")
		})
	}
}
