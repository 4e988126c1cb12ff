package cli_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Only a process has an exit code and a pipe that breaks.
func TestProcess(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "dynamic-pipeline")
	out, err := exec.Command("go", "build", "-o", binary, "../..").CombinedOutput()
	require.NoError(t, err, "%s", out)

	for _, tt := range []struct {
		name  string
		stdin string
		args  []string
		code  int
	}{
		{"help", "", nil, 0},
		{"a plan", around("", migration("m", ``, ``)), []string{"plan", "-f", "-"}, 0},
		{"a problem in the stream", "", []string{"plan", "-f", "-"}, 1},
		{"an invalid command line", "", []string{"plan"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(binary, tt.args...)
			cmd.Stdin = strings.NewReader(tt.stdin)
			_, err := cmd.Output()
			code := 0
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			assert.Equal(t, tt.code, code)
		})
	}

	t.Run("built from a checkout", func(t *testing.T) {
		out, err := exec.Command(binary, "--version").Output()
		require.NoError(t, err)
		assert.Equal(t, "dynamic-pipeline (devel)\n", string(out))
	})

	t.Run("head has seen enough", func(t *testing.T) {
		cmd := exec.Command(binary, "plan", "-f", recorded("objects.json"), "-o", "json")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReaderSize(stdout, 16).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "[\n", line)
		require.NoError(t, stdout.Close())
		require.NoError(t, cmd.Wait())
		assert.Empty(t, stderr.String())
	})

	t.Run("Ctrl-C stops a run", func(t *testing.T) {
		cmd := exec.Command(binary, "run", "-i", "Final", "--flags", "DirectImage", "--speed", "0.1x")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "     0s  itinerary Final\n", line)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
		assert.Equal(t, 130, exit.ExitCode())
		assert.Equal(t, "dynamic-pipeline: stopped after 0s in phase Created of itinerary Final\n", stderr.String())
	})

	t.Run("no colours into a file", func(t *testing.T) {
		file, err := os.Create(filepath.Join(t.TempDir(), "out"))
		require.NoError(t, err)
		defer file.Close()
		cmd := exec.Command(binary, "plan", "-f", recorded("objects.json"), "--explain")
		cmd.Stdout = file
		require.NoError(t, cmd.Run())
		_, err = file.Seek(0, io.SeekStart)
		require.NoError(t, err)
		text, err := io.ReadAll(file)
		require.NoError(t, err)
		assert.NotEmpty(t, text)
		assert.NotContains(t, string(text), "\x1b")
	})
}
