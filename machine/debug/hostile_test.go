package debug

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

var forms = []string{"text/html", "text/plain", "application/json"}

// readPage returns a page of a recorder.
func readPage(t *testing.T, r *Recorder, path, accept string) string {
	t.Helper()
	h, err := NewHandler(r, HandlerOptions{})
	require.NoError(t, err)
	request := httptest.NewRequest(http.MethodGet, path, nil)
	request.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	require.Equal(t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
	return w.Body.String()
}

func TestJSONHasNoControlCharacters(t *testing.T) {
	const text = "\u009b31m \u202edesrever \U000e0041 \u007f"
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	r.Record(n, runner.State{Stopped: &runner.Stop{Error: text}}, false)
	for _, path := range []string{"/", "/" + runLink("run", n), "/" + runLink("history", n)} {
		got := readPage(t, r, path, "application/json")
		assert.False(t, strings.ContainsAny(got, "\u009b\u202e\U000e0041\u007f"), "%s: %q", path, got)
		assert.Contains(t, got, `\u009b31m \u202edesrever \udb40\udc41 \u007f`, path)
	}
	var p struct{ Why string }
	require.NoError(t, json.Unmarshal([]byte(readPage(t, r, "/"+runLink("run", n), "application/json")), &p))
	assert.Equal(t, text, p.Why, "it is read back the same")
}

func TestStepsWithoutAStart(t *testing.T) {
	at := metav1.NewTime(time.Unix(1e9, 0))
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	r.Record(n, runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: mtc.Cancel, Phase: "Canceled"},
		Pipeline:   steps.Pipeline{{Name: "Backup", Completed: &at}, {Name: "Restore", Failed: true}, {Name: "Cleanup"}},
	}, false)
	for _, form := range forms {
		got := readPage(t, r, "/"+runLink("run", n), form)
		assert.Contains(t, got, "Restore", form)
		readPage(t, r, "/"+runLink("history", n), form)
	}
	assert.Regexp(t, `Backup +Completed\nRestore +Failed\nCleanup +Not started\n`, readPage(t, r, "/"+runLink("run", n), "text/plain"))
}

func TestSentenceOfPausedRun(t *testing.T) {
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	since := metav1.NewTime(time.Now().Add(-10 * time.Minute))
	s := runner.State{
		Checkpoint:  machine.Checkpoint{Itinerary: mtc.Final, Phase: "EnsureInitialBackup"},
		PausedSince: &since, Retry: &runner.Retry{Error: "connection refused", Attempts: 3},
	}
	r.Record(n, s, true)
	assert.Contains(t, readPage(t, r, "/"+runLink("run", n), "text/plain"),
		"Paused in phase EnsureInitialBackup for 10 min.\n", "the last error is shown separately")
	s.Done, s.Result, s.Retry, s.PausedSince = true, phases.Result("Other"), nil, nil
	r.Record(n, s, false)
	assert.Contains(t, readPage(t, r, "/"+runLink("run", n), "text/plain"), "\nDone.\n", "a result that is not known is not shown")
}

func TestPauseThatBeganEarlierIsAnEvent(t *testing.T) {
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	since := metav1.NewTime(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	r.Record(n, runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "EnsureInitialBackup"}, PausedSince: &since}, true)
	run, _ := r.Lookup(n)
	require.Len(t, run.Events, 1)
	assert.Equal(t, Event{
		At: since.UTC(), Kind: "RunPaused", Text: "the run is paused in phase EnsureInitialBackup", Count: 1, Last: since.UTC(),
	}, run.Events[0])
}

func TestRunPageBeforeTheRunBegins(t *testing.T) {
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	r.Record(n, runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final}}, false)
	text := readPage(t, r, "/"+runLink("run", n), "text/plain")
	assert.Contains(t, text, "May still come")
	page := readPage(t, r, "/"+runLink("run", n), "text/html")
	assert.Contains(t, page, "Nothing is left out yet")
	assert.NotContains(t, page, "Every step of this itinerary is shown.")
}

