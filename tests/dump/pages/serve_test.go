package pages

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// command builds the command of this repository.
func command(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dynamic-pipeline")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, ".")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

// serve runs the command serve and returns its URL. The function end stops it with a
// signal and returns its error.
func serve(t *testing.T, command string, arguments ...string) (address string, end func(os.Signal) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*browser.Timeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, command, append([]string{"serve"}, arguments...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := false
	t.Cleanup(func() {
		if !ended {
			cancel()
			_ = cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the first line is the URL")
	return strings.TrimSpace(line), func(s os.Signal) error {
		require.NoError(t, cmd.Process.Signal(s))
		ended = true
		return cmd.Wait()
	}
}

func TestServeShowsObjectsAndEndsCleanly(t *testing.T) {
	program := command(t)
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			address, end := serve(t, program, "-f", filepath.Join(root, "tests/conformance/testdata/objects.json"))
			require.True(t, strings.HasPrefix(address, "http://127.0.0.1:"), address)
			p := openTab(t, address, "")
			p.shows("#tab-all", "All")
			assert.Contains(t, p.texts(runNames), "migration-004")
			p.visit("run?name=openshift-migration%2Fmigration-004")
			p.shows("h1", "migration-004")
			p.until(`() => document.getElementById("live").textContent.startsWith("Live")`) // a stream is open
			require.NoError(t, end(signal), "exit 0")
			p.mu.Lock()
			defer p.mu.Unlock()
			p.expected = "net::ERR_" // the server is gone
		})
	}
}

func TestServeShowsASimulatedRunLive(t *testing.T) {
	address, end := serve(t, command(t), "-i", "Final", "--flags", "DirectImage,EnableImage,HasISs", "--speed", "1000")
	p := openTab(t, address, "")
	p.shows(runNames, "Final")
	p.visit("run?name=Final") // the row is redrawn too often to be clicked
	p.shows("h1", "Final")
	p.mark()
	p.shows(".sentence", "ucceeded")
	p.notReloaded()
	require.NoError(t, end(os.Interrupt))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = "net::ERR_"
}

// A page of another site, whose name resolves to 127.0.0.1, can read nothing.
func TestServeRefusesAnotherHost(t *testing.T) {
	address, end := serve(t, command(t), "-i", "Final")
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for host, want := range map[string]int{"": http.StatusOK, "localhost": http.StatusOK, "attacker.example": http.StatusForbidden} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		request.Host = host
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, "host %q", host)
	}
	require.NoError(t, end(os.Interrupt))
}
