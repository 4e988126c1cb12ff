package debug_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// read parses a page as JSON.
func read[T any](f *debugtest.Fixture, path string) (page T) {
	f.T.Helper()
	r := get(f.Handler(debug.HandlerOptions{}), path, "application/json")
	text := body(f.T, r)
	require.Equal(f.T, 200, r.StatusCode, text)
	require.NoError(f.T, json.Unmarshal([]byte(text), &page))
	return page
}

type runList struct {
	Total, Dropped int
	Items          []struct{ Name, Activity, Result string }
}

func (l runList) names() []string {
	names := []string{}
	for _, r := range l.Items {
		names = append(names, r.Name)
	}
	return names
}

func TestListFindsRuns(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	for query, want := range map[string][]string{
		"":                              {"crm", "ledger", "shop", "wiki", "billing", "payments", "vms", "forum", "portal", "catalog", "mail", "search", "loyalty", "orders"},
		"sort=name&activity=Done":       {"billing", "loyalty", "mail", "orders", "search"},
		"sort=since&activity=Waiting":   {"ledger", "payments", "vms"},
		"q=REFUSED":                     {"shop"},
		"q=volumes+copied+payments":     {"payments"},
		"q=vm-4":                        {"vms"},
		"itinerary=Cancel":              {"search"},
		"step=DirectVolume":             {"ledger", "payments"},
		"phase=EnsureInitialBackup":     {"shop", "vms", "forum"},
		"result=RolledBack":             {"mail"},
		"failing=true":                  {"crm", "ledger", "shop", "wiki", "billing"},
		"failing=true&activity=Stopped": {"crm"},
		"q=nothing":                     {},
	} {
		l := read[runList](f, "/?"+query)
		assert.Equal(t, want, l.names(), query)
		assert.Equal(t, 14, l.Total, query)
	}
}

func TestListReportsDroppedRuns(t *testing.T) {
	f := debugtest.New(t, debug.Options{MaxRuns: 2})
	for _, name := range []string{"a", "b", "c"} {
		f.Repeat(debugtest.Final(name, "", ""), 2, time.Second)
	}
	l := read[runList](f, "/")
	assert.Equal(t, []string{"b", "c"}, l.names())
	assert.Equal(t, 1, l.Dropped)
	assert.Contains(t, body(t, get(f.Handler(debug.HandlerOptions{}), "/", "")),
		"runs were dropped (1 in total): first done runs, then those that had not been seen for the longest time")
}

func TestEmptyListExplainsWhatToDo(t *testing.T) {
	h := debugtest.New(t, debug.Options{}).Handler(debug.HandlerOptions{})
	assert.Contains(t, body(t, get(h, "/", "")), "A run appears once the controller reconciles it.")
	assert.Equal(t, "No run has been seen yet. A run appears once the controller reconciles it.\n", body(t, get(h, "/", "text/plain")))
}

type runPage struct {
	Doing, Error, Phase string
	Moment              int
	Pipeline            []struct{ Name, State string }
	LeftOut             []struct{ Step, Why string }
	Timeline            []struct {
		Phase           string
		Took            float64
		Current, Failed bool
	}
	Facts []struct {
		Flag, Value string
		Evaluated   *time.Time
		DecidedBy   []string
	}
	Switches []struct{ From, To, Reason string }
}

func TestRunPageSentence(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	for name, want := range map[string]string{
		"crm":      "Stopped in phase EnsureInitialBackups for 48 min. It continues once the object or the release is fixed.",
		"ledger":   "Waiting in phase WaitForDirectVolumeMigrationToComplete for 4 h 36 min: 6 of 7 volumes are copied. Its deadline passed 37 min ago.",
		"shop":     "Retrying in phase EnsureInitialBackup for 40 min: attempt 6 failed.",
		"wiki":     "Cannot continue for 37 min, because Quiesce, HasVerify and 8 more are unknown.",
		"payments": "Waiting in phase WaitForDirectVolumeMigrationToComplete for 15 min: 3 of 5 volumes are copied.",
		"forum":    "Paused in phase EnsureInitialBackup for 29 min; was: backup forum-initial is in progress.",
		"catalog":  "Working in phase CleanStaleStagePods for 8 min: Removing stage pods left by earlier migrations.",
		"orders":   "Done 5 h 44 min ago: succeeded.",
		"billing": "Failed 5 h 22 min ago: phase \"EnsureCloudSecretPropagated\" of itinerary \"Final\" failed: " +
			"secret cloud-credentials was not found in namespace openshift-migration.",
		"search": "Done 5 h 10 min ago: canceled.",
		"mail":   "Done 4 h 50 min ago: rolled back.",
	} {
		assert.Equal(t, want, read[runPage](f, "/run?name=openshift-migration/"+name).Doing, name)
	}
}

