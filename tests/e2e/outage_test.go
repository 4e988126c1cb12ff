package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/plane"
)

// The API server and etcd are killed hard while migrations run, one after the
// other and both at once, and restarted. This test has its own control plane.
func TestControlPlaneIsKilled(t *testing.T) {
	t.Parallel()
	on, err := start(context.Background())
	if on != nil {
		t.Cleanup(func() { assert.NoError(t, on.stop()) })
	}
	require.NoError(t, err)
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			g := newFixture(t, on, r)
			g.outages = true
			g.record(itineraries)
			g.run(example.Parts{})
			for i, killed := range [][]plane.Component{{plane.APIServer}, {plane.Etcd}, {plane.Etcd, plane.APIServer}} {
				// One migration waits for an event that happens only after the
				// outage; the other is at work.
				c := richest[i%2]
				waits, works := fmt.Sprintf("waits-%d", i), fmt.Sprintf("works-%d", i)
				release := g.world.Hold(g.namespace, waits+"-initialbackup")
				for _, name := range []string{waits, works} {
					g.plan(name, c.plan)
					g.migrate(name, c.spec)
				}
				g.until(waits, func(v record.Version) bool {
					return v.State.Phase == "InitialBackupCreated" && v.State.WaitingSince != nil
				})
				for _, component := range killed {
					require.NoError(t, on.Kill(component))
				}
				for _, component := range killed {
					require.NoError(t, on.Restart(component))
				}
				release()
				for _, name := range []string{waits, works} {
					g.done(name)
					assert.Empty(t, cmp.Diff(expected(t, mtc.Final, c.flags, nil), g.calls.ran(name, mtc.Final)),
						"%s: the phases that ran", name)
				}
			}
			assert.Empty(t, g.calls.atOnce())
		})
	}
}

// source is a proxy to the source cluster that can hang, fail, or answer late.
type source struct {
	*httptest.Server
	mu    sync.Mutex
	mode  string
	lists map[string]int // of image streams, by mode
}

// proxyTo returns a handler that forwards requests with the access of a
// config.
func proxyTo(t *testing.T, to *rest.Config) (http.Handler, *http.Transport) {
	t.Helper()
	target, err := url.Parse(to.Host)
	require.NoError(t, err)
	certificate, err := tls.X509KeyPair(to.CertData, to.KeyData)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(to.CAData))
	proxy := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: roots}}
	proxy.Transport, proxy.FlushInterval = transport, -1
	proxy.ErrorLog = log.New(io.Discard, "", 0) // ignore requests that a stop cuts short
	return proxy, transport
}

func newSource(t *testing.T, to *rest.Config) (*source, *rest.Config) {
	t.Helper()
	proxy, transport := proxyTo(t, to)
	s := &source{lists: map[string]int{}}
	ended := make(chan struct{})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/imagestreams") {
			s.mu.Lock()
			mode := s.mode
			s.lists[mode]++
			s.mu.Unlock()
			switch mode {
			case "hangs":
				select {
				case <-r.Context().Done():
				case <-ended:
				}
				return
			case "fails":
				const status = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500}`
				http.Error(w, status, http.StatusInternalServerError)
				return
			case "is late":
				select {
				case <-time.After(2 * time.Second): // the answer comes, but late
				case <-r.Context().Done():
					return
				}
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(ended)
		s.Close()
		transport.CloseIdleConnections()
	})
	return s, &rest.Config{Host: s.URL, QPS: -1}
}

func (s *source) turn(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
}

func (s *source) listed(mode string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists[mode]
}

// The source cluster hangs, fails or answers late. The migration waits with
// all of its pipeline or none of it, and continues when the answer comes. A
// migration that is canceled or fails during the outage ends without an answer.
func TestSourceClusterCannotBeReached(t *testing.T) {
	t.Parallel()
	for i, mode := range []string{"hangs", "fails", "is late"} {
		r := both[i%2]
		t.Run("the list of image streams "+mode, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			source, access := newSource(t, g.Config)
			c, err := client.New(access, client.Options{Scheme: example.Scheme()})
			require.NoError(t, err)
			images := example.ImageStreams(c)
			g.record(itineraries)
			g.run(example.Parts{
				// The evaluation of flags has its own timeout.
				ImageStreams: mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (bool, error) {
					ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
					defer cancel()
					return images.HasImageStreams(ctx, namespaces)
				}),
				Around: func(_ context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
					if m.GetName() == "fails-under-way" && at.Phase == "Started" {
						source.turn(mode)
						return runner.Fail("told to fail"), nil
					}
					return phase()
				},
			})
			indirect := richest[0]
			for _, name := range []string{"goes-on", "is-canceled", "fails-under-way"} {
				g.plan(name, indirect.plan)
			}
			// Cleanup itineraries do not wait for the source cluster.
			g.migrate("fails-under-way", indirect.spec)
			last := g.done("fails-under-way")
			assert.Equal(t, mtc.Failed, last.State.Itinerary)
			prepare, _ := last.State.Pipeline.Lookup(mtc.Prepare)
			assert.Equal(t, steps.MessageFailed, prepare.Message)

			spec := indirect.spec
			spec.Canceled = true
			g.migrate("is-canceled", spec)
			last = g.done("is-canceled")
			assert.Equal(t, mtc.Cancel, last.State.Itinerary)
			needed := []string{"EnsureAnnotationsDeleted", "Canceled"}
			assert.Subset(t, g.calls.ran("is-canceled", mtc.Cancel), needed, "phases that may be needed run")

			// The migration begins, because a phase ahead decides the flag. It
			// waits when the next phase depends on the flag, and its work is
			// not done again.
			g.migrate("goes-on", indirect.spec)
			before := source.listed(mode)
			require.Eventually(t, func() bool { return source.listed(mode) > before }, timeout, tick)
			if mode != "is late" {
				waits := g.until("goes-on", func(v record.Version) bool { return v.State.Retry != nil })
				assert.Equal(t, "WaitForStaleStagePodsTerminated", waits.State.Phase)
				assert.True(t, waits.State.WorkDone)
				assert.Equal(t, []string{"HasISs"}, waits.State.Retry.Flags, "users see the unknown flag")
				assert.Contains(t, waits.State.Pipeline.Current().Message, "HasISs")
				calls := g.calls.called("goes-on")
				before := source.listed(mode)
				require.Eventually(t, func() bool { return source.listed(mode) > before }, timeout, tick, "the flag is evaluated again")
				assert.Equal(t, calls, g.calls.called("goes-on"))
				for _, v := range g.recorder.Versions("goes-on") {
					assert.Empty(t, v.Errors)
					if v.State.Itinerary != "" {
						assert.Subset(t, names(v), stepsOf(t, mtc.Final, expected(t, mtc.Final, indirect.flags, nil)),
							"no partial pipeline")
					}
				}
				source.turn("")
			}
			last = g.done("goes-on")
			assert.Nil(t, last.State.Retry)
			assert.Empty(t, last.Errors)
			assert.Empty(t, cmp.Diff(expected(t, mtc.Final, indirect.flags, nil), g.calls.ran("goes-on", mtc.Final)))
			assert.Empty(t, cmp.Diff(stepsOf(t, mtc.Final, g.calls.ran("goes-on", mtc.Final)), g.recorder.Steps("goes-on")))
		})
	}
}
