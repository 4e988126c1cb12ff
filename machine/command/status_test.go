package command_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// upgrades are the itineraries of the file of runs.
func upgrades(t *testing.T) *machine.Set {
	t.Helper()
	text, err := os.Open("testdata/upgrades.yaml")
	require.NoError(t, err)
	defer text.Close()
	f, err := phases.Load(text, "upgrades.yaml")
	require.NoError(t, err)
	set, err := machine.CompileSet(f.Itineraries...)
	require.NoError(t, err)
	return set
}

// upgradectl runs the command of an embedder. It returns the exit code, standard output,
// and the lines of standard error without the name of the command.
func upgradectl(t *testing.T, stdin string, args ...string) (code int, out, stderr string) {
	t.Helper()
	c := command.Catalogue{Command: "upgradectl", Itineraries: upgrades(t), Kind: "Upgrade", Noun: "upgrade"}
	code, out, stderr = execute(t, c, stdin, args...)
	return code, out, strings.ReplaceAll(stderr, "upgradectl: ", "")
}

const atNoon = "--now=2026-11-20T12:00:00Z"

func TestStatus(t *testing.T) {
	const stuck = "2 of 16 upgrades are stopped or past a deadline: databases/waiting-overdue and databases/stopped\n"
	for _, format := range []string{"table", "json", "yaml"} {
		code, out, stderr := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "-o", format)
		assert.Equal(t, 1, code)
		assert.Equal(t, stuck, stderr)
		goldentest.Compare(t, "testdata/status."+strings.Replace(format, "table", "txt", 1), out)
	}
	code, out, stderr := upgradectl(t, "", "status", "-i", "testdata/upgrades.yaml", "-f", "testdata/runs.yaml", atNoon)
	assert.Equal(t, 1, code)
	assert.Equal(t, "note: left out, because it holds no state of a run: databases/not-begun\n"+strings.Replace(stuck, "16", "15", 1),
		stderr)
	assert.NotContains(t, out, "not-begun")
}

// statusNames returns the names in the first column.
func statusNames(table string) (names []string) {
	for line := range strings.Lines(table) {
		names = append(names, strings.Fields(line)[0])
	}
	return names
}

// --stuck shows what is stuck, since when, and on what.
func TestStatusStuck(t *testing.T) {
	stuck := func(duration string) (code int, names []string, stderr string) {
		code, out, stderr := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--stuck", duration)
		return code, statusNames(out), stderr
	}
	code, names, stderr := stuck("30m")
	assert.Equal(t, 1, code)
	assert.Equal(t, []string{"NAME", "waiting-overdue", "stopped", "paused", "paused-retrying"}, names)
	assert.Equal(t,
		"4 of 16 upgrades are stopped or past a deadline, or have not moved for 30 min: databases/waiting-overdue, databases/stopped "+
			"and 2 more\n",
		stderr)

	_, names, _ = stuck("10m")
	assert.Equal(t,
		[]string{"NAME", "waiting", "waiting-overdue", "retrying", "stopped", "paused", "paused-retrying", "was-paused", "cleaning-up"},
		names)

	_, names, _ = stuck("3h") // of any age
	assert.Equal(t, []string{"NAME", "waiting-overdue", "stopped"}, names)

	_, out, _ := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--stuck", "30m", "--name", "databases/stopped")
	for _, want := range []string{
		"Cutover", "ChangeSchema", "2 h 29 min", "schema version 41 is not known to this release; install release 2.4 or later",
		"since 09:30:03Z",
	} {
		assert.Contains(t, out, want)
	}

	code, out, stderr = upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--stuck", "30m", "--name", "succeeded")
	assert.Equal(t, 0, code)
	assert.Empty(t, out)
	assert.Equal(t, "note: of 1 upgrade, none is stuck\n", stderr)
}

