package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// timed and task are an embedder's own type of a step.
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

func TestStepsOfAnotherTypeAreReadAsTheyWereWritten(t *testing.T) {
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