func TestMomentsKeepTheirNumbersAtMinRunSize(t *testing.T) {
	r := newRecorder(t, Options{MaxRunSize: MinRunSize})
	n := Name{Namespace: "shop", Name: "orders"}
	record := func(i int) {
		r.Record(n, runner.State{
			Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "EnsureInitialBackup"},
			Pipeline:   steps.Pipeline{{Name: "Backup", Message: strings.Repeat("x", 200) + fmt.Sprint(" volume ", i)}},
		}, false)
	}
	for i := range 20 {
		record(i + 1)
	}
	page := "/" + runLink("run", n, "moment", "20")
	record(21)
	assert.Contains(t, readPage(t, r, page, "text/plain"), "volume 20", "before some are dropped")
	for i := range 15 {
		record(i + 22)
	}
	run, _ := r.Lookup(n)
	require.Positive(t, run.DroppedMoments)
	require.Less(t, run.DroppedMoments, 19)
	assert.Contains(t, readPage(t, r, page, "text/plain"), "volume 20\n", "and after")
	assert.Contains(t, readPage(t, r, page, "text/plain"), "Moment 20 of 36, at ")
	assert.Contains(t, readPage(t, r, page, "text/html"), fmt.Sprintf(`min="%d" max="36" value="20"`, run.DroppedMoments+1))
	assert.Contains(t, readPage(t, r, "/"+runLink("history", n), "application/json"), `"moment": 36`)

	h, err := NewHandler(r, HandlerOptions{})
	require.NoError(t, err)
	for moment, want := range map[string]int{
		"1": http.StatusNotFound, "0": http.StatusBadRequest, "37": http.StatusBadRequest, "-1": http.StatusBadRequest,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+runLink("run", n, "moment", moment), nil))
		assert.Equal(t, want, w.Code, "moment %s", moment)
	}
}

func TestListIsBounded(t *testing.T) {
	text := strings.Repeat("\"<&\u202e", runner.MaxText/8)
	reasons := slices.Repeat([]string{text}, 7)
	r := newRecorder(t, Options{})
	for i := range DefaultMaxRuns {
		r.Record(Name{Namespace: "shop", Name: fmt.Sprint("orders-", i)}, runner.State{
			Checkpoint: machine.Checkpoint{Itinerary: mtc.Failed, Phase: "Completed", Done: true},
			Result:     phases.Failed,
			FailedAt:   &runner.FailedAt{Itinerary: mtc.Final, Phase: "EnsureInitialBackup"},
			Failures:   []runner.Failure{{Itinerary: mtc.Final, Phase: "EnsureInitialBackup", Reasons: reasons}},
		}, false)
	}
	for _, form := range forms {
		assert.Less(t, len(readPage(t, r, "/", form)), 6<<20, form)
	}
	page := readPage(t, r, "/"+runLink("run", Name{Namespace: "shop", Name: "orders-1"}), "application/json")
	var p struct{ Why string }
	require.NoError(t, json.Unmarshal([]byte(page), &p))
	assert.Contains(t, p.Why, strings.Join(reasons, "; "), "the page of the run has it in full")
}

func TestListOrderPutsLongestWaitBeforeDone(t *testing.T) {
	r := newRecorder(t, Options{})
	record := func(name, phase string, hours time.Duration) {
		at := metav1.NewTime(time.Now().Add(-hours * time.Hour))
		checkpoint := machine.Checkpoint{Itinerary: mtc.Final, Phase: phase, Done: phase == "Completed"}
		s := runner.State{Checkpoint: checkpoint, Entered: &at, WaitingSince: &at}
		s.Pipeline = steps.Pipeline{{Name: "Backup", Started: &at, Completed: &at}}
		r.Record(Name{Name: name}, s, false)
	}
	record("done-long-ago", "Completed", 90)
	record("done", "Completed", 80)
	record("waits", "EnsureInitialBackup", 1)
	record("waits-longest", "EnsureInitialBackup", 2)
	var p struct{ Items []struct{ Name string } }
	require.NoError(t, json.Unmarshal([]byte(readPage(t, r, "/?sort=since", "application/json")), &p))
	var names []string
	for _, i := range p.Items {
		names = append(names, i.Name)
	}
	assert.Equal(t, []string{"waits-longest", "waits", "done", "done-long-ago"}, names)
}

func TestDroppedRunMayBeListedAgain(t *testing.T) {
	r := newRecorder(t, Options{MaxRuns: 1})
	for _, name := range []string{"a", "b", "a"} {
		r.Record(Name{Name: name}, runner.State{}, false)
	}
	got := readPage(t, r, "/", "text/plain")
	assert.Regexp(t, `(?m)^a +Not begun$`, got)
	assert.Contains(t, got, "runs were dropped (2 in total)")
	assert.Contains(t, got, "A dropped run is listed again once it is reconciled.")
}

