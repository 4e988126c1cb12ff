package steps_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// A small backup controller has two flags and two itineraries.
const (
	HasVolumes phases.Flags = 1 << iota
	HasHook
)

var flags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: HasVolumes, Name: "HasVolumes", Description: "the application has volumes"},
	{Flag: HasHook, Name: "HasHook", Description: "a hook runs before the backup"},
})

var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Validate", Step: "Prepare", Description: "Checking the application"},
		{Name: "RunHook", Step: "Hooks", Guard: phases.Guard{All: HasHook}},
		{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: HasVolumes}, Description: "Taking snapshots"},
		{Name: "Upload", Step: "Upload"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: flags, Cleanup: true, Phases: []phases.Phase{
		{Name: "DeleteSnapshots", Step: "CleanUp", Guard: phases.Guard{All: HasVolumes}},
		{Name: "Report", Step: "CleanUp"},
	}},
)

// Backup is the custom resource. The library needs the checkpoint and the pipeline persisted.
type Backup struct {
	Canceled bool
	Status   struct {
		Checkpoint machine.Checkpoint
		Pipeline   steps.Pipeline
	}
}

// Controller holds the embedder's own parts: the sources of flags, and the work.
type Controller struct {
	Sources func(ctx context.Context) (*phases.Sources, error)
	Work    func(ctx context.Context, phase string) (done bool, err error)
	Now     func() time.Time
}

// Reconcile advances a backup by at most one phase. The caller writes the object, even if there is
// an error, and calls again until the backup is done.
func (c *Controller) Reconcile(ctx context.Context, b *Backup) (done bool, err error) {
	selected := "Backup"
	if b.Canceled {
		selected = "CleanUp"
	}
	m, err := itineraries.Resume(b.Status.Checkpoint, selected)
	if err != nil {
		return false, err
	}
	if m.Position().Done {
		return true, nil
	}
	if m.Switched { // show the interrupted step
		b.Status.Pipeline = steps.Sync(b.Status.Pipeline, steps.Snapshot{Plan: m.Plan()}, c.Now())
	}

	if phase := m.Position().Phase; phase != "" && !m.WorkDone() {
		if done, err := c.Work(ctx, phase); err != nil || !done {
			return false, err
		}
		m.Finish() // the flags that the phase decides are unknown now
	}
	// Evaluate the flags that the next move depends on, and advance.
	_, err = m.Settle(ctx, machine.SettleOptions{Sources: c.Sources})

	b.Status.Checkpoint = m.Checkpoint()
	b.Status.Pipeline = steps.Sync(b.Status.Pipeline, steps.Snapshot{Plan: m.Plan()}, c.Now())
	return m.Position().Done, err
}

func Example() {
	flag := func(flag phases.Flags, value bool) phases.Source {
		return phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.TruthOf(value), nil
		}}
	}
	clock := time.Date(2021, 2, 4, 10, 0, 0, 0, time.UTC)
	c := &Controller{
		Sources: func(context.Context) (*phases.Sources, error) {
			return phases.NewSources(flags, flag(HasVolumes, true), flag(HasHook, false))
		},
		Work: func(context.Context, string) (bool, error) { return true, nil },
		Now:  func() time.Time { clock = clock.Add(time.Minute); return clock },
	}
	backup := &Backup{}
	for done := false; !done; {
		var err error
		if done, err = c.Reconcile(context.Background(), backup); err != nil {
			fmt.Println(err)
			return
		}
		var line []string
		for _, step := range backup.Status.Pipeline {
			line = append(line, step.Name+": "+step.Message)
		}
		fmt.Println(strings.Join(line, " | "))
	}
	// Output:
	// Prepare: Checking the application | Volumes: Not started | Upload: Not started
	// Prepare: Completed | Volumes: Taking snapshots | Upload: Not started
	// Prepare: Completed | Volumes: Completed | Upload: Upload
	// Prepare: Completed | Volumes: Completed | Upload: Completed
}