// An upgrade that no controller has taken up is stuck, too.
func TestStatusOfWhatHasNotBegun(t *testing.T) {
	const object = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "a", "creationTimestamp": ` +
		`"2026-11-18T11:00:00Z"}}`
	code, out, stderr := upgradectl(t, object, "status", "-f", "-", atNoon, "--stuck", "1h")
	assert.Equal(t, 1, code)
	assert.Equal(t, ""+
		"NAME   ITINERARY   STEP   PHASE   NOW         SINCE        WHY\n"+
		"a      Upgrade     -      -       not begun   2 days 1 h   no controller has begun it; since 2026-11-18T11:00:00Z\n", out)
	assert.Equal(t, "1 of 1 upgrade is stopped or past a deadline, or has not moved for 1 h: a\n", stderr)
}

// Each item of an object has a row; one that waits for its turn is not stuck.
func TestStatusOfItems(t *testing.T) {
	const object = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade",
			"metadata": {"name": "fleet", "namespace": "ns", "creationTimestamp": "2026-11-18T11:00:00Z"},
		"status": {"databases": [
			{"name": "a", "itinerary": "Upgrade", "phase": "CheckVersions", "visit": 1, "entered": "2026-11-20T11:00:00Z"},
			{"name": "b", "visit": "many", "facts": {"hash": "x"}},
			{"name": "c"}]}}`
	code, out, stderr := upgradectl(t, object, "status", "-f", "-", atNoon)
	assert.Equal(t, 1, code)
	assert.Equal(t, ""+
		"NAME       ITINERARY   STEP   PHASE           NOW         SINCE   WHY\n"+
		"fleet[a]   Upgrade     -      CheckVersions   working     1 h     since 11:00:00Z\n"+
		"fleet[c]   Upgrade     -      -               not begun   -       -\n", out)
	assert.Contains(t, stderr, "Upgrade ns/fleet: .status.databases[1]: not the state of a run: ")

	_, out, _ = upgradectl(t, object, "status", "-f", "-", atNoon, "--name", "fleet[a]", "-o", "json")
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &rows))
	require.Len(t, rows, 1)
	assert.Equal(t, "a", rows[0]["item"])

	_, out, _ = upgradectl(t, object, "status", "-f", "-", atNoon, "--stuck", "30m")
	assert.Equal(t, []string{"NAME", "fleet[a]"}, statusNames(out))
}

// A path that no object has is an error: its runs may have begun.
func TestStatusWithAPathThatIsNotThere(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--state-at", ".status.upgrade")
	assert.Equal(t, 1, code)
	assert.Empty(t, out, "it is not known whether they have begun")
	assert.Equal(t, "Upgrade databases/working: --state-at .status.upgrade: there is no .status.upgrade\n", stderr)

	code, out, stderr = upgradectl(t, "", "status", "-i", "testdata/upgrades.yaml", "-f", "testdata/runs.yaml", "--state-at",
		".status.upgrade")
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	assert.Equal(t, "no object in testdata/runs.yaml has .status.upgrade, which --state-at names\n", stderr)

	code, _, stderr = upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--name", "succeeded", "--state-at", ".status")
	assert.Equal(t, 1, code)
	assert.NotContains(t, stderr, "--state-at")
	assert.Contains(t, stderr,
		"Upgrade databases/failed: .status: not the state of a run: it has neither the field facts nor the field visit, so "+
			"another controller wrote it\n")
}

