package command_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// server is a running command serve.
type server struct {
	url    string
	stderr *bytes.Buffer
	stop   func() (code int) // ends it as a signal does
}

// serve starts the command and waits for the URL.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	s := &server{stderr: new(bytes.Buffer)}
	code := make(chan int, 1)
	go func() {
		defer write.Close()
		c := command.Catalogue{Command: "dp", Itineraries: machine.MustCompileSet(mtc.Itineraries()...)}
		code <- command.Execute(ctx, c, append([]string{"serve"}, args...), strings.NewReader(""), write, s.stderr)
	}()
	ended := false
	s.stop = func() int {
		ended = true
		cancel()
		return <-code
	}
	t.Cleanup(func() {
		if !ended {
			s.stop()
		}
	})
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	s.url = strings.TrimSuffix(line, "\n")
	return s
}

// get returns the response to a request for JSON, and its status.
func (s *server) get(t *testing.T, path, host string) (map[string]any, int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "application/json")
	if host != "" {
		req.Host = host
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var out map[string]any
	if resp.StatusCode == http.StatusOK {
		require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	}
	return out, resp.StatusCode
}

func TestServeShowsObjects(t *testing.T) {
	s := serve(t, "-f", "testdata/runs.yaml", "-i", "testdata/upgrades.yaml")
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/$`, s.url)
	list, status := s.get(t, "", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "RunList", list["kind"])
	runs, _ := list["items"].([]any)
	assert.Len(t, runs, 15)

	one, status := s.get(t, "run?name=databases/retrying", "")
	require.Equal(t, http.StatusOK, status)
	text, err := json.Marshal(one)
	require.NoError(t, err)
	assert.Contains(t, string(text), "lock timeout", "the recorded state is shown")

	for host, want := range map[string]int{
		"localhost:1234": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:80": http.StatusOK, "LOCALHOST.": http.StatusOK,
		"evil.example.com": http.StatusForbidden, "evil.example.com:80": http.StatusForbidden,
		"localhost.evil.example.com": http.StatusForbidden, "127.0.0.1.nip.io": http.StatusForbidden,
	} {
		_, status := s.get(t, "", host)
		assert.Equal(t, want, status, host)
	}
	assert.Zero(t, s.stop())
	assert.Equal(t, "dp: press Ctrl-C to end\n", s.stderr.String())
}

func TestServeEndsCleanlyWhateverItRead(t *testing.T) {
	s := serve(t, "-f", "testdata/fleet.yaml", "-i", "testdata/upgrades.yaml")
	_, status := s.get(t, "", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Zero(t, s.stop())
	assert.Contains(t, s.stderr.String(), "item new: it has not begun")
}

func TestServeShowsASimulation(t *testing.T) {
	s := serve(t, "-i", "Stage", "--flags", "DirectImage", "--speed", "10000x")
	require.Eventually(t, func() bool {
		one, status := s.get(t, "run?name=Stage", "")
		if status != http.StatusOK {
			return false // no phase has been entered yet
		}
		text, err := json.Marshal(one)
		return err == nil && strings.Contains(string(text), `"result":"Succeeded"`)
	}, time.Minute, 10*time.Millisecond)
	assert.Zero(t, s.stop())
}

func TestServeEndsWhileASimulationRuns(t *testing.T) {
	s := serve(t, "-i", "Stage", "--flags", "DirectImage", "--speed", "1x")
	assert.Zero(t, s.stop())
	assert.Equal(t, "dp: press Ctrl-C to end\n", s.stderr.String())
}

func TestServeEndsWithAStreamOpen(t *testing.T) {
	s := serve(t, "-i", "Stage", "--flags", "DirectImage", "--speed", "1x")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"events", nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/event-stream")
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Zero(t, s.stop())
	_, err = io.Copy(io.Discard, resp.Body)
	assert.NoError(t, err, "the stream comes to its end")
}

func TestServeUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "dp: nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY\n"},
		{"an address without a port", []string{"-i", "Stage", "--address", "localhost"}, 2, "dp: --address takes HOST:PORT, such as 127.0.0.1:8080, not \"localhost\"\n"},
		{
			"a simulation of objects", []string{"-f", "testdata/runs.yaml", "-i", "testdata/upgrades.yaml", "--speed", "1x"}, 2,
			"dp: --speed is for a simulated run; leave out --speed, or give -i ITINERARY without -f\n",
		},
		{"an unknown itinerary", []string{"-i", "Stagee"}, 2, "dp: unknown itinerary \"Stagee\"; did you mean \"Stage\"?\n"},
		{"no run", []string{"-f", "testdata/upgrades.yaml"}, 1, ""},
		{
			"a port that there cannot be", []string{"-i", "Stage", "--address", "127.0.0.1:99999"}, 2,
			"dp: --address takes HOST:PORT, such as 127.0.0.1:8080, not \"127.0.0.1:99999\"\n",
		},
		{"an address that is not here", []string{"-i", "Stage", "--flags", "", "--address", "192.0.2.1:80"}, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			c := command.Catalogue{Command: "dp", Itineraries: machine.MustCompileSet(mtc.Itineraries()...)}
			assert.Equal(t, tt.code,
				command.Execute(t.Context(), c, append([]string{"serve"}, tt.args...), strings.NewReader(""), &stdout, &stderr))
			assert.Empty(t, stdout.String())
			if tt.want == "" {
				assert.NotEmpty(t, stderr.String())
				return
			}
			assert.Equal(t, tt.want, stderr.String())
		})
	}
}
