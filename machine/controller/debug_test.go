package controller_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/konveyor/dynamic-pipeline/machine/debug"
)

// A manager waits for the requests of its metrics server when it ends, so streams of
// the debug pages must end by themselves. With controller-runtime v0.17.4 only the
// shutdown of the server ends them. With v0.25.2 the context of the manager is also
// that of requests.
func TestManagerEndsWithOpenStreams(t *testing.T) {
	for _, c := range []struct {
		name      string
		secure    bool
		transport *http.Transport
		proto     string
	}{
		{"HTTP/1.1", false, &http.Transport{}, "HTTP/1.1"},
		{"HTTP/1.1 over TLS", true, &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, "HTTP/1.1"},
		{"HTTP/2", true, &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}, "HTTP/2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
			require.NoError(t, err)
			pages, err := debug.NewHandler(runs, debug.HandlerOptions{})
			require.NoError(t, err)
			address := freeAddress(t)
			// It has no controllers, and so does not ask the API server, which does not
			// exist.
			mgr, err := manager.New(&rest.Config{Host: "http://127.0.0.1:1"}, manager.Options{
				HealthProbeBindAddress: "0", Logger: logr.Discard(),
				Metrics: server.Options{
					BindAddress: address, SecureServing: c.secure,
					ExtraHandlers: map[string]http.Handler{"/debug/pipeline/": pages},
				},
			})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- mgr.Start(ctx) }()

			client := http.Client{Transport: c.transport}
			defer client.CloseIdleConnections()
			url := fmt.Sprintf("http://%s/debug/pipeline/", address)
			if c.secure {
				url = "https" + strings.TrimPrefix(url, "http")
			}
			require.Eventually(t, func() bool {
				response, err := client.Get(url)
				if err != nil {
					return false
				}
				defer response.Body.Close()
				_, err = io.Copy(io.Discard, response.Body)
				return assert.NoError(t, err) && assert.Equal(t, http.StatusOK, response.StatusCode)
			}, time.Minute, 10*time.Millisecond, "the metrics server starts")

			const streams = 50
			ends := make(chan error, streams)
			for range streams {
				response, err := client.Get(url + "events")
				require.NoError(t, err)
				defer response.Body.Close()
				require.Equal(t, c.proto, response.Proto)
				require.Equal(t, http.StatusOK, response.StatusCode)
				body := bufio.NewReader(response.Body)
				_, err = body.ReadString('\n')
				require.NoError(t, err, "the stream is open")
				go func() {
					_, err := io.Copy(io.Discard, body)
					ends <- err
				}()
			}
			response, err := client.Get(url + "events")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "one stream too many")

			cancel()
			// It would be an error after the grace period, which is 30 seconds.
			require.NoError(t, <-ended)
			for range streams {
				assert.NoError(t, <-ends, "the stream ends without an error")
			}
		})
	}
}

// freeAddress returns an address without a listener.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
