package controller_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// forged are annotations that NewAnnotationStorage did not write, and whether they can
// be read.
var forged = []struct {
	name, text string
	ok         bool
}{
	{"empty", "", false},
	{"a broken object", "{", false},
	{"null", "null", true},
	{"an empty object", "{}", true},
	{"a list", "[]", false},
	{"a text", `"Move"`, false},
	{"two values", "{}{}", false},
	{"a NUL", "\x00", false},
	{"invalid UTF-8", "{\"phase\":\"\xff\"}", true},
	{"unknown fields", `{"attempts":9000000000000000000,"x":{"y":[1e999]}}`, true},
	{"a duplicate key", `{"itinerary":"Move","itinerary":"CleanUp"}`, true},
	{"lists in lists", strings.Repeat("[", 100_000), false},
	{"objects in objects", strings.Repeat(`{"facts":`, 20_000), false},
	{"unknown objects in objects", `{"x":` + strings.Repeat(`{"x":`, 20_000), false},
	{"a number that is too large", `{"visit":1e400}`, false},
	{"a number above an integer", `{"visit":9223372036854775808}`, false},
	{"the largest integer", `{"visit":9223372036854775807,"pausedSeconds":9223372036854775807,"failedPhases":-9223372036854775808}`, true},
	{"a fraction", `{"visit":0.5}`, false},
	{"a number as text", `{"visit":"1"}`, false},
	{"a text as number", `{"phase":1}`, false},
	{"a list as text", `{"failures":"disk full"}`, false},
	{"an object as list", `{"facts":[]}`, false},
	{"an invalid time", `{"entered":"yesterday"}`, false},
	{"a time in the future", `{"entered":"9999-12-31T23:59:59Z"}`, true},
	{"a time in the past", `{"entered":"0001-01-01T00:00:00Z","pausedSince":"0001-01-01T00:00:00Z"}`, true},
	{"the zero time", `{"runStarted":"0001-01-01T00:00:00Z"}`, true},
	{"a part of a second", `{"runStarted":"2020-01-01T00:00:00.5Z"}`, true},
	{"contradicting facts", `{"facts":{"true":["Volumes","Volumes","X"],"false":["Volumes"]}}`, true},
	{"an unknown result", `{"result":"Exploded"}`, true},
	{"many failures", `{"failures":[` + strings.Repeat("{},", 80_000) + `{}]}`, true},
	{"many switches", `{"switches":[` + strings.Repeat("{},", 80_000) + `{}]}`, true},
	{"many flags", `{"facts":{"true":[` + strings.Repeat(`"",`, 80_000) + `""]}}`, true},
	{"many steps", `{"pipeline":[` + strings.Repeat("{},", 80_000) + `{}]}`, true},
	{"a retry of long texts", `{"retry":{"error":"` + strings.Repeat("x", 200_000) + `","attempts":-1}}`, true},
	{"more than an API server accepts", strings.Repeat(" ", 256<<10) + "{}", false},
	{"done", `{"done":true}`, true},
}

func TestForgedAnnotations(t *testing.T) {
	for _, c := range forged {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain)
			w.options.Runner.Storage = inAnnotation
			_, err := w.reconcile()
			require.NoError(t, err)
			w.edit(func(m *Move) { m.Annotations = map[string]string{annotation: c.text} })
			_, err = inAnnotation.Read(context.Background(), w.get())
			if c.ok {
				require.NoError(t, err)
				w.end()
				assert.Contains(t, w.conditions(), "Running=False/Done")
				assert.Less(t, len(w.get().Annotations[annotation]), 64<<10)
				return
			}
			var broken *runner.AnnotationError
			require.ErrorAs(t, err, &broken)
			assert.Equal(t, annotation, broken.Annotation)
			for range 2 {
				_, err = w.reconcile()
				require.ErrorAs(t, err, &broken)
				require.ErrorIs(t, err, reconcile.TerminalError(nil))
			}
			assert.Contains(t, w.conditions(), "Running=False/Stopped")
			assert.Equal(t, c.text, w.get().Annotations[annotation], "it is left alone")
			assert.Equal(t, 1, strings.Count(strings.Join(w.events, "\n"), "Warning Stopped: "))

			w.edit(func(m *Move) { m.Annotations = nil })
			w.end()
			assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called, "from the status")
		})
	}
}

// allocated returns the number of bytes that a function allocates, freed ones included.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestReadingTakesLinearMemory(t *testing.T) {
	for _, c := range forged {
		m := &Move{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotation: c.text}}}
		spent := allocated(func() { _, _ = inAnnotation.Read(context.Background(), m) })
		// A failure of two bytes takes 96 in memory, and the list of them grows by copies.
		assert.LessOrEqual(t, spent, 1<<20+512*uint64(len(c.text)), c.name)
	}
}

// If a client that does not know the annotation moves a run, the history in the
// annotation is kept and the rest is dropped.
func TestMoveByStatusKeepsHistory(t *testing.T) {
	at, token := metav1.NewTime(time.Unix(1_600_000_000, 0)), "2"
	s := runner.State{
		Checkpoint: machine.Checkpoint{
			Itinerary: "CleanUp", Phase: "Report", WorkDone: true, Facts: phases.Record{Hash: "x", True: []string{"Volumes"}}, FlagsEvaluated: &at,
		},
		Visit: 7, Entered: &at, Deadline: &at, WaitingSince: &at, PausedSince: &at, PausedSeconds: 5,
		Retry: &runner.Retry{Since: at, Attempts: 2, Error: "x", At: at, Next: at}, Stopped: &runner.Stop{Error: "x", Since: at}, SwitchHeld: "Move",
		Switches: []runner.Switch{{From: "Move", Phase: "Copy", To: "CleanUp", Reason: runner.SwitchFailed, At: at}},
		Result:   phases.Failed, FailedPhases: 2, FailedInCleanup: 3,
		Failures: []runner.Failure{{Itinerary: "Move", Phase: "Copy", At: at, Visit: 6}}, Dropped: &runner.Dropped{Failures: 1},
		FailedAt: &runner.FailedAt{Itinerary: "Move", Phase: "Copy", Step: "Data", Steps: 2}, Token: &token, Run: 2, RunStarted: &at,
		Runs: []runner.PastRun{{Result: phases.Canceled, Itinerary: "CleanUp", Started: at, Ended: at}},
	}
	m := &Move{}
	require.NoError(t, inAnnotation.Write(context.Background(), m, s))
	same, err := inAnnotation.Read(context.Background(), m)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(s, same))

	m.Status.Itinerary, m.Status.Phase = "Move", "Attach"
	moved, err := inAnnotation.Read(context.Background(), m)
	require.NoError(t, err)
	want := runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Move", Phase: "Attach"}, Switches: s.Switches, Result: s.Result,
		FailedPhases: 2, FailedInCleanup: 3, Failures: s.Failures, Dropped: s.Dropped,
		FailedAt: s.FailedAt, Token: s.Token, Run: s.Run, RunStarted: s.RunStarted, Runs: s.Runs,
	}
	assert.Empty(t, cmp.Diff(want, moved))
}
