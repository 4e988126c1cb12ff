package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The types of embedders, as in the example controllers.
type (
	// inStatus has the state in its status, beside conditions.
	inStatus struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Status            struct {
			runner.State `json:",inline"`
			Conditions   []metav1.Condition `json:"conditions,omitempty"`
		} `json:"status"`
	}
	// inField has the state in a field, and the pipeline in another.
	inField struct {
		metav1.ObjectMeta `json:"metadata"`
		Status            struct {
			Run   *runner.State  `json:"run,omitempty"`
			Steps steps.Pipeline `json:"steps,omitempty"`
			Vms   []string       `json:"vms"`
		} `json:"status"`
	}
	// inAnnotation has the state in an annotation, and steps of its own type in the status.
	inAnnotation struct {
		metav1.ObjectMeta `json:"metadata"`
		Status            struct {
			Phase     string     `json:"phase,omitempty"`
			Itinerary string     `json:"itinerary,omitempty"`
			Pipeline  []*ownStep `json:"pipeline,omitempty"`
		} `json:"status"`
	}
	ownStep struct {
		Started   *metav1.Time `json:"started,omitempty"`
		Completed *metav1.Time `json:"completed,omitempty"`
		Name      string       `json:"name"`
		Phase     string       `json:"phase,omitempty"`
		Message   string       `json:"message,omitempty"`
		Progress  []string     `json:"progress,omitempty"`
		Failed    bool         `json:"failed,omitempty"`
		Icon      string       `json:"icon"`
	}
	// inItems has a state in each item.
	inItems struct {
		metav1.ObjectMeta `json:"metadata"`
		Status            struct {
			Conditions []metav1.Condition `json:"conditions,omitempty"`
			VMs        []itemInline       `json:"vms"`
		} `json:"status"`
	}
	itemInline struct {
		Name         string `json:"name"`
		runner.State `json:",inline"`
	}
	// inItemFields has a state in a field of each item. The steps have tasks and another
	// type of progress, and the name of an item is that of its virtual machine.
	inItemFields struct {
		metav1.ObjectMeta `json:"metadata"`
		Status            struct {
			Migration struct {
				VMs []*itemField `json:"vms"`
			} `json:"migration"`
		} `json:"status"`
	}
	itemField struct {
		VM       map[string]string `json:"vm"`
		Phase    string            `json:"phase"`
		Pipeline []map[string]any  `json:"pipeline"`
		Run      *runner.State     `json:"run,omitempty"`
	}
)

var copyFlags = phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "Verify"}})

// moveOn reconciles an object several times: Prepare is done, and Copy waits.
func moveOn[T any](t *testing.T, object T, storage runner.Storage[T], reconciles int) {
	t.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r, err := runner.New(runner.Options[T]{
		Itineraries: machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: copyFlags, Phases: []phases.Phase{
			{Name: "Prepare", Step: "Prepare"}, {Name: "Copy", Step: "Data"}, {Name: "Verify", Step: "Verify", Guard: phases.Guard{All: 1}},
		}}),
		Select:  func(context.Context, T) (string, error) { return "Move", nil },
		Storage: storage,
		Sources: func(context.Context, T) (*phases.Sources, error) {
			return phases.NewSources(copyFlags, phases.Source{Flag: 1, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				return phases.True, nil
			}})
		},
		Handler: runner.VisitFunc[T](func(_ context.Context, _ T, v runner.Visit) (runner.Result, error) {
			if v.Phase == "Copy" {
				return runner.Wait(time.Minute, "copying", "3 of 7 disks"), nil
			}
			return runner.Done(), nil
		}),
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	for range reconciles {
		_, err := r.Reconcile(t.Context(), object)
		require.NoError(t, err)
		now = now.Add(time.Second)
	}
}

// own is a storage that is neither in a status nor in an annotation.
func own[T any](read func(T) runner.State, write func(T, runner.State)) runner.Storage[T] {
	return runner.Storage[T]{
		Read:  func(_ context.Context, o T) (runner.State, error) { return read(o), nil },
		Write: func(_ context.Context, o T, s runner.State) error { write(o, *s.DeepCopy()); return nil },
	}
}

