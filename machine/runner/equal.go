package runner

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Equal reports whether both states are the same once they are written: times are
// compared as instants, and an empty list equals nil.
func (s *State) Equal(other *State) bool {
	if s == nil || other == nil {
		return s == other
	}
	return equalCheckpoints(&s.Checkpoint, &other.Checkpoint) &&
		s.Visit == other.Visit && s.PausedSeconds == other.PausedSeconds && s.SwitchHeld == other.SwitchHeld &&
		s.Result == other.Result && s.FailedPhases == other.FailedPhases && s.FailedInCleanup == other.FailedInCleanup &&
		s.Run == other.Run &&
		s.Entered.Equal(other.Entered) && s.Deadline.Equal(other.Deadline) && s.WaitingSince.Equal(other.WaitingSince) &&
		s.PausedSince.Equal(other.PausedSince) && s.RunStarted.Equal(other.RunStarted) &&
		equalPointers(s.Retry, other.Retry, equalRetries) &&
		equalPointers(s.Stopped, other.Stopped, func(a, b *Stop) bool { return a.Error == b.Error && equalTimes(a.Since, b.Since) }) &&
		equalPointers(s.Dropped, other.Dropped, func(a, b *Dropped) bool { return *a == *b }) &&
		equalPointers(s.FailedAt, other.FailedAt, func(a, b *FailedAt) bool { return *a == *b }) &&
		equalPointers(s.Token, other.Token, func(a, b *string) bool { return *a == *b }) &&
		equalLists(s.Switches, other.Switches, equalSwitches) &&
		equalLists(s.Failures, other.Failures, equalFailures) &&
		equalLists(s.Runs, other.Runs, equalRuns) &&
		equalLists(s.Pipeline, other.Pipeline, equalSteps)
}

func equalCheckpoints(a, b *machine.Checkpoint) bool {
	return a.Itinerary == b.Itinerary && a.Phase == b.Phase && a.Step == b.Step && a.WorkDone == b.WorkDone &&
		a.Choice == b.Choice && a.Done == b.Done &&
		a.NotBefore.Equal(b.NotBefore) && a.FlagsEvaluated.Equal(b.FlagsEvaluated) && equalFacts(&a.Facts, &b.Facts)
}

func equalFacts(a, b *phases.Record) bool {
	return a.Hash == b.Hash && slices.Equal(a.True, b.True) && slices.Equal(a.False, b.False) && slices.Equal(a.Unknown, b.Unknown)
}

func equalRetries(a, b *Retry) bool {
	return a.Kind == b.Kind && slices.Equal(a.Flags, b.Flags) && a.Attempts == b.Attempts && a.Error == b.Error &&
		equalTimes(a.Since, b.Since) && equalTimes(a.At, b.At) && equalTimes(a.Next, b.Next)
}

func equalSwitches(a, b *Switch) bool {
	return a.From == b.From && a.Phase == b.Phase && a.To == b.To && a.Reason == b.Reason && equalTimes(a.At, b.At)
}

func equalFailures(a, b *Failure) bool {
	return a.Itinerary == b.Itinerary && a.Phase == b.Phase && slices.Equal(a.Reasons, b.Reasons) &&
		equalTimes(a.At, b.At) && a.Visit == b.Visit
}

func equalRuns(a, b *PastRun) bool {
	return a.Result == b.Result && a.Itinerary == b.Itinerary && a.Phase == b.Phase &&
		equalTimes(a.Started, b.Started) && equalTimes(a.Ended, b.Ended)
}

func equalSteps(a, b *steps.Step) bool {
	return a.Name == b.Name && a.Phase == b.Phase && a.Message == b.Message && a.Failed == b.Failed && a.Skipped == b.Skipped &&
		a.Started.Equal(b.Started) && a.Completed.Equal(b.Completed) && slices.Equal(a.Progress, b.Progress)
}

func equalTimes(a, b metav1.Time) bool { return a.Time.Equal(b.Time) }

func equalPointers[V any](a, b *V, equal func(a, b *V) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a, b)
}

func equalLists[V any](a, b []V, equal func(a, b *V) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(&a[i], &b[i]) {
			return false
		}
	}
	return true
}
