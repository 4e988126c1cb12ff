package cli_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

func TestPlanTable(t *testing.T) {
	r := run(t, "", "plan", "-f", recorded("objects.json"))
	assert.Equal(t, 0, r.code)
	assert.Equal(t,
		[]string{"note: no ImageStream was read in namespaces app-000, app-004 and 15 more, which counts as having none (HasISs); some " +
			"were read in namespaces app-001, app-002 and 21 more"},
		r.lines(t))
	goldentest.Compare(t, "testdata/plan.txt", r.out)
}

// moments is a stream of migrations at various times of their lives.
var moments = around(`"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}]`,
	migration("not-begun", `"stage": true`, ``),
	migration("under-way", ``, `"itinerary": "Final", "phase": "QuiesceApplications", "pipeline": [
		{"name": "Prepare", "started": "2021-03-25T18:24:57Z", "completed": "2021-03-25T18:25:57Z", "message": "Completed"},
		{"name": "StageBackup", "started": "2021-03-25T18:25:57Z", "phase": "QuiesceApplications"},
		{"name": "StageRestore", "message": "Skipped", "skipped": true},
		{"name": "Cleanup", "message": "Not started"}]`),
	migration("done", `"stage": true`, `"itinerary": "Stage", "phase": "Completed", "pipeline": [
		{"name": "Prepare", "started": "2021-03-25T18:24:57Z", "completed": "2021-03-25T18:25:57Z"}]`),
)

func TestPlanExplainTable(t *testing.T) {
	r := run(t, moments, "plan", "-f", "-", "--explain")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	goldentest.Compare(t, "testdata/plan-explain.txt", r.out)

	r = run(t, "", "plan", "-i", "Stage", "--explain", "--flags", "DirectVolume,HasPVs,DirectImage", "--unknown",
		"EnableVolume,HasStageBackup")
	assert.Equal(t, 1, r.code)
	goldentest.Compare(t, "testdata/plan-explain-itinerary.txt", r.out)
}

func TestPlanJSON(t *testing.T) {
	r := run(t, moments, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code)
	goldentest.Compare(t, "testdata/plan.json", r.out)
}

// wanted is a line of objects.want.jsonl.
type wanted struct {
	Name, Itinerary      string
	Flags, Phases, Steps []string
}

func TestPlanOfRecordedObjects(t *testing.T) {
	var want, got []wanted
	for line := range strings.Lines(read(t, recorded("objects.want.jsonl"))) {
		var w wanted
		require.NoError(t, json.Unmarshal([]byte(line), &w))
		want = append(want, w)
	}
	for _, e := range elements(t, run(t, "", "plan", "-f", recorded("objects.json"), "--whole", "-o", "json").out) {
		upstream := slices.DeleteFunc(e.Flags, func(name string) bool { return name == "RollingBack" })
		w := wanted{Name: *e.Name, Itinerary: e.Itinerary, Flags: upstream, Steps: e.Steps}
		for _, p := range e.Phases {
			if p.Runs == "yes" {
				w.Phases = append(w.Phases, p.Name)
			}
			assert.Equal(t, p.Runs == "yes", p.Why == nil, p.Name)
		}
		got = append(got, w)
	}
	require.Len(t, want, 40)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPlanYAMLHoldsWhatJSONDoes(t *testing.T) {
	var fromYAML, fromJSON any
	require.NoError(t, yaml.Unmarshal([]byte(run(t, "", "plan", "-f", recorded("objects.json"), "-o", "yaml").out), &fromYAML))
	require.NoError(t, json.Unmarshal([]byte(run(t, "", "plan", "-f", recorded("objects.json"), "-o", "json").out), &fromJSON))
	if diff := cmp.Diff(fromJSON, fromYAML); diff != "" {
		t.Errorf("-json +yaml\n%s", diff)
	}
}

func TestPlanElementHasTheFieldsOfTheContract(t *testing.T) {
	keys := func(args ...string) []string {
		var all []map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(run(t, moments, append([]string{"plan", "-o", "json"}, args...)...).out), &all))
		var keys []string
		for _, key := range []string{
			"name", "namespace", "itinerary", "phase", "done", "flags", "unknown", "phases", "steps", "maybeSteps", "tentativeSteps",
		} {
			if value, ok := all[0][key]; ok {
				keys = append(keys, key)
				assert.NotEqual(t, "null", string(value), key)
			}
		}
		assert.Len(t, all[0], len(keys))
		return keys
	}
	assert.Equal(t,
		[]string{"name", "namespace", "itinerary", "phase", "done", "flags", "unknown", "phases", "steps", "maybeSteps", "tentativeSteps"},
		keys("-f", "-"))
	assert.Equal(t, []string{"itinerary", "flags", "unknown", "phases", "steps", "maybeSteps", "tentativeSteps"}, keys("-i", "Final"))
}