func TestStatusOptions(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"", "status needs -f FILE with what kubectl get -o yaml prints"},
		{"-f testdata/runs.yaml --stuck 0", "--stuck takes a duration such as 30m or 2h, not \"0\""},
		{"-f testdata/runs.yaml --stuck 30", "--stuck takes a duration such as 30m or 2h, not \"30\""},
		{"-f testdata/runs.yaml --stuck -1h", "--stuck takes a duration such as 30m or 2h, not \"-1h\""},
		{"-f testdata/runs.yaml --now noon", `--now takes a time such as 2026-11-20T12:00:00Z, not "noon"`},
		{"-f testdata/runs.yaml --name stoped", `there is no Upgrade "stoped"; did you mean "stopped"?`},
		{"-f testdata/runs.yaml -o text", `-o takes table, json or yaml, not "text"`},
		{
			"-f testdata/runs.yaml --state-at .status[",
			`invalid argument ".status[" for "--state-at" flag: ".status[" is not a path such as .status.state, .status.vms[*].run or ` +
				`metadata.annotations['example.com/state']: a bracket is not closed; see upgradectl status --help`,
		},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, stderr := upgradectl(t, "", append([]string{"status"}, strings.Fields(c.args)...)...)
			assert.Equal(t, 2, code)
			assert.Empty(t, out)
			assert.Equal(t, c.want+"\n", stderr)
		})
	}
}

func TestStatusOfSeveralNames(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--name", "waiting", "--name", "databases/paused")
	assert.Zero(t, code, stderr)
	assert.Equal(t, []string{"NAME", "waiting", "paused"}, statusNames(out))
	code, _, stderr = upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--name", "waiting", "--name", "pausd")
	assert.Equal(t, 2, code)
	assert.Equal(t, "there is no Upgrade \"pausd\"; did you mean \"paused\"?\n", stderr)
}

// The status of a run that was paused before it began has little more than the time.
func TestStatusOfARunThatIsPausedBeforeItBegins(t *testing.T) {
	object := backupObject("waits", `"pausedSince": "2026-11-20T12:00:00Z", "conditions": [{"type": "Paused", "status": "True"}]`)
	code, out, stderr := execute(t, backups(t), object, "status", "-f", "-", "--stuck", "30m", "--now", "2026-11-20T12:49:00Z")
	assert.Equal(t, 1, code)
	assert.Regexp(t, `waits +.*paused`, out)
	assert.Contains(t, stderr, "ns/waits")
}

// A run whose itinerary, phase or choice does not exist is stopped, as for a runner. A
// phase has its current name.
func TestStatusOfARunThatDoesNotFitTheItineraries(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "status", "-i", "testdata/upgrades.yaml", "-f", "testdata/fleet.yaml", atNoon)
	assert.Equal(t, 1, code)
	assert.Equal(t, ""+
		"Fleet databases/shop: item typo: itinerary \"Upgrade\" has no phase \"WaitForBakcup\"; did you mean \"WaitForBackup\"?\n"+
		"1 of 7 runs is stopped or past a deadline: databases/shop[typo]\n", stderr)
	assert.Regexp(t,
		`shop\[typo\] +Upgrade +Backup +WaitForBakcup +stopped +1 h 58 min +itinerary "Upgrade" has no phase "WaitForBakcup"`, out)
	assert.Regexp(t, `shop\[mails\] +Upgrade +Backup +StartBackup +working`, out)
	assert.Regexp(t, `shop\[new\] +- +- +- +not begun +-`, out)

	for _, tt := range []struct{ about, state, activity, problem string }{
		{"an itinerary", `"itinerary": "Nope", "phase": "Nope"`, "Stopped", `unknown itinerary "Nope"; known: "Upgrade", "Abort", "Cancel" and "Rollback"`},
		{
			"a phase", `"itinerary": "Cancel", "phase": "Nope"`, "Stopped",
			`itinerary "Cancel" has no phase "Nope"; record an existing phase, or add the name to Formerly of the phase that replaces it`,
		},
		{
			"a choice", `"itinerary": "Upgrade", "phase": "StartBackup", "workDone": true, "choice": "Nope"`, "Stopped",
			`itinerary "Upgrade": phase "StartBackup" does not declare the choice to jump to "Nope"; it declares no choice`,
		},
		{
			"a pause holds it", `"itinerary": "Cancel", "phase": "Nope", "pausedSince": "2026-11-20T11:59:00Z"`, "Paused",
			`itinerary "Cancel" has no phase "Nope"; record an existing phase, or add the name to Formerly of the phase that replaces it`,
		},
	} {
		t.Run(tt.about, func(t *testing.T) {
			object := `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "a"}, "status": {"visit": 3, ` +
				`"facts": {"hash": "a"}, ` + tt.state + `}}`
			code, out, stderr := upgradectl(t, object, "status", "-f", "-", atNoon, "--stuck", "30m", "-o", "json")
			assert.Equal(t, 1, code)
			assert.Equal(t,
				"Upgrade a: "+tt.problem+"\n1 of 1 upgrade is stopped or past a deadline, or has not moved for 30 min: a\n", stderr)
			var rows []struct {
				Activity, Why string
				Stuck         bool
			}
			require.NoError(t, json.Unmarshal([]byte(out), &rows))
			require.Len(t, rows, 1)
			assert.Equal(t, tt.activity, rows[0].Activity)
			assert.Equal(t, tt.problem, rows[0].Why)
			assert.True(t, rows[0].Stuck)
		})
	}
}