func TestFlagsOfThePreviousRunHaveNoAge(t *testing.T) {
	r := newRecorder(t, Options{})
	o := observe(t, r)
	m := newMigration("orders", 0)
	tell := func(e runner.Event) { o.Observe(t.Context(), m, e) }
	tell(runner.FlagEvaluated{Flag: "HasPVs", Value: phases.True})
	tell(runner.FlagEvaluated{Flag: "Quiesce", Value: phases.True})
	tell(runner.RunReconciled{Key: "1", State: &runner.State{}, Changed: true})
	tell(runner.RunBegun{Run: 2, Itinerary: mtc.Final})
	tell(runner.FlagEvaluated{Flag: "Quiesce", Value: phases.True})
	tell(runner.RunReconciled{Key: "1", State: &runner.State{Run: 2}, Changed: true})
	run, ok := r.Lookup(m.name())
	require.True(t, ok)
	assert.Equal(t, []string{"Quiesce"}, slices.Collect(maps.Keys(run.Evaluated)))
}

func TestPageWriteHasDeadline(t *testing.T) {
	r := newRecorder(t, Options{})
	h, err := NewHandler(r, HandlerOptions{})
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		server  *http.Server
		bounded bool
	}{
		{"a server without a limit", &http.Server{}, true},
		{"a server with its own", &http.Server{WriteTimeout: time.Second}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder()}
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			h.ServeHTTP(w, request.WithContext(context.WithValue(request.Context(), http.ServerContextKey, c.server)))
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, c.bounded, !w.deadline.IsZero())
		})
	}
}

// deadlineWriter records the write deadline.
type deadlineWriter struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *deadlineWriter) SetWriteDeadline(at time.Time) error {
	w.deadline = at
	return nil
}

func TestPhaseThatRanIsNotLeftOut(t *testing.T) {
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	for visit, at := range []struct {
		phase string
		facts phases.Record
	}{
		{"StagePodsCreated", phases.Record{True: []string{"HasStagePods", "HasPVs"}, False: []string{"DirectImage"}}},
		{"EnsureFinalRestore", phases.Record{True: []string{"HasPVs"}, False: []string{"DirectImage", "HasStagePods"}}},
	} {
		checkpoint := machine.Checkpoint{Itinerary: mtc.Final, Phase: at.phase, Facts: at.facts}
		r.Record(n, runner.State{Checkpoint: checkpoint, Visit: int64(visit + 1)}, false)
	}
	got := readPage(t, r, "/"+runLink("run", n), "text/plain")
	assert.Regexp(t, `(?m)^StagePodsCreated +DataBackup +behind$`, got)
	assert.Regexp(t, `(?m)^RestartRestic +DataBackup +left out +needs HasStagePods`, got)

	// For a run that was first seen late this is unknown: a phase may have decided the
	// flag after it was read.
	late := Name{Namespace: "shop", Name: "stock"}
	run, _ := r.Lookup(n)
	s := run.Last().State
	s.Visit = 30
	r.Record(late, s, false)
	got = readPage(t, r, "/"+runLink("run", late), "text/plain")
	assert.Regexp(t, `(?m)^RestartRestic +DataBackup +behind$`, got)
	assert.Regexp(t, `(?m)^CreateDirectImageMigration +Backup +left out +needs DirectImage`, got)
}

func TestWatchReportsDroppedRun(t *testing.T) {
	r := newRecorder(t, Options{MaxRuns: 1})
	r.Record(Name{Name: "a"}, runner.State{}, false)
	changes := r.Watch(t.Context(), &Name{Name: "a"})
	r.Record(Name{Name: "b"}, runner.State{}, false)
	assert.Len(t, changes, 1)
}

func TestTimelineKeepsFailureOfPreviousRun(t *testing.T) {
	r := newRecorder(t, Options{})
	o := newOptions(r.o.Itineraries, observe(t, r))
	token := "1"
	o.Token = func(context.Context, *migration) (string, runner.RunFrom, error) {
		return token, runner.FromFailedPhase, nil
	}
	again, err := runner.New(o)
	require.NoError(t, err)
	m := newMigration("orders", busy)
	m.Handle = func(v runner.Visit) (runner.Result, error) {
		if v.Phase == "EnsureInitialBackup" && token == "1" {
			return runner.Fail("no space left"), nil
		}
		return runner.Done(), nil
	}
	for range 30 {
		_, err := again.Reconcile(t.Context(), m)
		require.NoError(t, err)
	}
	require.True(t, m.State.Done)
	page := "/" + runLink("run", m.name())
	const failed = `(?m)EnsureInitialBackup +\S+ s +failed$`
	require.Regexp(t, failed, readPage(t, r, page, "text/plain"))
	token = "2"
	_, err = again.Reconcile(t.Context(), m)
	require.NoError(t, err)
	require.EqualValues(t, 2, m.State.Run)
	assert.Regexp(t, failed, readPage(t, r, page, "text/plain"))
}