func TestPlanOfMoments(t *testing.T) {
	all := elements(t, run(t, moments, "plan", "-f", "-", "-o", "json").out)
	require.Len(t, all, 3)

	notBegun, underWay, done := all[0], all[1], all[2]
	assert.Equal(t, "", *notBegun.Phase)
	assert.False(t, *notBegun.Done)
	assert.Equal(t, []string{"Prepare", "DirectImage", "DirectVolume", "Cleanup"}, notBegun.Steps)

	assert.Equal(t, "QuiesceSourceApplications", *underWay.Phase, "the current name")
	assert.Equal(t, []string{"Prepare", "DataBackup", "DirectImage", "DirectVolume", "Restore", "Cleanup"}, underWay.Steps,
		"what has started comes first, even if nothing would start it now")
	assert.Equal(t, "no", underWay.phase(t, "EnsureStageBackup").Runs)

	assert.Equal(t, "Completed", *done.Phase)
	assert.True(t, *done.Done)
	assert.Equal(t, "Stage", done.Itinerary)
}

func TestPlanReportsRidingPhasesElsewhere(t *testing.T) {
	e := elements(t, run(t, "", "plan", "-i", "Stage", "--flags", "Quiesce,DirectImage", "-o", "json").out)[0]
	assert.Equal(t, []string{"Prepare", "Cleanup"}, e.Steps)
	assert.Equal(t, "Prepare", e.phase(t, "QuiesceSourceApplications").Step)
	assert.Equal(t, "DataBackup", e.phase(t, "EnsureStageBackup").Step, "its own step, if it does not run")
}

func TestPlanOfAnItinerary(t *testing.T) {
	r := run(t, "", "plan", "-i", "Stage", "--flags", "IndirectImage, EnableImage", "--flags", "HasVerify", "--unknown",
		"HasISs,HasStageBackup", "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{
		"itinerary Stage: flag HasISs is unknown: it is named under --unknown",
		"itinerary Stage: flag HasStageBackup is unknown: it is named under --unknown",
	}, r.lines(t))
	e := elements(t, r.out)[0]
	assert.Equal(t, []string{"HasVerify", "IndirectImage", "EnableImage"}, e.Flags, "in the order of the vocabulary")
	assert.Equal(t, []string{"HasISs", "HasStageBackup"}, e.Unknown)
	assert.Equal(t, []string{"Prepare", "Cleanup"}, e.Steps)
	assert.Equal(t, []string{"DataBackup", "DataRestore"}, e.MaybeSteps)
	p := e.phase(t, "CreateRegistries")
	assert.Equal(t, "unknown", p.Runs)
	assert.True(t, p.Tentative)
	assert.Equal(t, []string{"HasISs"}, p.Why.Flags)
	assert.Equal(t, []string{"WaitForRefresh"}, p.Why.DecidedBy)
	assert.Equal(t, "all", p.Why.Guard)

	table := run(t, "", "plan", "-i", "Stage", "--flags", "IndirectImage,EnableImage", "--unknown", "HasISs,HasStageBackup")
	assert.Equal(t, "ITINERARY   STEPS\nStage       Prepare > (DataBackup) > (DataRestore) > Cleanup\n\n"+
		"(NAME)  depends on a flag that is unknown, or on a choice that is not made\n", table.out)

	r = run(t, "", "plan", "-i", "Stage", "--flags", "DirectImage", "--unknown", "HasVerify")
	assert.Equal(t, 0, r.code, "nothing depends on it")
	assert.Empty(t, r.stderr)
}