// An unknown time is reported, not taken for a time of no interest.
func TestStatusStuckIfUnknown(t *testing.T) {
	const moved = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "moved"}, "status": {"visit": 1, ` +
		`"itinerary": "Upgrade", "phase": "CheckVersions", "entered": "2026-11-20T11:59:00Z"}}`
	const without = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "without"}, "status": {"visit": 1, ` +
		`"itinerary": "Upgrade", "phase": "CheckVersions"}}`
	const unread = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "unread", "annotations": ` +
		`{"pipeline.konveyor.io/state": "{}}"}}}`
	for _, tt := range []struct {
		about, objects string
		code           int
		want           string
	}{
		{"it is known", moved, 0, "note: of 1 upgrade, none is stuck\n"},
		{"one has no time", moved + without, 0, "note: it is not known when these last moved: without\n"},
		{"one cannot be read", moved + unread, 1, "Upgrade unread: annotation pipeline.konveyor.io/state: not the state of a run: it is not JSON\n"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			code, out, stderr := upgradectl(t, tt.objects, "status", "-f", "-", atNoon, "--stuck", "30m")
			assert.Equal(t, tt.code, code)
			assert.Empty(t, out)
			assert.Equal(t, tt.want, stderr)
		})
	}
}

// Only an object without a state is reported as not taken up.
func TestStatusOfARunThatHasNotEnteredAPhase(t *testing.T) {
	for about, state := range map[string]string{
		"it has facts":      `"facts": {"hash": "x"}`,
		"it began again":    `"visit": 4, "run": 2, "runStarted": "2026-11-20T11:00:00Z"`,
		"it has only steps": `"visit": 1, "pipeline": [{"name": "Prepare", "message": "Not started"}]`,
	} {
		t.Run(about, func(t *testing.T) {
			object := `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "a", "creationTimestamp": ` +
				`"2026-11-20T11:00:00Z"}, "status": {` + state + `}}`
			code, out, stderr := upgradectl(t, object, "status", "-f", "-", atNoon)
			assert.Equal(t, 0, code, stderr)
			assert.Regexp(t, `a +Upgrade +- +- +not begun +1 h +it has not entered a phase; since 11:00:00Z`, out)
		})
	}
}

// A time in the wrong time zone would hide overdue runs.
func TestStatusAtATimeBeforeTheObjects(t *testing.T) {
	code, _, stderr := upgradectl(t, "", "status", "-f", "testdata/runs.yaml", "--now", "2026-11-20T12:00:00+02:00", "--name",
		"waiting-overdue", "--name", "was-paused")
	assert.Zero(t, code)
	assert.Equal(t,
		"note: --now is before times of databases/waiting-overdue, so runs that are overdue or stuck may be missed; give the time at "+
			"which the objects were read, with its time zone\n",
		stderr)
	_, _, stderr = upgradectl(t, "", "status", "-f", "testdata/runs.yaml", atNoon, "--name", "waiting-overdue")
	assert.NotContains(t, stderr, "--now")
}