// text returns an object as kubectl prints it.
func text(t *testing.T, object any) []byte {
	t.Helper()
	data, err := json.Marshal(object)
	require.NoError(t, err)
	return data
}

// brief returns a line for each state: item, place, position, and the steps with their
// messages.
func brief(found []foundState, errs []error) (lines []string) {
	for _, f := range found {
		line := fmt.Sprintf("%s @ %s: %s/%s", f.item, f.at, f.state.Itinerary, f.state.Phase)
		for i := range f.state.Pipeline {
			step := &f.state.Pipeline[i]
			line += fmt.Sprintf(" %s(%s)", step.Name, step.Message)
		}
		lines = append(lines, strings.TrimPrefix(line, " "))
	}
	for _, err := range errs {
		lines = append(lines, "error: "+err.Error())
	}
	return lines
}

const moving = ": Move/Copy Prepare(Completed) Data(copying) Verify(Not started)"

func TestStatesInStatusAndLists(t *testing.T) {
	t.Run("the status", func(t *testing.T) {
		o := new(inStatus)
		o.Status.Conditions = []metav1.Condition{{Type: "Ready"}}
		moveOn(t, o, runner.NewStatusStorage(func(o *inStatus) *runner.State { return &o.Status.State }), 4)
		found, errs := findStates(text(t, o), statePath{})
		assert.Equal(t, []string{"@ .status" + moving}, brief(found, errs))
		assert.Empty(t, cmp.Diff(o.Status.State, found[0].state), "it is what the runner wrote")
	})
	t.Run("a field of the status, with the pipeline in another", func(t *testing.T) {
		o := new(inField)
		o.Status.Vms = []string{"a", "b"}
		moveOn(t, o, own(
			func(o *inField) (s runner.State) {
				if o.Status.Run != nil {
					s = *o.Status.Run.DeepCopy()
				}
				s.Pipeline = o.Status.Steps
				return s
			},
			func(o *inField, s runner.State) {
				o.Status.Steps, s.Pipeline = s.Pipeline, nil
				o.Status.Run = &s
			}), 4)
		assert.Equal(t, []string{"@ .status.run" + moving}, brief(findStates(text(t, o), statePath{})))
	})
	t.Run("items of a list", func(t *testing.T) {
		o := new(inItems)
		o.Status.VMs = []itemInline{{Name: "vm-1"}, {Name: "vm-2"}, {Name: "vm-3"}}
		for i := range 2 {
			moveOn(t, o, runner.NewStatusStorage(func(o *inItems) *runner.State { return &o.Status.VMs[i].State }), 4)
		}
		assert.Equal(t, []string{
			"vm-1 @ .status.vms[0]" + moving,
			"vm-2 @ .status.vms[1]" + moving,
			"vm-3 @ .status.vms[2]: /", // it has not begun
		}, brief(findStates(text(t, o), statePath{})))
	})
	t.Run("items of several lists", func(t *testing.T) {
		const run = `"run": {"itinerary": "Move", "phase": "Copy", "visit": 3, "facts": {"hash": "a"}}`
		found, errs := findStates(
			[]byte(
				`{"status": {"vms": [{"name": "a", `+run+`}], "disks": [{"name": "a", `+run+`}], "old":
			{"vms": [{"name": "a", `+run+`}]}}}`),
			statePath{})
		require.Empty(t, errs)
		var items []string
		for _, f := range found {
			items = append(items, f.item)
		}
		assert.Equal(t, []string{"vms/a", "disks/a", "old.vms/a"}, items)
	})
}

func TestStatesInFieldsOfItems(t *testing.T) {
	o := new(inItemFields)
	for _, name := range []string{"web", "db"} {
		item := &itemField{VM: map[string]string{"name": name, "id": "vm-" + name}}
		o.Status.Migration.VMs = append(o.Status.Migration.VMs, item)
		moveOn(t, item, own(
			func(i *itemField) (s runner.State) {
				if i.Run != nil {
					s = *i.Run.DeepCopy()
				}
				for _, step := range i.Pipeline {
					started, _ := step["started"].(*metav1.Time)
					completed, _ := step["completed"].(*metav1.Time)
					s.Pipeline = append(s.Pipeline,
						steps.Step{
							Name: step["name"].(string), Started: started, Completed: completed, Message: step["message"].(string),
							Phase: step["phase"].(string),
						})
				}
				return s
			},
			func(i *itemField, s runner.State) {
				i.Phase, i.Pipeline = s.Phase, nil
				for _, step := range s.Pipeline {
					i.Pipeline = append(i.Pipeline, map[string]any{
						"name": step.Name, "started": step.Started, "completed": step.Completed, "message": step.Message, "phase": step.Phase,
						"progress": map[string]int{"completed": 3, "total": 7}, "tasks": []string{"disk-1"},
					})
				}
				s.Pipeline = nil
				i.Run = &s
			}), 4)
	}
	assert.Equal(t, []string{
		"web @ .status.migration.vms[0].run" + moving,
		"db @ .status.migration.vms[1].run" + moving,
	}, brief(findStates(text(t, o), statePath{})))
}