func TestPlanWarnsOfBrokenRelations(t *testing.T) {
	for _, tt := range []struct {
		flags string
		want  []string
	}{
		{"DirectImage", []string{}},
		{"HasVerify", []string{"at least one of DirectImage and IndirectImage must be true"}},
		{"DirectImage,IndirectImage", []string{"DirectImage and IndirectImage exclude each other"}},
		{"DirectImage,DirectVolume", []string{"with DirectVolume, HasPVs must be true"}},
		{"DirectImage,HasPVs,IndirectVolume", []string{"with HasPVs and IndirectVolume, HasStageBackup or StorageConversion must be true"}},
	} {
		r := run(t, "", "plan", "-i", "Final", "--flags", tt.flags)
		assert.Equal(t, 0, r.code)
		assert.Contains(t, r.out, "Prepare > ", "planned all the same")
		for i := range tt.want {
			tt.want[i] = "warning: no run has these flags: " + tt.want[i]
		}
		assert.Equal(t, tt.want, r.lines(t), tt.flags)
	}

	file := write(t, "own.yaml", `
flags: [{name: A}, {name: B}]
relations: [[A], ["!B"]]
itineraries: [{name: Own, phases: [{name: P, step: S, any: [A, B]}]}]`)
	r := run(t, "", "plan", "-i", file, "--flags", "B")
	assert.Equal(t, []string{
		"warning: no run has these flags: A must be true",
		"warning: no run has these flags: B must be false",
	}, r.lines(t))
}

const several = `
flags: [{name: Due}]
itineraries:
- name: Warm
  phases: [{name: Copy, step: Disks}, {name: Cut, step: Cutover, all: [Due]}]
- name: Cold
  phases: [{name: Copy, step: Disks}]
`

func TestPlanOfAFileOfItineraries(t *testing.T) {
	file := write(t, "warm.yaml", several)
	one := write(t, "one.yaml", `itineraries: [{name: Only, phases: [{name: Copy, step: Disks}]}]`)

	assert.Equal(t, "ITINERARY   STEPS\nWarm        Disks > Cutover\n", run(t, "", "plan", "-i", file+"#Warm", "--flags", "Due").out)
	assert.Equal(t, "ITINERARY   STEPS\nOnly        Disks\n", run(t, "", "plan", "-i", one).out)
	assert.Equal(t, "ITINERARY   STEPS\nOnly        Disks\n", run(t, "", "plan", "-i", one+"#Only").out)

	for _, tt := range []struct {
		name, itinerary string
		code            int
		want            []string
	}{
		{"several", file, 2, []string{file + " has several itineraries; give -i " + file + "#Warm or " + file + "#Cold"}},
		{"none of that name", file + "#Wram", 2, []string{file + `: unknown itinerary "Wram"; did you mean "Warm"?`}},
		{"no such file", "no/such.yaml", 1, []string{"cannot read: open no/such.yaml: no such file or directory; check the name"}},
		{"not itineraries", write(t, "bad.yaml", "flags: [{name: A}]\nitineraries:\n- {name: I, phases: [{name: P, step: S, all: [B]}]}\nfoo: 1\n"), 1, []string{
			`bad.yaml:3:47: unknown flag "B"; declare it under flags`,
			`bad.yaml:4:1: a file has no key "foo"; the keys are flags, relations, itineraries and suppress`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", "plan", "-i", tt.itinerary)
			assert.Equal(t, tt.code, r.code)
			assert.Empty(t, r.out)
			lines := r.lines(t)
			require.Len(t, lines, len(tt.want))
			for i, want := range tt.want {
				assert.True(t, strings.HasSuffix(lines[i], want), "%s", lines[i])
			}
		})
	}
}

// withoutPlan are the flags that are unknown without a MigPlan.
var withoutPlan = []string{"HasPVs", "HasISs", "DirectImage", "IndirectImage", "DirectVolume",
	"IndirectVolume", "HasStageBackup", "EnableImage", "EnableVolume",
	"HasPreBackupHooks", "HasPostBackupHooks", "HasPreRestoreHooks", "HasPostRestoreHooks", "LiveVmMigration"}

