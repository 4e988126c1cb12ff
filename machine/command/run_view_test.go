package command

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var mtcItineraries = machine.MustCompileSet(mtc.Itineraries()...)

// watched is a run on a terminal.
type watched struct {
	code   int
	frames []string // as written
	stderr string
	slept  []time.Duration
}

type frames []string

func (f *frames) Write(b []byte) (int, error) {
	*f = append(*f, string(b))
	return len(b), nil
}

// watch runs the command on a terminal with a clock that does not wait.
func watch(t *testing.T, c colors, args ...string) watched {
	t.Helper()
	var out frames
	var stderr bytes.Buffer
	var w watched
	a := &app{
		catalogue: Catalogue{Command: "dynamic-pipeline", Itineraries: mtcItineraries}, builtin: familyOfSet(mtcItineraries), name: "dynamic-pipeline",
		stdin: strings.NewReader(""), stdout: &out, stderr: &stderr, colors: c, live: true,
	}
	a.sleep = func(_ context.Context, d time.Duration) { w.slept = append(w.slept, d) }
	w.code = a.execute(t.Context(), args)
	w.frames, w.stderr = out, stderr.String()
	return w
}

// terminal is a terminal of sufficient size. It understands only what screen writes.
func terminal(t *testing.T, writes []string) string {
	t.Helper()
	lines, row, column := []string{""}, 0, 0
	text := strings.Join(writes, "")
	for text != "" {
		var n int
		switch {
		case strings.HasPrefix(text, noWrap):
			n = len(noWrap)
		case strings.HasPrefix(text, wrap):
			n = len(wrap)
		case strings.HasPrefix(text, clearLine):
			lines[row] = string([]rune(lines[row])[:column])
			n = len(clearLine)
		case strings.HasPrefix(text, clearRest):
			lines = append(lines[:row], string([]rune(lines[row])[:column]))
			n = len(clearRest)
		case strings.HasPrefix(text, "\x1b["):
			up, digits := 0, 0
			for text[2+digits] >= '0' && text[2+digits] <= '9' {
				up, digits = 10*up+int(text[2+digits]-'0'), digits+1
			}
			require.Equal(t, "A\r", text[2+digits:4+digits], "nothing else is written")
			row, column, n = row-up, 0, 4+digits
			require.GreaterOrEqual(t, row, 0, "it never goes above where it began")
		case text[0] == '\n':
			if row, column, n = row+1, 0, 1; row == len(lines) {
				lines = append(lines, "")
			}
		default:
			n = strings.IndexAny(text, "\x1b\n")
			old, part := []rune(lines[row]), []rune(text[:n])
			rest := old[min(len(old), column+len(part)):]
			lines[row] = string(old[:column]) + string(part) + string(rest)
			column += len(part)
		}
		text = text[n:]
	}
	return strings.Join(lines, "\n")
}

func TestScreenIsDrawnInPlace(t *testing.T) {
	w := watch(t, false, "run", "-i", "Final", "--flags", "DirectImage,EnableImage", "--fail-at", "InitialBackupCreated", "--speed", "max")
	assert.Equal(t, 0, w.code)
	assert.Empty(t, w.stderr)
	assert.Empty(t, w.slept)

	assert.Equal(t, `itinerary Final   running   0s
  Prepare       running       0s   Created: Taking up the migration
  Backup        not started
  DirectImage   not started
  Restore       not started
  Cleanup       not started
`, terminal(t, w.frames[:1]))
	for i, one := range w.frames[:len(w.frames)-1] {
		assert.True(t, strings.HasPrefix(one, noWrap) && strings.HasSuffix(one, wrap), "drawing %d leaves the terminal as it was", i)
	}
	assert.NotContains(t, w.frames[len(w.frames)-1], noWrap, "the last drawing is not cut off")
	assert.Equal(t, `itinerary Failed   done: Failed   7m2s
  Prepare          completed   3m22s
  Backup           failed      2m45s
  CleanupHelpers   completed   55s
  Cleanup          completed   0s
InitialBackupCreated of itinerary Final failed: requested by --fail-at
`, terminal(t, w.frames))
}

func TestScreenColors(t *testing.T) {
	last := func(c colors) string {
		w := watch(t, c, "run", "-i", "Stage", "--flags", "DirectImage", "--cancel-at", "Started", "--fail-at", "Canceled", "--speed",
			"max")
		return w.frames[len(w.frames)-1]
	}
	painted := last(true)
	for _, want := range []string{
		bold + "itinerary Cancel" + reset, red + "canceled" + reset, red + "failed" + reset, green + "completed" + reset,
		red + "Canceled of itinerary Cancel failed: requested by --fail-at" + reset,
	} {
		assert.Contains(t, painted, want)
	}
	assert.NotContains(t, last(false), "\x1b[3", "NO_COLOR")
}

func TestSpeed(t *testing.T) {
	total := func(d []time.Duration) (sum time.Duration) {
		for _, one := range d {
			sum += one
		}
		return sum
	}
	// This run takes 5m12s of simulated time.
	args := []string{"run", "-i", "Final", "--flags", "DirectImage", "--fail-at", "EnsureInitialBackup"}
	for _, tt := range []struct {
		speed string
		want  time.Duration
		tick  time.Duration // the longest time without a drawing
	}{
		{"", 5200 * time.Millisecond, 100 * time.Millisecond},
		{"60x", 5200 * time.Millisecond, 100 * time.Millisecond},
		{"1", 312 * time.Second, time.Second},
		{"0.5x", 624 * time.Second, 2 * time.Second},
		{"1000x", 312 * time.Millisecond, 20 * time.Millisecond},
		{"max", 0, 0},
	} {
		t.Run("speed "+tt.speed, func(t *testing.T) {
			args := args
			if tt.speed != "" {
				args = append(slices.Clone(args), "--speed", tt.speed)
			}
			w := watch(t, false, args...)
			assert.Equal(t, 0, w.code, w.stderr)
			assert.Contains(t, w.frames[len(w.frames)-1], "done: Failed   5m12s")
			assert.InDelta(t, tt.want, total(w.slept), 1000)
			for _, d := range w.slept {
				assert.LessOrEqual(t, d, tt.tick)
			}
		})
	}
}

func TestSleep(t *testing.T) {
	begin := time.Now()
	sleepFor(t.Context(), 10*time.Millisecond)
	assert.GreaterOrEqual(t, time.Since(begin), 10*time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	sleepFor(ctx, 24*time.Hour) // must return
}
