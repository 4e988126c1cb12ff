package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// timed and task are step types of an embedder.
type timed struct {
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}

type task struct {
	timed
	Name, Phase, Message string
	Progress             []string
	Failed, Skipped      bool
	Owner                string
}

type job struct {
	metav1.ObjectMeta
	Itinerary, Phase string
	Tasks            []*task
}

var inTasks = runner.NewAnnotationStorage("example.com/state", runner.Fields[*job]{
	Steps:     runner.AlikeSteps(func(j *job) *[]*task { return &j.Tasks }),
	Itinerary: func(j *job) *string { return &j.Itinerary },
	Phase:     func(j *job) *string { return &j.Phase },
})

func TestStepsOfAnotherTypeRoundTrip(t *testing.T) {
	ctx := context.Background()
	now := metav1.NewTime(time.Date(2021, 2, 4, 10, 0, 0, 0, time.UTC))
	want := runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Backup", Phase: "Copy"},
		Pipeline:   steps.Pipeline{{Name: "Volumes", Started: &now, Phase: "Copy", Message: "Copying", Progress: []string{"3 of 7"}}},
	}
	first := &task{Name: "Volumes", Owner: "alice"}
	b := &job{Tasks: []*task{first}}
	require.NoError(t, inTasks.Write(ctx, b, want))
	require.Equal(t, "alice", b.Tasks[0].Owner, "a field that no step has was lost")
	require.Equal(t, &task{Name: "Volumes", Owner: "alice"}, first, "the entry before was changed")
	require.NotContains(t, b.Annotations["example.com/state"], "Volumes")

	got, err := inTasks.Read(ctx, b)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, got))
}

func TestStepsThatAreNotAlikeAreAnError(t *testing.T) {
	type other struct {
		Name int `json:"name"`
	}
	list := []other{{7}}
	storage := runner.NewAnnotationStorage("example.com/state", runner.Fields[*job]{
		Steps: runner.AlikeSteps(func(*job) *[]other { return &list }),
	})
	var alike *steps.AlikeError
	_, err := storage.Read(context.Background(), &job{})
	require.ErrorAs(t, err, &alike)
	require.ErrorAs(t, storage.Write(context.Background(), &job{}, runner.State{Pipeline: steps.Pipeline{{Name: "Volumes"}}}), &alike)
}

// plain has its pipeline in a field of type [steps.Pipeline].
type plain struct {
	metav1.ObjectMeta
	Pipeline steps.Pipeline
}

func plainPipeline(p *plain) *steps.Pipeline { return &p.Pipeline }

func TestAnnotationErrorNamesAnnotation(t *testing.T) {
	storage := runner.NewAnnotationStorage("example.com/state", runner.Fields[*plain]{Pipeline: plainPipeline})
	for name, tt := range map[string]struct{ text, want string }{
		"cut off": {`{"itinerary":`,
			`annotation "example.com/state" is not the state of a run; fix it, or remove it to start from the status: ` +
				`unexpected end of JSON input`},
		"of another client": {`"yes"`, "cannot unmarshal string"},
		"too large":         {strings.Repeat(" ", 256<<10) + "{}", "it has 262146 bytes, but all annotations of an object together may have 262144"},
	} {
		t.Run(name, func(t *testing.T) {
			object := &plain{}
			object.Annotations = map[string]string{"example.com/state": tt.text}
			state, err := storage.Read(context.Background(), object)
			var broken *runner.AnnotationError
			require.ErrorAs(t, err, &broken)
			require.Equal(t, "example.com/state", broken.Annotation)
			require.ErrorContains(t, err, tt.want)
			require.ErrorIs(t, err, broken.Err)
			require.Empty(t, cmp.Diff(runner.State{}, state), "no part of it is taken for a state")
		})
	}
}

