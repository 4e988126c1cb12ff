package list_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// kinds lists the intended differences between before and after, each with its
// reason.
var kinds = []struct {
	name, reason string
	differs      func(l *life, before, after trace) bool
}{
	{
		"the cutover meets another turn of the loop",
		"after, a place is free in the reconcile in which a run ends, not one later, and an error of one does not discard the reconcile of the others",
		func(_ *life, b, a trace) bool {
			return slices.Equal(oneTurn(b.phases), oneTurn(a.phases)) && b.ended() == a.ended()
		},
	},
	{
		"a cancel meets the end of its phase",
		"which of them counts depends on the reconciles whose writes are lost, and these meet other phases",
		func(l *life, b, a trace) bool {
			return slices.Equal(oneTurn(b.phases), oneTurn(a.phases)) && l.cancels[a.vm.Name] == a.last()
		},
	},
	{
		"a hook is added half-way",
		"before, its phase is entered without a step, and ends the migration; after, the run keeps to its plan",
		func(l *life, b, a trace) bool {
			return l.hooked && b.last() == migration.PostHook && b.vm.FindStep(migration.PostHook) == nil && a.continues(b)
		},
	},
	{
		"the inventory does not answer",
		"before, the migration fails; after, the flag is known already, or is evaluated again",
		func(l *life, b, a trace) bool { return b.failedBy(sim.ErrDown) && a.continues(b) },
	},
}

// trace is the course of one virtual machine.
type trace struct {
	phases []string
	vm     *api.VMStatus
}

func (c *course) trace(name string) trace {
	vm := c.server.Plan().Status.Migration.FindVM(name)
	return trace{append(slices.Clone(c.world.Visits[name]), vm.Phase), vm}
}

func (t trace) String() string { return strings.Join(t.phases, " ") + ": " + t.ended() }

// ended returns how a virtual machine has ended.
func (t trace) ended() string { return t.vm.Conditions[0].Type }

func (t trace) failedBy(err error) bool {
	return t.vm.Error != nil && slices.Contains(t.vm.Error.Reasons, err.Error())
}

// last returns the last phase that was worked on.
func (t trace) last() string { return t.phases[len(t.phases)-2] }

// continues reports whether t has the phases of another trace that ended early,
// and more.
func (t trace) continues(early trace) bool {
	was, is := withoutHook(oneTurn(early.phases[:len(early.phases)-1])), withoutHook(oneTurn(t.phases))
	return len(was) < len(is) && slices.Equal(was, is[:len(was)])
}

// oneTurn returns the phases with all turns of the loop reduced to one.
func oneTurn(all []string) (one []string) {
	for _, phase := range all {
		switch phase {
		case migration.RemovePreviousSnapshot, migration.WaitForPreviousSnapshotRemoval, migration.CreateSnapshot,
			migration.WaitForSnapshot, migration.StoreSnapshotDeltas, migration.AddCheckpoint:
			continue
		case migration.CopyDisks, migration.CopyingPaused:
			if slices.Contains(one, phase) {
				continue
			}
		}
		one = append(one, phase)
	}
	return one
}

func withoutHook(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(phase string) bool { return phase == migration.PostHook })
}

const same = "the same phases"

func kindOf(l *life, was, is trace) string {
	if slices.Equal(was.phases, is.phases) && was.ended() == is.ended() {
		return same
	}
	for _, k := range kinds {
		if k.differs(l, was, is) {
			return k.name
		}
	}
	return ""
}

// started returns the steps that have started, each with whether it failed, sorted.
func started(vm *api.VMStatus) []string {
	var names []string
	for _, step := range vm.Pipeline {
		if step.Started != nil {
			names = append(names, fmt.Sprintf("%s %t", step.Name, step.Error != nil))
		}
	}
	slices.Sort(names)
	return names
}