func TestPlanOfIncompleteStreams(t *testing.T) {
	final := migration("m", ``, ``)
	for _, tt := range []struct {
		name, stream string
		planned      int
		unknown      []string
		code         int
		want         []string
	}{
		{"nothing is missing", around("", final), 1, []string{}, 0, []string{}},
		{"no image streams", stream(planObject("p", ""), host, source, final), 1, []string{"HasISs"}, 0, []string{noStreams}},
		{"no plan", stream(final, images), 1, withoutPlan, 1,
			[]string{"MigMigration ns/m: the MigPlan ns/p is missing; read it together with the migration"}},
		{"one of two has no plan", around("", strings.ReplaceAll(migration("m", ``, ``), `"name": "p"`, `"name": "q"`), migration("n", ``, ``)), 2, withoutPlan, 1,
			[]string{"MigMigration ns/m: the MigPlan ns/q is missing; read it together with the migration"}},
		{"a plan that cannot be read", around(`"hooks": {}`, final), 1, withoutPlan, 1, []string{
			"MigPlan ns/p: spec.hooks: holds a JSON object; write a list",
			"MigMigration ns/m: the MigPlan ns/p could not be read: correct it at standard input:1: items[0]",
		}},
		{"a plan that is ambiguous", stream(append(cluster, final, object("MigPlan", "p", `, "spec": {}, "spec": {}`))...), 1, withoutPlan, 1, []string{
			`standard input:1: items[4]: key "spec" is repeated in one object; remove one`,
			"MigMigration ns/m: the MigPlan ns/p could not be read: correct it at standard input:1: items[4]",
		}},
		{"no reference to a plan", around("", object("MigMigration", "m", ""),
			object("MigMigration", "o", `, "spec": {"migPlanRef": {"namespace": "ns"}}`), migration("n", ``, ``)), 3, withoutPlan, 1, []string{
			"MigMigration ns/m: spec.migPlanRef names no MigPlan; set it",
			"MigMigration ns/o: spec.migPlanRef names no MigPlan; set it",
		}},
		{"a cluster that cannot be read", stream(planObject("p", ""), images, host,
			object("MigCluster", "source", `, "spec": {"url": 3}`), final), 1, []string{"EnableImage"}, 1, []string{
			"MigCluster ns/source: spec.url: holds a JSON number; write a string",
			"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster ns/source could not be read: correct it at standard input:1: items[3]",
		}},
		{"a cluster that is ambiguous", "kind: List\nitems: [" + strings.Join(
			[]string{planObject("p", ""), images, source, final, object("MigCluster", "host", `, "spec": {"url": .inf}`)}, ", ") + "]", 1, []string{"EnableImage"}, 1, []string{
			"standard input:2: items[4]: .inf has no form in JSON, which is how Kubernetes keeps it; write another value",
			"MigMigration ns/m: flag EnableImage is unknown: the destination MigCluster ns/host could not be read: correct it at standard input:1: items[4]",
		}},
		{"an image stream that cannot be read", stream(planObject("p", `"indirectImageMigration": true`), host, source,
			`{"kind": "ImageStream", "metadata": {"namespace": "app", "name": 3}}`, final), 1, []string{"HasISs", "HasStageBackup"}, 1, []string{
			"standard input:1: items[3]: ImageStream app/: metadata.name: holds a JSON number; write a string",
			"MigMigration ns/m: flag HasISs is unknown: the ImageStream of namespace app could not be read: correct it at standard input:1: items[3]",
			"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from HasISs, which is unknown",
		}},
		{"one beside one that can be", around(`"indirectImageMigration": true`,
			`{"kind": "ImageStream", "metadata": {"namespace": "app", "name": 3}}`, final), 1, []string{}, 1, []string{
			"standard input:1: items[4]: ImageStream app/: metadata.name: holds a JSON number; write a string",
		}},
		{"one of another namespace", stream(planObject("p", `"indirectImageMigration": true`), host, source,
			`{"kind": "ImageStream", "metadata": {"namespace": "other", "name": 3}}`, final), 1, []string{"HasISs", "HasStageBackup"}, 1, []string{
			"standard input:1: items[3]: ImageStream other/: metadata.name: holds a JSON number; write a string",
			"MigMigration ns/m: flag HasISs is unknown: no ImageStream was read, but there may be some; read those of the source cluster",
			"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from HasISs, which is unknown",
			noStreams,
		}},
		{"one whose namespace cannot be read", stream(planObject("p", `"indirectImageMigration": true`), host, source,
			`{"kind": "ImageStream", "metadata": {"namespace": 3, "name": "is"}}`, final), 1, []string{"HasISs", "HasStageBackup"}, 1, []string{
			"ImageStream is: metadata.namespace: holds a JSON number; write a string",
			"MigMigration ns/m: flag HasISs is unknown: the ImageStream could not be read: correct it at standard input:1: items[3]",
			"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from HasISs, which is unknown",
		}},
		{"a null one", stream(planObject("p", `"indirectImageMigration": true`), host, source, final) + `{"kind": "ImageStreamL` +
			`ist", "items": [null]}`, 1, []string{"HasISs", "HasStageBackup"}, 1, []string{
			"standard input:1: items[0]: holds null where an object is needed",
			"MigMigration ns/m: flag HasISs is unknown: the ImageStream could not be read: correct it at standard input:1: items[0]",
			"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from HasISs, which is unknown",
		}},
		{"no cluster, and images depend on it", stream(planObject("p", ""), images, final), 1, []string{"EnableImage"}, 1,
			[]string{"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster ns/source is missing; read it together with the migration"}},
		{
			"no cluster, and nothing depends on it",
			stream(planObject("p", `"indirectImageMigration": true`), images, migration("m", `"canceled": true`, ``)), 1,
			[]string{"EnableImage"}, 0, []string{},
		},
		{"no source cluster, and a storage conversion depends on it", stream(
			planObject("p", `"indirectVolumeMigration": true, "persistentVolumes": [{"selection": {"action": "copy"}}]`), host,
			images, migration("m", `"rollback": true`, ``)), 1,
			[]string{"HasStageBackup", "EnableImage", "StorageConversion"}, 1,
			[]string{"MigMigration ns/m: flag StorageConversion is unknown: the source MigCluster ns/source is missing; read it together with the migration"}},
		{"an invalid URL", stream(planObject("p", ""), images, host, object("MigCluster", "source", `, "spec": {"url": "https://a b"}`), final), 1, []string{"EnableImage"}, 1,
			[]string{
				`MigMigration ns/m: flag EnableImage is unknown: spec.url of MigCluster ns/source is not a URL: ` +
					`parse "https://a b": invalid character " " in host name; correct it`,
			}},
		{"an unknown recorded phase", around("", migration("m", ``, `"itinerary": "Final", "phase": "EnsureInitialBackupp"`)), 1, []string{}, 1,
			[]string{`MigMigration ns/m: planned from the first phase: itinerary "Final" has no phase "EnsureInitialBackupp"; did you mean "EnsureInitialBackup"?`}},
		{"an unknown recorded phase, without its itinerary", around("", migration("m", ``, `"phase": "EnsureInitialBackupp"`)), 1, []string{}, 1,
			[]string{`MigMigration ns/m: planned from the first phase: itinerary "Final" has no phase "EnsureInitialBackupp"; did you mean "EnsureInitialBackup"?`}},
		{"a recorded phase of another itinerary", around("", migration("m", `"canceled": true`, `"itinerary": "Final", "phase": "Whatever"`)), 1, []string{}, 0, []string{}},
		{"a field of the wrong type", around("", migration("n", `"stage": "true"`, ``), final), 1, []string{}, 1,
			[]string{"MigMigration ns/n: spec.stage: holds a JSON string; write true or false"}},
		{"an invalid pipeline", around("", migration("m", ``, `"pipeline": 3`)), 1, []string{}, 1,
			[]string{"MigMigration ns/m: status.pipeline is not an array"}},
		{"no migration", around(""), 0, nil, 1,
			[]string{"there is no MigMigration in standard input; list them with: " +
				"kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml"}},
		{"the same twice", around("", final, final, source), 1, []string{}, 0, []string{}},
		{"no name", around("", `{"kind": "MigMigration"}`, final), 1, []string{}, 1,
			[]string{"standard input:1: items[4]: MigMigration has no metadata.name; give it one"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			all := elements(t, r.out)
			require.Len(t, all, tt.planned)
			if tt.planned > 0 {
				assert.Equal(t, "m", *all[0].Name)
				assert.Equal(t, tt.unknown, all[0].Unknown)
			}
		})
	}
}

