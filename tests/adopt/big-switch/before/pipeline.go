package before

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
)

// stepCleanup is the last step of every itinerary.
const stepCleanup = "Cleanup"

// task is one reconcile of a migration. It finds the next phase itself.
type task struct {
	*controller.Task
	itinerary itinerary
	step      string
	now       func() time.Time
}

// init finds the itinerary and the phase.
func (t *task) init(ctx context.Context) error {
	t.itinerary = itineraries[t.Selected()]
	t.Itinerary = t.itinerary.name
	if t.Owner.Status.Itinerary != t.itinerary.name {
		t.Phase = t.itinerary.phases[0].name
	}
	t.step = t.stepOf(t.Phase)
	return t.initPipeline(ctx)
}

// stepOf returns the step of a phase.
func (t *task) stepOf(name string) string {
	for _, p := range t.itinerary.phases {
		if p.name == name {
			return p.step
		}
	}
	return ""
}

// initPipeline lists the steps when an itinerary begins.
func (t *task) initPipeline(ctx context.Context) error {
	status := &t.Owner.Status
	if status.Itinerary != t.itinerary.name {
		for _, p := range t.itinerary.phases {
			if status.Step(p.step) != nil {
				continue
			}
			runs, err := t.runs(ctx, p)
			if err != nil {
				return err
			}
			if runs {
				status.Pipeline = append(status.Pipeline, &api.Step{Name: p.step, Message: "Not started"})
			}
		}
	}
	t.show()
	return nil
}

// show shows the phase on its step.
func (t *task) show() {
	step := t.Owner.Status.Step(t.step)
	if step == nil {
		return
	}
	if step.Started == nil {
		step.Started = t.time()
	}
	step.Phase, step.Message = t.Phase, t.Phase
	if t.Progress != nil {
		step.Progress = t.Progress
	}
}

func (t *task) time() *metav1.Time {
	now := metav1.NewTime(t.now().UTC().Truncate(time.Second))
	return &now
}

// updatePipeline updates the steps to the current phase.
func (t *task) updatePipeline() {
	current := t.Owner.Status.Step(t.step)
	behind := slices.Index(t.Owner.Status.Pipeline, current)
	for i, step := range t.Owner.Status.Pipeline {
		switch {
		case step == current:
		case step.Started != nil && step.Completed == nil:
			step.Completed = t.time()
			step.Message = "Completed"
		case step.Started == nil && i < behind:
			step.Skipped = true
			step.Message = "Skipped"
		}
	}
	t.show()
	if current != nil && t.Phase == controller.Completed {
		current.Completed = t.time()
		current.Message = "Completed"
	}
}

// next leaves the phase for the next one whose flags allow it.
func (t *task) next(ctx context.Context) error {
	at := slices.IndexFunc(t.itinerary.phases, func(p phase) bool { return p.name == t.Phase })
	if at >= 0 {
		for _, p := range t.itinerary.phases[at+1:] {
			runs, err := t.runs(ctx, p)
			if err != nil {
				return err
			}
			if runs {
				t.Phase, t.step = p.name, p.step
				return nil
			}
		}
	}
	t.Phase, t.step = controller.Completed, stepCleanup
	return nil
}

// fail ends the itinerary.
func (t *task) fail(reasons []string) {
	if step := t.Owner.Status.Step(t.step); step != nil {
		step.Failed = true
	}
	t.AddFailure(reasons)
	t.Phase, t.step = controller.MigrationFailed, stepCleanup
}

// runs reports whether the flags of a phase allow it.
func (t *task) runs(ctx context.Context, p phase) (bool, error) {
	all, err := t.allFlags(ctx, p)
	if err != nil || !all {
		return false, err
	}
	return t.anyFlags(ctx, p)
}

// allFlags reports whether all flags that a phase needs are true. It lists
// image streams for every phase, unless an earlier flag settles the result.
func (t *task) allFlags(ctx context.Context, p phase) (bool, error) {
	for _, f := range t.flags() {
		needed := p.all&f.flag != 0
		if !needed && f.flag != hasISs {
			continue
		}
		holds, err := f.holds(ctx)
		if err != nil || needed && !holds {
			return false, err
		}
	}
	return true, nil
}

// anyFlags reports whether at least one of the alternative flags of a phase is
// true. It lists image streams like allFlags.
func (t *task) anyFlags(ctx context.Context, p phase) (bool, error) {
	for _, f := range t.flags() {
		needed := p.any&f.flag != 0
		if !needed && f.flag != hasISs {
			continue
		}
		holds, err := f.holds(ctx)
		if err != nil || needed && holds {
			return holds && err == nil, err
		}
	}
	return p.any == 0, nil
}

type flag struct {
	flag  uint32
	holds func(context.Context) (bool, error)
}

func (t *task) flags() []flag {
	return []flag{
		{quiesce, t.Quiesce},
		{hasStagePods, t.HasStagePods},
		{hasPVs, t.HasPVs},
		{hasVerify, t.HasVerify},
		{hasISs, t.HasImageStreams},
		{directImage, t.DirectImage},
		{indirectImage, t.IndirectImage},
		{directVolume, t.DirectVolume},
		{indirectVolume, t.IndirectVolume},
		{hasStageBackup, t.HasStageBackup},
		{enableImage, t.EnableImage},
		{enableVolume, t.EnableVolume},
		{hasPreBackupHooks, t.HasPreBackupHooks},
		{hasPostBackupHooks, t.HasPostBackupHooks},
		{hasPreRestoreHooks, t.HasPreRestoreHooks},
		{hasPostRestoreHooks, t.HasPostRestoreHooks},
		{storageConversion, t.StorageConversion},
		{liveVMMigration, t.LiveVMMigration},
	}
}
