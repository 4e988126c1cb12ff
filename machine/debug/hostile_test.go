package debug

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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

// page returns a page of a recorder.
func page200(t *testing.T, r *Recorder, path, accept string) string {
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
		got := page200(t, r, path, "application/json")
		assert.False(t, strings.ContainsAny(got, "\u009b\u202e\U000e0041\u007f"), "%s: %q", path, got)
		assert.Contains(t, got, `\u009b31m \u202edesrever \udb40\udc41 \u007f`, path)
	}
	var p struct{ Why string }
	require.NoError(t, json.Unmarshal([]byte(page200(t, r, "/"+runLink("run", n), "application/json")), &p))
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
		got := page200(t, r, "/"+runLink("run", n), form)
		assert.Contains(t, got, "Restore", form)
		page200(t, r, "/"+runLink("history", n), form)
	}
	assert.Regexp(t, `Backup +Completed\nRestore +Failed\nCleanup +Not started\n`, page200(t, r, "/"+runLink("run", n), "text/plain"))
}

func TestTheSentenceOfAPausedRun(t *testing.T) {
	r := newRecorder(t, Options{})
	n := Name{Namespace: "shop", Name: "orders"}
	since := metav1.NewTime(time.Now().Add(-10 * time.Minute))
	s := runner.State{
		Checkpoint:  machine.Checkpoint{Itinerary: mtc.Final, Phase: "EnsureInitialBackup"},
		PausedSince: &since, Retry: &runner.Retry{Error: "connection refused", Attempts: 3},
	}
	r.Record(n, s, true)
	assert.Contains(t, page200(t, r, "/"+runLink("run", n), "text/plain"), "Paused in phase EnsureInitialBackup for 10 min.\n", "the last error stands by itself")
	s.Done, s.Result, s.Retry, s.PausedSince = true, phases.Result("Other"), nil, nil
	r.Record(n, s, false)
	assert.Contains(t, page200(t, r, "/"+runLink("run", n), "text/plain"), "\nDone.\n", "a result that is not known is not shown")
}

func TestMomentsKeepTheirNumbers(t *testing.T) {
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
	assert.Contains(t, page200(t, r, page, "text/plain"), "volume 20", "before some are dropped")
	for i := range 15 {
		record(i + 22)
	}
	run, _ := r.Lookup(n)
	require.Positive(t, run.DroppedMoments)
	require.Less(t, run.DroppedMoments, 19)
	assert.Contains(t, page200(t, r, page, "text/plain"), "volume 20\n", "and after")
	assert.Contains(t, page200(t, r, page, "text/plain"), "Moment 20 of 36, at ")
	assert.Contains(t, page200(t, r, page, "text/html"), fmt.Sprintf(`min="%d" max="36" value="20"`, run.DroppedMoments+1))
	assert.Contains(t, page200(t, r, "/"+runLink("history", n), "application/json"), `"moment": 36`)

	h, err := NewHandler(r, HandlerOptions{})
	require.NoError(t, err)
	for moment, want := range map[string]int{"1": http.StatusNotFound, "0": http.StatusBadRequest, "37": http.StatusBadRequest, "-1": http.StatusBadRequest} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+runLink("run", n, "moment", moment), nil))
		assert.Equal(t, want, w.Code, "moment %s", moment)
	}
}
