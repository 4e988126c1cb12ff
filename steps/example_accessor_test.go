package steps_test

import (
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

var moving = machine.MustCompile(phases.Itinerary{
	Name:       "Move",
	Vocabulary: phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "HasVolumes"}}),
	Phases: []phases.Phase{
		{Name: "Check", Step: "Prepare"},
		{Name: "Copy", Step: "Volumes", Guard: phases.Guard{All: 1}},
		{Name: "Start", Step: "Restore"},
	},
})

func atCopy() steps.Snapshot {
	plan, err := moving.PlanFrom(machine.Position{Phase: "Copy"}, phases.NewFacts(1, 0))
	if err != nil {
		panic(err)
	}
	return steps.Snapshot{Plan: plan}
}

// Task is a controller's own step type.
type Task struct {
	Title   string
	Running bool
	Ended   bool
	Owner   string // not a field of a step
}

func ExampleSyncOf() {
	tasks := steps.Accessor[Task]{
		Get: func(t Task) steps.Step {
			s := steps.Step{Name: t.Title}
			if t.Running || t.Ended {
				s.Started = &startTime
			}
			if t.Ended {
				s.Completed = &startTime
			}
			return s
		},
		Set: func(t Task, to steps.Step) Task {
			t.Title, t.Running, t.Ended = to.Name, to.Open(), to.Completed != nil
			return t
		},
	}
	list := []Task{{Title: "Prepare", Running: true, Owner: "alice"}, {Title: "Volumes", Owner: "bob"}}
	for _, t := range steps.SyncOf(list, tasks, atCopy(), time.Unix(0, 0)) {
		fmt.Printf("%+v\n", t)
	}
	// Output:
	// {Title:Prepare Running:false Ended:true Owner:alice}
	// {Title:Volumes Running:true Ended:false Owner:bob}
	// {Title:Restore Running:false Ended:false Owner:}
}

// MyStep has the JSON of a step and its own fields.
type MyStep struct {
	Name    string `json:"name"`
	Phase   string `json:"phase,omitempty"`
	Message string `json:"message,omitempty"`
	Times
	Retries int `json:"retries,omitempty"`
}

func ExampleToAlike() {
	status := []MyStep{{Name: "Prepare", Message: "Checking", Retries: 3}}
	status[0].Started = &startTime
	pipeline, err := steps.FromAlike(status)
	if err != nil {
		fmt.Println(err)
		return
	}
	pipeline = steps.Sync(pipeline, atCopy(), time.Unix(0, 0))
	status, err = steps.ToAlike(pipeline, status)
	for _, s := range status {
		fmt.Printf("%s: %s, %d retries\n", s.Name, s.Message, s.Retries)
	}
	fmt.Println(err)
	// Output:
	// Prepare: Completed, 3 retries
	// Volumes: Copy, 0 retries
	// Restore: Not started, 0 retries
	// <nil>
}