func TestRunPageExplainsLeftOutStepsBehind(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	run := read[runPage](f, payments)
	why := make(map[string]string)
	for _, l := range run.LeftOut {
		why[l.Step] = l.Why
	}
	assert.Equal(t, "needs HasPreBackupHooks", why["PreBackupHooks"])
	assert.Contains(t, why["DataBackup"], "needs HasStageBackup")
	assert.NotContains(t, why["DataBackup"], "behind")
}

func TestMomentIsShownAsItWas(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	latest := read[runPage](f, payments)
	assert.Equal(t, 23, latest.Moment)
	then := read[runPage](f, payments+"&moment=2")
	assert.Equal(t, "Started", then.Phase)
	assert.Equal(t, "Working in phase Started for 0 s: Checking that the migration can begin.", then.Doing)
	assert.Equal(t, "not started", then.Pipeline[1].State)
	require.NotEmpty(t, then.Timeline)
	assert.True(t, then.Timeline[len(then.Timeline)-1].Current)
	page := body(t, get(f.Handler(debug.HandlerOptions{}), payments+"&moment=2", ""))
	assert.Contains(t, page, "moment=1")
	assert.Contains(t, page, "moment=3")
	assert.Contains(t, page, "Show the latest")
}

// A moment keeps its number when older ones are dropped, so links to it stay valid.
func TestMomentsKeepTheirNumbers(t *testing.T) {
	f := debugtest.New(t, debug.Options{MaxRunSize: 8 << 10})
	m := debugtest.Final("one", mtc.PhaseEnsureInitialBackup, "")
	turn := 0
	reconcile := func(n int) {
		for range n {
			turn++
			m.Result = runner.Wait(0, fmt.Sprintf("%d of 900 items: %x", turn, sha256.Sum256([]byte{byte(turn)})))
			f.Repeat(m, 1, time.Second)
		}
	}
	recorded := func() debug.Run {
		run, _ := f.Recorder.Lookup(m.Name)
		return run
	}
	f.Drive(m)
	n := strconv.Itoa(len(recorded().Moments) - 2)
	shows := func() string { return read[runPage](f, "/run?name=openshift-migration/one&moment="+n).Phase }
	then := shows()
	reconcile(60)
	require.Positive(t, recorded().DroppedMoments)
	h := f.Handler(debug.HandlerOptions{})
	for range 900 {
		if k, _ := strconv.Atoi(n); recorded().DroppedMoments >= k {
			r := get(h, "/run?name=openshift-migration/one&moment="+n, "text/plain")
			assert.Equal(t, 404, r.StatusCode)
			assert.Contains(t, body(t, get(h, "/run?name=openshift-migration/one", "text/plain")), "dropped to bound its size")
			return
		}
		require.Equal(t, then, shows())
		reconcile(5)
	}
	t.Fatal("nothing was dropped")
}

func TestTimelineAddsUp(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	f.Repeat(debugtest.Final("steady", debugtest.Copying, "3 of 5 volumes are copied"), 40, 15*time.Second)
	run := read[runPage](f, "/run?name=openshift-migration/steady")
	var phases []string
	for i, v := range run.Timeline {
		phases = append(phases, v.Phase)
		assert.Equal(t, i == len(run.Timeline)-1, v.Current, v.Phase)
		if !v.Current {
			assert.InDelta(t, 15, v.Took, 0.1, v.Phase)
		}
	}
	assert.Equal(t, "Created", phases[0])
	assert.Equal(t, debugtest.Copying, phases[len(phases)-1])
	failed := read[runPage](f, "/run?name=openshift-migration/billing")
	i := slices.IndexFunc(failed.Timeline, func(v struct {
		Phase           string
		Took            float64
		Current, Failed bool
	}) bool {
		return v.Failed
	})
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, "EnsureCloudSecretPropagated", failed.Timeline[i].Phase)
	require.NotEmpty(t, failed.Switches)
	assert.Equal(t, "a phase failed", failed.Switches[0].Reason)
}