// The status holds steps of another type.
func TestStatesInAnnotations(t *testing.T) {
	for _, name := range []string{StateAnnotation, "example.com/run"} {
		o := new(inAnnotation)
		o.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"spec": {"vms": []}}`, "note": "{"}
		storage := runner.NewAnnotationStorage(name, runner.Fields[*inAnnotation]{
			Steps:     runner.AlikeSteps(func(o *inAnnotation) *[]*ownStep { return &o.Status.Pipeline }),
			Itinerary: func(o *inAnnotation) *string { return &o.Status.Itinerary },
			Phase:     func(o *inAnnotation) *string { return &o.Status.Phase },
		})
		moveOn(t, o, storage, 4)
		found, errs := findStates(text(t, o), statePath{})
		assert.Equal(t, []string{"@ annotation " + name + moving}, brief(found, errs))
		assert.Equal(t, []string{"3 of 7 disks"}, found[0].state.Pipeline[1].Progress)

		// Another controller moves the run without changing the annotation.
		o.Status.Phase = "Verify"
		found, errs = findStates(text(t, o), statePath{})
		require.Empty(t, errs)
		want, err := storage.Read(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, "Verify", found[0].state.Phase)
		assert.Empty(t, found[0].state.Facts, "they are from before the move")
		assert.Empty(t, cmp.Diff(want, found[0].state))
	}
}

func TestObjectsWithoutAState(t *testing.T) {
	for _, object := range []string{
		`{}`,
		`{"status": null}`,
		`{"status": {"vms": [], "steps": [{"name": "a"}], "conditions": [{"type": "Ready", "status": "True"}]}}`,
		`{"metadata": {"annotations": null}, "status": "no object"}`,
		// What mig-controller writes is not a state of this project.
		`{"status": {"itinerary": "Final", "phase": "Backup", "pipeline": [{"name": "Prepare", "started": "2026-11-20T12:00:00Z"}]}}`,
	} {
		assert.Empty(t, brief(findStates([]byte(object), statePath{})), object)
		assert.False(t, holdsState([]byte(object), statePath{}))
	}
}

const state = `"visit": 3, "itinerary": "Move", "phase": "Copy"`

func TestItemNames(t *testing.T) {
	for _, c := range []struct {
		about string
		items []string // members besides the state
		want  []string
	}{
		{"by name", []string{`"id": "1", "name": "a", `, `"id": "2", "name": "b", `}, []string{"a", "b"}},
		{"by id, since names occur twice", []string{`"id": "1", "name": "a", `, `"id": "2", "name": "a", `}, []string{"1", "2"}},
		{"by id, since a name is missing", []string{`"id": "1", `, `"id": "2", "name": "b", `}, []string{"1", "2"}},
		{"by the name of an object in them", []string{`"ref": {"namespace": "ns", "name": "a"}, `, `"ref": {"namespace": "ns", "name": "b"}, `}, []string{"a", "b"}},
		{"by index, since names are no texts", []string{`"name": 1, `, `"name": "", `}, []string{"0", "1"}},
		{"by index, since nothing is in them", []string{``, ``}, []string{"0", "1"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			var items, names []string
			for _, members := range c.items {
				items = append(items, `{`+members+`"run": {`+state+`}}`)
			}
			found, errs := findStates([]byte(`{"status": {"vms": [`+strings.Join(items, ", ")+`]}}`), statePath{})
			require.Empty(t, errs)
			for _, f := range found {
				names = append(names, f.item)
			}
			assert.Equal(t, c.want, names)
		})
	}
}

func TestSeveralRunsInFields(t *testing.T) {
	object := `{"status": {"backup": {` + state + `}, "restore app": {` + state + `, "phase": "Attach"}}}`
	assert.Equal(t, []string{"backup @ .status.backup: Move/Copy", "restore app @ .status['restore app']: Move/Attach"},
		brief(findStates([]byte(object), statePath{})))
}

// A state that cannot be read is an error that names the place, and hides no other.
func TestStatesThatCannotBeRead(t *testing.T) {
	annotated := func(text string) string {
		return fmt.Sprintf(`{"metadata": {"annotations": {%q: %s}}, "status": {%s}}`, StateAnnotation, text, state)
	}
	const annotation = "error: annotation pipeline.konveyor.io/state: "
	for _, c := range []struct {
		about, object string
		want          []string
	}{
		{"an annotation that is cut off", annotated(`"{\"visit\": 3"`), []string{annotation + "not the state of a run: it is not JSON"}},
		{"an annotation with something else", annotated(`"[]"`), []string{annotation + "holds a list where the state of a run is needed"}},
		{"an annotation of another type", annotated(`7`), []string{annotation + "holds a number where the state of a run is needed"}},
		{
			"a field of another type", `{"status": {"visit": 3, "phase": 7}}`,
			[]string{"error: .status: not the state of a run: json: cannot unmarshal number into Go struct field State.phase of type string"},
		},
		{"items", `{"status": {"vms": [{"name": "a", ` + state + `}, {"name": "b", "visit": 1, "retry": 7}, null, "text"]}}`, []string{
			"0 @ .status.vms[0]: Move/Copy",
			"error: .status.vms[1]: not the state of a run: json: cannot unmarshal number into Go struct field State.retry of type runner.Retry",
			"error: .status.vms[2]: holds null where the state of a run is needed",
			"error: .status.vms[3]: not the state of a run: it is not JSON",
		}},
		{"fields of items", `{"status": {"vms": [{"name": "a", "run": {` + state + `}}, {"name": "b", "run": 7}, {"name": "c", "run": ` +
			`{"phase": 7}}, {"name": "d", "run": null}, {"name": "e"}, {"name": "f", "run": {}}]}}`, []string{
			"a @ .status.vms[0].run: Move/Copy", "d @ .status.vms[3]: /", "e @ .status.vms[4]: /", "f @ .status.vms[5].run: /",
			"error: .status.vms[1].run: holds a number where the state of a run is needed",
			"error: .status.vms[2].run: not the state of a run: json: cannot unmarshal number into Go struct field State.phase of type string",
		}},
		{"a pipeline of another type", `{"status": {` + state + `, "pipeline": "text"}}`, []string{"error: .status.pipeline: holds a string where the steps of a run are needed"}},
		{"a step without a name", `{"status": {"run": {` + state + `}, "pipeline": [{"name": "A"}, {}]}}`, []string{"error: .status.pipeline[1]: is not a step: it has no name"}},
		{
			"a time of a step", `{"status": {` + state + `, "pipeline": [{"name": "A", "started": "noon"}]}}`,
			[]string{"error: .status.pipeline[0].started: is not a time as 2006-01-02T15:04:05Z"},
		},
	} {
		t.Run(c.about, func(t *testing.T) {
			found, errs := findStates([]byte(c.object), statePath{})
			got := brief(found, errs)
			for i := range got { // releases of Go differ in naming these
				got[i] = strings.Replace(got[i], "State.Checkpoint.", "State.", 1)
			}
			assert.Equal(t, c.want, got)
			assert.True(t, holdsState([]byte(c.object), statePath{}))
			for _, err := range errs {
				assert.ErrorAs(t, err, new(*stateError))
			}
		})
	}
}

func TestStateAt(t *testing.T) {
	const object = `{
		"metadata": {"annotations": {"example.com/run": "{\"itinerary\":\"Move\",\"phase\":\"Copy\",\"visit\":3}", "text": "no state"}},
		"status": {
			"itinerary": "Move", "phase": "Verify", "pipeline": [{"name": "Data", "message": "copying"}],
			"deep": {"er": {"state": {` + state + `, "visit": 2}, "empty": {}}},
			"vms": [{"name": "a", "run": {` + state + `}}, {"name": "b"}],
			"groups": [{"name": "x",
			"vms": [{"name": "a", "run": {` + state + `}}]}, {"name": "y", "vms": [{"name": "a", "run": {` + state + `}}]}],
			"none": null
		}}`
	for _, c := range []struct {
		path string
		want []string
	}{
		{".status.deep.er.state", []string{"@ .status.deep.er.state: Move/Copy"}},
		{"{.status.deep.er.state}", []string{"@ .status.deep.er.state: Move/Copy"}},
		{"$.status['deep'][\"er\"].state", []string{"@ .status.deep.er.state: Move/Copy"}},
		{"status.deep.er.empty", []string{"@ .status.deep.er.empty: /"}},
		{".status.vms[*].run", []string{"a @ .status.vms[0].run: Move/Copy", "b @ .status.vms[1]: /"}},
		{".status.vms[0].run", []string{"@ .status.vms[0].run: Move/Copy"}},
		{".status.groups[*].vms[*].run", []string{"x/a @ .status.groups[0].vms[0].run: Move/Copy", "y/a @ .status.groups[1].vms[0].run: Move/Copy"}},
		// The phase of the status takes precedence, and the pipeline is taken from it.
		{"metadata.annotations['example.com/run']", []string{"@ .metadata.annotations['example.com/run']: Move/Verify Data(copying)"}},
		{`.metadata.annotations.example\.com/run`, []string{"@ .metadata.annotations['example.com/run']: Move/Verify Data(copying)"}},
		{".metadata.annotations.text", []string{"error: .metadata.annotations.text: not the state of a run: it is not JSON"}},
		{".status", []string{"error: .status: not the state of a run: it has neither the field facts nor the field visit, so another controller wrote it"}},
		{".status.phase", []string{"error: .status.phase: not the state of a run: it is not JSON"}},
		{".status.none", nil},
		{".status.vms[7]", nil},
		{".status.deep[0]", nil},
		{".status.vms[*].absent", nil},
		{".status.deap.er", nil},
	} {
		t.Run(c.path, func(t *testing.T) {
			at, err := parseStatePath(c.path)
			require.NoError(t, err)
			found, errs := findStates([]byte(object), at)
			assert.Equal(t, c.want, brief(found, errs))
		})
	}
}

func TestStateAtMissingPath(t *testing.T) {
	const object = `{"metadata": {"annotations": {"example.com/run": "{}"}}, "status": {"migration": {"vms": [{"run": {}}]}}}`
	for path, want := range map[string]string{
		".status.migraton.state":         `--state-at .status.migraton.state: there is no .status.migraton; did you mean ".status.migration"?`,
		".status.migration.vms[3].run":   "--state-at .status.migration.vms[3].run: there is no .status.migration.vms[3]",
		".status.migration.vms[*].state": "--state-at .status.migration.vms[*].state: there is no .status.migration.vms[*].state",
		"metadata.annotations.example.com/run": `--state-at metadata.annotations.example.com/run: there is no ` +
			`.metadata.annotations.example; did you mean ".metadata.annotations['example.com/run']"?`,
	} {
		at, err := parseStatePath(path)
		require.NoError(t, err)
		assert.EqualError(t, at.missing([]byte(object)), want)
	}
	at, err := parseStatePath(".status.migration.vms[*].run")
	require.NoError(t, err)
	assert.Nil(t, at.missing([]byte(object)))
}

func TestStateAtInvalidPath(t *testing.T) {
	for path, want := range map[string]string{
		"":               "it is empty",
		" ":              "it is empty",
		"{}":             "it is empty",
		"{.status":       "the brace is not closed",
		".":              `a name is missing before ""`,
		".status..state": `a name is missing before ".state"`,
		".status[":       "a bracket is not closed",
		".status['a]":    "a bracket is not closed",
		".status['']":    "a name is empty",
		".status[-1]":    "[-1] is neither an index, [*] nor a name in quotes",
		".status[a]":     "[a] is neither an index, [*] nor a name in quotes",
		".vms[0]run":     `there is no dot before "run"`,
	} {
		_, err := parseStatePath(path)
		var wrong *pathError
		require.ErrorAs(t, err, &wrong, path)
		assert.Equal(t, want, wrong.Problem, path)
	}
}

// Each run of the file is found, with the activity that its name implies.
func TestStatesOfTheFileOfRuns(t *testing.T) {
	want := map[string]runner.Activity{
		"working": runner.ActivityWorking, "waiting": runner.ActivityWaiting, "waiting-overdue": runner.ActivityWaiting,
		"waiting-for-later": runner.ActivityWaiting, "retrying": runner.ActivityRetrying, "retrying-flags": runner.ActivityFlagsUnknown,
		"stopped": runner.ActivityStopped, "paused": runner.ActivityPaused, "paused-retrying": runner.ActivityPaused,
		"was-paused": runner.ActivityWaiting, "cleaning-up": runner.ActivityWaiting,
		"succeeded": runner.ActivityDone, "failed": runner.ActivityDone, "canceled": runner.ActivityDone, "rolled-back": runner.ActivityDone,
	}
	got := map[string]runner.Activity{}
	for name, object := range runsOfFile(t) {
		found, errs := findStates(object, statePath{})
		require.Empty(t, errs)
		for _, f := range found {
			got[name] = f.state.Status(noon).Activity
		}
	}
	assert.Equal(t, want, got)
}

// noon is the time at which the file of runs ends.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// runsOfFile returns the objects of the file of runs, by name.
func runsOfFile(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	data, err := os.ReadFile("testdata/runs.yaml")
	require.NoError(t, err)
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	require.NoError(t, yaml.Unmarshal(data, &list))
	all := map[string]json.RawMessage{}
	for _, item := range list.Items {
		var o metav1.PartialObjectMetadata
		require.NoError(t, json.Unmarshal(item, &o))
		all[o.Name] = item
	}
	return all
}

// Memory grows with the size of the object, whatever it holds.
func TestStatesTakeLinearSpace(t *testing.T) {
	repeat := func(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	for about, object := range map[string]func(n int) string{
		"items":       func(n int) string { return `{"status": {"vms": [` + repeat(`{"name": "a", `+state+`}`, n) + `]}}` },
		"empty items": func(n int) string { return `{"status": {"vms": [` + repeat(`{}`, n) + `]}}` },
		"fields":      func(n int) string { return `{"status": {` + repeat(`"a": {`+state+`}`, n) + `}}` },
		"lists":       func(n int) string { return `{"status": {` + repeat(`"a": {"b": [{}]}`, n) + `}}` },
		"annotations": func(n int) string { return `{"metadata": {"annotations": {` + repeat(`"a": "{}"`, n) + `}}}` },
		"steps": func(n int) string {
			return `{"status": {` + state + `, "pipeline": [` + repeat(`{"name": "a"}`, n) + `]}}`
		},
		"depth": func(n int) string {
			return `{"status": {"a": ` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}`
		},
	} {
		t.Run(about, func(t *testing.T) {
			cost := func(n int) float64 {
				text := []byte(object(n))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				findStates(text, statePath{})
				runtime.ReadMemStats(&after)
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			small, large := cost(2000), cost(8000)
			assert.Less(t, large, 6*small+1<<16, "four times as large")
		})
	}
}

func FuzzFindStates(f *testing.F) {
	f.Add(`{"status": {`+state+`}}`, ".status")
	f.Add(`{"status": {"vms": [{"name": "a", "run": {`+state+`}}, null]}}`, ".status.vms[*].run")
	f.Add(`{"metadata": {"annotations": {"pipeline.konveyor.io/state": "{}"}}}`, "metadata.annotations['x']")
	f.Fuzz(func(t *testing.T, object, path string) {
		if !json.Valid([]byte(object)) {
			return
		}
		object = strings.TrimSpace(object)
		paths := []statePath{{}}
		if at, err := parseStatePath(path); err == nil {
			paths = append(paths, at)
			_ = at.missing([]byte(object))
		} else {
			assert.ErrorAs(t, err, new(*pathError))
		}
		for _, at := range paths {
			found, errs := findStates([]byte(object), at)
			for _, f := range found {
				_ = f.state.Status(noon)
			}
			assert.False(t, slices.ContainsFunc(errs, func(err error) bool { return !errors.As(err, new(*stateError)) }))
		}
	})
}
