package runner_test

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// backup is a custom resource. The user asks for another run with an annotation.
type backup struct {
	Annotations map[string]string
	Status      struct {
		runner.State
		Errors []string
	}
}

func backupOptions(upload func() (runner.Result, error)) runner.Options[*backup] {
	vocabulary := phases.MustVocabulary(nil)
	return runner.Options[*backup]{
		Itineraries: machine.MustCompileSet(
			phases.Itinerary{Name: "Backup", Vocabulary: vocabulary, Phases: []phases.Phase{
				{Name: "Snapshot", Step: "Volumes"}, {Name: "Upload", Step: "Upload"}, {Name: "Report", Step: "Finish"},
			}},
			phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Phases: []phases.Phase{{Name: "Tidy", Step: "CleanUp"}}},
		),
		Storage: runner.NewStatusStorage(func(b *backup) *runner.State { return &b.Status.State }),
		Sources: func(context.Context, *backup) (*phases.Sources, error) { return phases.NewSources(vocabulary) },
		Select: func(_ context.Context, b *backup) (string, error) {
			if len(b.Status.Errors) > 0 {
				return "CleanUp", nil
			}
			return "Backup", nil
		},
		OnFail: func(_ context.Context, b *backup, f runner.Failure) error {
			b.Status.Errors = append(b.Status.Errors, f.Reasons...)
			return nil
		},
		// Any new value of the annotation begins a new run: in the phase that failed,
		// if one did.
		Token: func(_ context.Context, b *backup) (string, runner.RunFrom, error) {
			from := runner.FromStart
			if b.Status.FailedAt != nil {
				from = runner.FromFailedPhase
			}
			return b.Annotations["example.com/run"], from, nil
		},
		// Select depends on the errors.
		OnRunAgain: func(_ context.Context, b *backup, _ runner.PastRun) error {
			b.Status.Errors = nil
			return nil
		},
		Phases: map[string]runner.Phase[*backup]{
			"Upload": {Handler: runner.HandlerFunc[*backup](func(context.Context, *backup) (runner.Result, error) { return upload() })},
		},
		PassThrough: true,
	}
}

func ExampleOptions_runAgain() {
	space := false
	r, err := runner.New(backupOptions(func() (runner.Result, error) {
		if !space {
			return runner.Fail("the bucket is full"), nil
		}
		return runner.Done(), nil
	}))
	if err != nil {
		panic(err)
	}
	b := &backup{Annotations: map[string]string{}}
	show := func() {
		for _, step := range b.Status.Pipeline {
			fmt.Printf("%s: %s\n", step.Name, step.Message)
		}
		fmt.Println("--")
	}
	run := func() {
		for out := (runner.Outcome{Requeue: true}); out.Requeue; {
			if out, err = r.Reconcile(context.Background(), b); err != nil {
				panic(err)
			}
		}
	}
	run()
	show()

	space = true
	b.Annotations["example.com/run"] = "again"
	if _, err := r.Reconcile(context.Background(), b); err != nil {
		panic(err)
	}
	show()
	run()
	show()
	past := b.Status.Runs[0]
	fmt.Printf("run %d: %s; before: %s in %s/%s\n", b.Status.Run, b.Status.Result, past.Result, past.Itinerary, past.Phase)
	// Output:
	// Volumes: Completed
	// Upload: Failed
	// CleanUp: Completed
	// --
	// Volumes: Completed
	// Upload: Upload
	// Finish: Not started
	// --
	// Volumes: Completed
	// Upload: Completed
	// Finish: Completed
	// --
	// run 2: Succeeded; before: Failed in Backup/Upload
}