func TestFlagsHaveAgeAndDeciders(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	for _, fact := range read[runPage](f, payments).Facts {
		if fact.Flag == "HasPVs" {
			assert.Equal(t, "true", fact.Value)
			assert.Equal(t, []string{"WaitForRefresh"}, fact.DecidedBy)
			require.NotNil(t, fact.Evaluated)
			return
		}
	}
	t.Fatal("HasPVs is not shown")
}

func TestRunOfUnknownItineraryIsShown(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	m := debugtest.Final("old", "", "")
	m.State.Itinerary, m.State.Phase = "Gone", "Somewhere"
	m.State.Stopped = &runner.Stop{Error: "no itinerary \"Gone\""}
	f.Recorder.Record(m.Name, m.State, false)
	for _, accept := range []string{"text/html", "text/plain"} {
		page := body(t, get(f.Handler(debug.HandlerOptions{}), "/run?name=openshift-migration/old", accept))
		assert.Contains(t, strings.ReplaceAll(page, "&#34;", `"`),
			`this controller has no itinerary "Gone" with a phase "Somewhere"`)
	}
}

type itineraryPage struct {
	Flags []struct {
		Flag, Value          string
		Set, Forced, Changed bool
	}
	Turned                 *struct{ Flag, Value string }
	Changed                []struct{ Flag, Value string }
	Added, Removed, Broken []string
	Pipeline, MaybeSteps   []string
	Phases                 []struct{ Name, Runs string }
}

func TestTurningAFlagChangesRelatedFlags(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	const from = "/itinerary?name=Final&set=DirectImage,EnableImage,HasISs"
	before := read[itineraryPage](f, from)
	assert.Contains(t, before.Pipeline, "DirectImage")
	assert.NotContains(t, before.Pipeline, "DataBackup")
	after := read[itineraryPage](f, from+"&turn=IndirectImage%3Dtrue")
	assert.NotContains(t, after.Pipeline, "DirectImage")
	assert.Contains(t, after.Pipeline, "DataBackup")
	assert.Equal(t, []struct{ Flag, Value string }{{"DirectImage", "false"}, {"HasStageBackup", "true"}}, after.Changed)
	assert.Equal(t, []string{"DirectImage"}, after.Removed)
	assert.Contains(t, after.Added, "DataBackup")
	page := body(t, get(f.Handler(debug.HandlerOptions{}), from+"&turn=IndirectImage%3Dtrue", ""))
	assert.Contains(t, page, "Related flags change as well: DirectImage is false and HasStageBackup is true.")
	assert.Contains(t, page, `<input type="hidden" name="set" value="HasISs,IndirectImage,EnableImage">`, "the next turn starts from here")

	unknown := read[itineraryPage](f, "/itinerary?name=Final&turn=HasPreBackupHooks%3Dunknown")
	assert.Equal(t, []string{"PreBackupHooks"}, unknown.MaybeSteps)
}

// From any flag, and after any two turns, the flags are possible in a real run, and the
// last turn holds.
func TestTurnsKeepTheRelations(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	names := mtc.Vocabulary().Names(mtc.Vocabulary().All())
	for _, one := range names {
		for _, other := range names {
			for _, value := range []string{"true", "false"} {
				query := url.Values{"name": {"Final"}, "set": {one}, "turn": {other + "=" + value}}
				page := read[itineraryPage](f, "/itinerary?"+query.Encode())
				assert.Empty(t, page.Broken, "%s, then %s=%s", one, other, value)
				for _, flag := range page.Flags {
					if flag.Flag == other {
						assert.Equal(t, value, flag.Value)
					}
				}
			}
		}
	}
}

func TestFlagsThatNoRunHasAreNamed(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	page := read[itineraryPage](f, "/itinerary?name=Final&set=DirectImage,IndirectImage")
	assert.Len(t, page.Broken, 1)
}

func TestEventsHaveTheTimeOfTheLastOfThem(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	m := debugtest.Final("one", mtc.PhaseEnsureInitialBackup, "")
	m.Err = errors.New("slow down")
	f.Drive(m)
	f.Pass(time.Hour)
	f.Repeat(m, 2, time.Hour)
	f.Pass(time.Minute)
	const page = "/run?name=openshift-migration/one"
	text := body(t, get(f.Handler(debug.HandlerOptions{}), page, "text/plain"))
	first, last := f.Now().Add(-3*time.Hour-time.Minute), f.Now().Add(-time.Hour-time.Minute)
	clock := func(t time.Time) string { return t.Format("15:04:05Z") }
	assert.Contains(t, text,
		clock(last)+"  phase EnsureInitialBackup is retried, attempt 3 failed: slow down; 3 times since "+clock(first)+"\n")
	html := body(t, get(f.Handler(debug.HandlerOptions{}), page, ""))
	assert.Contains(t, html, "Retrying, attempt 3 failed", "the page agrees with the event")
}