// An annotation of any content is read at a cost linear in its size, or refused with a
// typed error. What was read can be written and read again.
func FuzzAnnotationStorage(f *testing.F) {
	for _, text := range forged() {
		if len(text) < 10_000 {
			f.Add(text, "Move", "Copy")
			f.Add(text[:len(text)-1], "Move", "Copy")
		}
	}
	for _, text := range []string{
		"", "{", "null", "{}", "[]", `"Move"`, "{}{}", "\x00", "{\"phase\":\"\xff\"}", `{"itinerary":"Move","itinerary":"CleanUp"}`,
		`{"attempts":9000000000000000000,"x":{"y":[1e999]}}`, `{"visit":1e400}`, `{"visit":9223372036854775808}`, `{"visit":0.5}`,
		`{"visit":"1"}`, `{"phase":1}`, `{"failures":"disk full"}`, `{"facts":[]}`, `{"entered":"yesterday"}`,
		`{"facts":{"true":["Volumes","Volumes","X"],"false":["Volumes"]}}`,
	} {
		f.Add(text, "Move", "Copy")
	}
	f.Add(`{"itinerary":"Move","phase":"Copy","workDone":true,"visit":3,"entered":"2020-09-13T12:26:42Z",`+
		`"retry":{"since":"2020-09-13T12:26:42Z","attempts":3,"error":"x","at":"2020-09-13T12:26:42Z","next":null},`+
		`"stopped":{"error":"x","since":null},"switches":[{"from":"Move","to":"CleanUp","reason":"Failed","at":null}],`+
		`"failures":[{"itinerary":"Move","phase":"Copy","reasons":["x"],"at":null,"visit":3}],"dropped":{"failures":1}}`, "Move", "Copy")
	f.Fuzz(func(t *testing.T, text, itinerary, phase string) {
		j := &job{Itinerary: itinerary, Phase: phase}
		j.Annotations = map[string]string{"example.com/state": text}
		var s runner.State
		var err error
		spent := allocated(func() { s, err = inTasks.Read(context.Background(), j) })
		// A failure of two bytes takes 96 in memory, and the list of them grows by copies.
		require.LessOrEqual(t, spent, 1<<20+512*uint64(len(text)))
		if err != nil {
			require.ErrorAs(t, err, new(*runner.AnnotationError))
			require.Empty(t, cmp.Diff(runner.State{}, s))
			return
		}
		require.NoError(t, inTasks.Write(context.Background(), j, s))
		again, err := inTasks.Read(context.Background(), j)
		// The runner replaces a year with five digits in UTC, and the zero time, before it
		// writes.
		if err != nil {
			require.ErrorAs(t, err, new(*runner.AnnotationError))
			return
		}
		sameSecond := func(a, b metav1.Time) bool { return a.Unix() == b.Unix() }
		require.Empty(t, cmp.Diff(s, again, cmpopts.EquateEmpty(), cmp.Comparer(sameSecond),
			cmp.Comparer(func(a, b *metav1.Time) bool {
				return a.IsZero() && b.IsZero() || a != nil && b != nil && sameSecond(*a, *b)
			})))
	})
}

func TestStorageThatCannotWorkIsRefused(t *testing.T) {
	text := func(*plain) *string { return new(string) }
	inSteps := runner.AlikeSteps(func(*plain) *[]*task { return nil })
	for name, tt := range map[string]struct {
		annotation string
		fields     runner.Fields[*plain]
		want       string
	}{
		"a key that no API server takes": {"a state", runner.Fields[*plain]{Pipeline: plainPipeline},
			`Storage: "a state" is not the key of an annotation: `},
		"no pipeline": {"state", runner.Fields[*plain]{},
			"Storage: Fields.Pipeline is missing; give a function that returns a pointer to the pipeline, or Steps"},
		"two pipelines": {"state", runner.Fields[*plain]{Pipeline: plainPipeline, Steps: inSteps},
			"Storage: Fields has both Pipeline and Steps; give one of them"},
		"a phase without an itinerary": {"state", runner.Fields[*plain]{Pipeline: plainPipeline, Phase: text},
			"Storage: Fields has only one of Itinerary and Phase; give both or neither"},
		"an itinerary without a phase": {"state", runner.Fields[*plain]{Pipeline: plainPipeline, Itinerary: text},
			"Storage: Fields has only one of Itinerary and Phase; give both or neither"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runner.New(runner.Options[*plain]{Storage: runner.NewAnnotationStorage(tt.annotation, tt.fields)})
			require.ErrorContains(t, err, tt.want)
		})
	}
}
