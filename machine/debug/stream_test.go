package debug_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
)

// lines reads a stream line by line.
func lines(r io.Reader) <-chan string {
	c := make(chan string)
	go func() {
		defer close(c)
		for s := bufio.NewScanner(r); s.Scan(); {
			c <- s.Text()
		}
	}()
	return c
}

// next returns the next non-empty line; "" at the end.
func next(t *testing.T, c <-chan string) string {
	t.Helper()
	for {
		select {
		case line, ok := <-c:
			if line != "" || !ok {
				return line
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the stream is silent")
		}
	}
}

// serve serves a handler, and returns a function that opens a stream of it.
func serve(t *testing.T, h http.Handler) (server *httptest.Server, open func(path string) (*http.Response, context.CancelFunc)) {
	t.Helper()
	server = httptest.NewUnstartedServer(h)
	server.Config.WriteTimeout = 2 * time.Second // streams must outlive it
	server.Start()
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return server, func(path string) (*http.Response, context.CancelFunc) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		require.NoError(t, err)
		res, err := client.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res, cancel
	}
}

func TestStreamReportsChanges(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := debugtest.New(t, debug.Options{})
	h := f.Handler(debug.HandlerOptions{})
	server, open := serve(t, h)
	m, other := debugtest.Final("one", "", ""), debugtest.Final("other", "", "")
	f.Repeat(m, 2, time.Second)
	f.Repeat(other, 2, time.Second)

	one, stop := open("/events?name=openshift-migration/one")
	assert.Equal(t, "text/event-stream; charset=utf-8", one.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", one.Header.Get("Cache-Control"))
	ofOne := lines(one.Body)
	assert.Equal(t, "retry: 5000", next(t, ofOne))
	assert.Equal(t, ": open", next(t, ofOne))
	any, stopAny := open("/events")
	ofAny := lines(any.Body)
	assert.Equal(t, "retry: 5000", next(t, ofAny))
	assert.Equal(t, ": open", next(t, ofAny))

	f.Reconcile(other)
	assert.Equal(t, "data: changed", next(t, ofAny))
	f.Reconcile(m)
	assert.Equal(t, "data: changed", next(t, ofOne), "and not of the other run")
	stop()
	stopAny()
	for range ofOne {
	}
	for range ofAny {
	}
	server.Client().CloseIdleConnections()
	server.Close()
}

func TestStreamBeatsAndEnds(t *testing.T) {
	h := debugtest.New(t, debug.Options{}).Handler(debug.HandlerOptions{})
	debug.SetPace(h, 20*time.Millisecond, 200*time.Millisecond)
	_, open := serve(t, h)
	res, _ := open("/events")
	all := lines(res.Body)
	assert.Equal(t, "retry: 5000", next(t, all))
	assert.Equal(t, ": open", next(t, all))
	beats := 0
	for line := next(t, all); line != ""; line = next(t, all) {
		assert.Equal(t, ": beat", line)
		beats++
	}
	assert.Positive(t, beats, "an idle stream beats")
}

// Over HTTP/2 a write deadline ends its stream even if nothing more is written.
func TestStreamOutlivesItsWriteDeadline(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		h := debugtest.New(t, debug.Options{}).Handler(debug.HandlerOptions{})
		debug.SetPace(h, 3*time.Second, time.Minute)
		debug.SetWriteTimeout(h, 2*time.Second) // enough for a busy machine
		server := httptest.NewUnstartedServer(h)
		server.Config.WriteTimeout = 2 * time.Second
		server.EnableHTTP2 = http2
		server.StartTLS()
		res, err := server.Client().Get(server.URL + "/events")
		require.NoError(t, err)
		assert.Equal(t, http2, res.ProtoMajor == 2)
		all := lines(res.Body)
		for _, line := range []string{"retry: 5000", ": open", ": beat", ": beat"} {
			assert.Equal(t, line, next(t, all), res.Proto)
		}
		server.CloseClientConnections()
		for range all { // until the end
		}
		_ = res.Body.Close()
		server.Close()
	}
}

func TestStreamsAreLimited(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	h := f.Handler(debug.HandlerOptions{MaxStreams: 2})
	_, open := serve(t, h)
	open("/events")
	_, stop := open("/events?name=a/b")
	r := get(h, "/events", "")
	assert.Equal(t, 503, r.StatusCode)
	assert.Equal(t, "30", r.Header.Get("Retry-After"))
	assert.Contains(t, body(t, r), "2 streams are open")
	stop()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx))
		return w.Code == 200
	}, 30*time.Second, time.Millisecond, "a stream whose client is gone makes room")

	none := f.Handler(debug.HandlerOptions{MaxStreams: -1})
	assert.Equal(t, 503, get(none, "/events", "").StatusCode)
}

func TestStreamsEndWhenTheirServerShutsDown(t *testing.T) {
	h := debugtest.New(t, debug.Options{}).Handler(debug.HandlerOptions{})
	server, open := serve(t, h)
	var all []<-chan string
	for range 3 {
		res, _ := open("/events")
		c := lines(res.Body)
		assert.Equal(t, "retry: 5000", next(t, c))
		all = append(all, c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, server.Config.Shutdown(ctx))
	for _, c := range all {
		for line := next(t, c); line != ""; line = next(t, c) {
			assert.True(t, strings.HasPrefix(line, ":"), line)
		}
	}
}

// Pages are read, and streams are opened and closed, while runs change and are dropped.
func TestPagesAreReadWhileRunsMove(t *testing.T) {
	f := debugtest.New(t, debug.Options{MaxRuns: 4})
	h := f.Handler(debug.HandlerOptions{MaxStreams: 2})
	var all sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		all.Add(2)
		go func() {
			defer all.Done()
			for k := range 3 {
				m := debugtest.Final(fmt.Sprint("run-", i, "-", k), "", "")
				f.Repeat(m, 30, time.Second)
				f.Recorder.Forget(m.Name)
			}
		}()
		go func() {
			defer all.Done()
			for k := 0; ; k++ {
				select {
				case <-done:
					return
				default:
				}
				for _, path := range []string{"/", fmt.Sprint("/run?name=openshift-migration/run-", k%3, "-", k%2), "/itineraries"} {
					assert.Less(t, get(h, path, "").StatusCode, 500)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx))
				cancel()
			}
		}()
	}
	for range 10 {
		get(h, "/", "text/plain")
	}
	close(done)
	all.Wait()
}