func TestPauseIsAnEvent(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	m := debugtest.Final("one", mtc.PhaseEnsureInitialBackup, "")
	f.Drive(m)
	m.Paused = true
	f.Repeat(m, 3, time.Minute)
	m.Paused, m.Holds = false, ""
	f.Reconcile(m)
	run, _ := f.Recorder.Lookup(m.Name)
	var after []string
	for i, e := range run.Events {
		if e.Kind == "RunPaused" {
			for _, e := range run.Events[i:] {
				after = append(after, e.Text)
			}
		}
	}
	require.GreaterOrEqual(t, len(after), 3)
	assert.Equal(t, []string{"the run is paused in phase EnsureInitialBackup", "the run resumes after a pause of 3 min"}, after[:2])
	assert.Contains(t, after[2], "phase EnsureInitialBackup is done", "what follows the pause comes after it")
	assert.Equal(t, len(run.Moments)-1, run.Events[len(run.Events)-1].Moment)
}

func TestGraphShowsFailureOfTheItineraryLeft(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	const name = "?name=openshift-migration/billing"
	text := body(t, get(f.Handler(debug.HandlerOptions{}), "/graph"+name+"&format=text", ""))
	assert.Regexp(t, `(?m)EnsureCloudSecretPropagated\b.*failed`, text)
	assert.Contains(t, text, "when a phase failed")
	page := read[struct {
		Failures []struct{ Moment int }
		Progress string
	}](f, "/run"+name)
	require.Len(t, page.Failures, 1)
	require.Positive(t, page.Failures[0].Moment)
	assert.Equal(t, "EnsureCloudSecretPropagated", read[runPage](f, fmt.Sprintf("/run%s&moment=%d", name, page.Failures[0].Moment)).Phase)
	assert.Contains(t, page.Progress, ", 1 failed")
}

// A step that was left and may be entered again has its own state. It is in the
// pipeline, so the page does not list it under the steps that may still come.
func TestStepsThatContinueLaterAreNotRunning(t *testing.T) {
	set, err := machine.CompileSet(phases.Itinerary{Name: "Cook", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{
		{Name: "Shop", Step: "Prepare"},
		{Name: "Fry", Step: "Cook"},
		{Name: "Taste", Step: "Taste", Jumps: []phases.Jump{{To: "Shop", Choice: true}, {To: "Serve", Choice: true}}},
		{Name: "Season", Step: "Season"},
		{Name: "Decorate", Step: "Decorate"},
		{Name: "Serve", Step: "Serve"},
	}})
	require.NoError(t, err)
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: set})
	require.NoError(t, err)
	started := metav1.Now()
	recorder.Record(debug.Name{Name: "meal"}, runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Cook", Phase: "Taste"},
		Stopped:    &runner.Stop{Error: "no such choice", Since: started},
		Pipeline: steps.Pipeline{
			{Name: "Prepare", Started: &started, Message: steps.MessageContinues},
			{Name: "Cook", Started: &started, Message: steps.MessageContinues},
			{Name: "Taste", Started: &started, Phase: "Taste", Message: "no such choice"},
			{Name: "Season", Message: steps.MessageNotStarted},
			{Name: "Serve", Message: steps.MessageNotStarted},
		},
	}, false)
	h, err := debug.NewHandler(recorder, debug.HandlerOptions{})
	require.NoError(t, err)
	var page struct {
		Progress   string
		MaybeSteps []string
		Pipeline   []struct{ Name, State, Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(body(t, get(h, "/run?name=meal", "application/json"))), &page))
	assert.Equal(t, "step 3 of 4 to 6", page.Progress)
	assert.Equal(t, []struct{ Name, State, Message string }{
		{"Prepare", "continues later", ""}, {"Cook", "continues later", ""}, {"Taste", "running", "no such choice"},
		{"Season", "may run", ""}, {"Serve", "not started", ""},
	}, page.Pipeline)
	assert.Equal(t, []string{"Decorate"}, page.MaybeSteps)
	text := body(t, get(h, "/run?name=meal", "text/plain"))
	assert.Contains(t, text, "Nothing is left out yet: Decorate may still come.")
}