func TestPlanOfSeveralNamespaces(t *testing.T) {
	other := strings.Replace(migration("m", ``, ``), `"namespace": "ns"`, `"namespace": "other"`, 1)
	r := run(t, around("", migration("m", ``, ``), other), "plan", "-f", "-")
	assert.Equal(t, 0, r.code)
	assert.Equal(t, "NAMESPACE   NAME   ITINERARY   PHASE   STEPS\n"+
		"ns          m      Final       -       Prepare > Backup > DirectImage? > Restore > Cleanup\n"+
		"other       m      Final       -       Prepare > Backup > DirectImage? > Restore > Cleanup\n"+
		"\nNAME?   may still change, once a phase ahead has decided the flags that it depends on\n", r.out)
}

func TestPlanKeepsControlCharactersOffTheTerminal(t *testing.T) {
	r := run(t, around("", migration(`m\u001b[31m\n`, ``, `"itinerary": "Final", "phase": "\u001b"`)), "plan", "-f", "-")
	assert.Equal(t, 1, r.code)
	assert.NotContains(t, r.out+r.stderr, "\x1b")
	assert.Len(t, r.lines(t), 1)
	assert.Contains(t, r.out, "mU+001B[31m ")
}

func TestPlanShowsThePresentNameOfAPhase(t *testing.T) {
	for _, tt := range []struct{ name, status string }{
		{"with its itinerary", `"itinerary": "Final", "phase": "QuiesceApplications"`},
		{"without", `"phase": "QuiesceApplications"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, around("", migration("m", ``, tt.status)), "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 0, r.code, r.stderr)
			assert.Equal(t, "QuiesceSourceApplications", *elements(t, r.out)[0].Phase)
		})
	}
}

func TestPlanWithoutRunningPhases(t *testing.T) {
	file := write(t, "own.yaml", "flags: [{name: A}]\nitineraries: [{name: Own, phases: [{name: P, step: S, all: [A]}]}]\n")
	r := run(t, "", "plan", "-i", file, "-o", "json")
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.out, `"steps": []`)
	assert.Contains(t, r.out, `"maybeSteps": []`)

	r = run(t, "", "explain", "Zzzzzzzz", "-i", file)
	assert.Equal(t, 2, r.code)
	assert.Equal(t,
		[]string{`itinerary Own has no phase, step or flag "Zzzzzzzz"; see dynamic-pipeline plan -i ` + file + ` --explain`},
		r.lines(t))
}

// A loop whose exit no phase inside decides may never end: that is a warning, not an error.
// A loop that nothing leaves, with any flags, is refused.
func TestPlanWarnsOfLoopsThatMayNeverEnd(t *testing.T) {
	loop := func(phases string) string {
		return write(t, "loop.yaml", "flags: [{name: Again}, {name: Other}]\nitineraries:\n- name: Loop\n  phases:\n"+phases)
	}
	const warning = "warning: itinerary Loop: whether a run leaves the loop of A and B depends on Again, which no phase in the loop " +
		"decides, so the loop may never end; add the flag to decides of the phase that changes it"
	for _, tt := range []struct {
		name, phases string
		want         []string
	}{
		{"decided in the loop", "  - {name: A, step: S}\n  - {name: B, step: S, decides: [Again], jumps: [{to: A, all: [Again]}]}\n  - {name: C, step: T}\n", []string{}},
		{
			"decided before the loop",
			"  - {name: O, step: S, decides: [Again]}\n  - {name: A, step: S}\n  - {name: B, step: S, jumps: [{to: A, all: [Again]}]}\n  - {name: C, step: T}\n",
			[]string{warning},
		},
		{"decided by no phase", "  - {name: A, step: S}\n  - {name: B, step: S, jumps: [{to: A, all: [Again]}]}\n  - {name: C, step: T}\n", []string{warning}},
		{
			"another flag is decided",
			"  - {name: A, step: S, decides: [Other]}\n  - {name: B, step: S, jumps: [{to: A, all: [Again]}]}\n  - {name: C, step: T}\n",
			[]string{warning},
		},
		{"no loop", "  - {name: A, step: S, jumps: [{to: C, all: [Again]}]}\n  - {name: B, step: S}\n  - {name: C, step: T}\n", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, format := range []string{"table", "json", "yaml"} {
				r := run(t, "", "plan", "-i", loop(tt.phases), "-o", format)
				assert.Equal(t, 0, r.code)
				assert.Equal(t, tt.want, r.lines(t))
				assert.NotEmpty(t, r.out)
			}
		})
	}
	for _, itinerary := range []string{"Stage", "Final", "Cancel", "Failed", "Rollback"} {
		assert.Empty(t, run(t, "", "plan", "-i", itinerary, "--flags", "DirectImage").stderr)
	}

	r := run(t, "", "plan", "-i", loop("  - {name: A, step: S, jumps: [{to: A}]}\n  - {name: B, step: T}\n"))
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.out)
	require.Len(t, r.lines(t), 1)
	assert.Contains(t, r.lines(t)[0], `itinerary "Loop": phase "A" is in a loop that a run cannot leave with any flags`)
}
