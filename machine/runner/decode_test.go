package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

func TestDecodeState(t *testing.T) {
	for _, c := range []struct {
		about, text, want string
	}{
		{"an object with only unknown members", `{"conditions": []}`, `{}`},
		{"times of the year 9000", `{"entered": "9000-01-01T00:00:00Z", "deadline": "9000-01-02T00:00:00Z"}`,
			`{"entered": "9000-01-01T00:00:00Z", "deadline": "9000-01-02T00:00:00Z"}`},
		{"a time that cannot be written", `{"entered": "0000-01-01T00:00:00+23:00", "deadline": "9999-12-31T23:59:59-23:00"}`, `{"entered": null, "deadline": null}`},
		{"a time that is missing", `{"itinerary": "Move", "phase": "Copy"}`, `{"itinerary": "Move", "phase": "Copy", "visit": 1}`},
		{"numbers out of range", `{"visit": -1, "pausedSeconds": -5, "failedPhases": -9000000000000000000}`, `{}`},
		{"invalid values", `{"result": "Great", "retry": {"kind": "x", "attempts": -1}}`,
			`{"retry": {"kind": "Handler", "since": null, "attempts": 0, "error": "", "at": null, "next": null}}`},
		{"a long text", `{"stopped": {"error": "` + strings.Repeat("x", 5000) + `", "since": null}}`,
			`{"stopped": {"error": "` + strings.Repeat("x", runner.MaxText-3) + `...", "since": null}}`},
	} {
		t.Run(c.about, func(t *testing.T) {
			s, err := runner.DecodeState([]byte(c.text))
			require.NoError(t, err)
			text, err := json.Marshal(s)
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(text))
		})
	}
	for _, text := range []string{``, `{`, `[]`, `"x"`, `{"visit": "1"}`, `{"entered": "yesterday"}`, `{"pipeline": {}}`, `{} {}`} {
		s, err := runner.DecodeState([]byte(text))
		var not *runner.StateError
		require.ErrorAs(t, err, &not, text)
		assert.Error(t, errors.Unwrap(not))
		assert.Empty(t, cmp.Diff(runner.State{}, s))
		assert.Contains(t, err.Error(), "not the state of a run: ")
	}
}

// Each state that a runner writes is recognized, whatever happens at the beginning, and
// is read back unchanged.
func TestIsStateOfWrittenStates(t *testing.T) {
	for _, c := range []struct {
		about string
		set   func(w *world)
	}{
		{"a run", func(*world) {}},
		{"a run that is canceled first", func(w *world) { w.m.Canceled = true }},
		{"flags that are unknown", func(w *world) { w.broken[volumes], w.broken[images] = errors.New("no"), errors.New("no") }},
		{"a pause", func(w *world) { w.m.Paused = true }},
		{"an unknown itinerary", func(w *world) {
			w.options.Select = func(context.Context, *migration) (string, error) { return "Mvoe", nil }
		}},
		{"a selector that fails", func(w *world) {
			w.options.Select = func(context.Context, *migration) (string, error) { return "", errors.New("forbidden") }
		}},
		{"a failure", func(w *world) {
			w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no"), nil }
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			w := newWorld(t)
			w.now = time.Now().Truncate(time.Second)
			c.set(w)
			for range 6 {
				_, _ = w.reconcile()
				text, err := json.Marshal(w.m.State)
				require.NoError(t, err)
				assert.True(t, runner.IsState(text), "%s", text)
				read, err := runner.DecodeState(text)
				require.NoError(t, err)
				again, err := json.Marshal(read)
				require.NoError(t, err)
				assert.JSONEq(t, string(text), string(again))
			}
		})
	}
}

func TestIsState(t *testing.T) {
	for text, want := range map[string]bool{
		``: false, `[]`: false, `"x"`: false, `null`: false, `{`: false, `{}`: false,
		// A status of mig-controller, and others.
		`{"itinerary": "Final", "phase": "Completed", "pipeline": [{"name": "Prepare"}], "observedDigest": "x"}`: false,
		`{"token": "x"}`:                                  false,
		`{"facts": {"true": ["A"]}}`:                      false,
		`{"facts": "x", "visit": "3", "stopped": true}`:   false,
		`{"retry": {"kind": "Always"}}`:                   false,
		`{"stopped": {"error": "x"}}`:                     false,
		`{"visit": 0}`:                                    false,
		`{"pausedSince": "2026-11-20T12:00:00Z", "a": 1}`: false,
		`{"pausedSince": "x"}`:                            false,
		`{"pausedSince": null}`:                           false,
		`{"pausedSince": "0001-01-01T00:00:00Z"}`:         false,
		`{"pausedSince": "2026-11-20T12:00:00Z"}`:         true,
		`{"pausedSince": "2026-11-20T12:00:00Z", "conditions": [{"type": "Paused"}], "observedGeneration": 3}`: true,
		`{"visit": 3, "conditions": []}`:                               true,
		`{"facts": {"hash": "x"}, "conditions": [{}]}`:                 true,
		`{"facts": {"hash": "x"}, "visit": "broken"}`:                  true,
		`{"retry": {"kind": "Flags"}, "entered": "broken"}`:            true,
		`{"stopped": {"error": "x", "since": "2026-11-20T12:00:00Z"}}`: true,
	} {
		assert.Equal(t, want, runner.IsState([]byte(text)), text)
	}
}
