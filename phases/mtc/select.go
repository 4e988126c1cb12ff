package mtc

// Select returns the name of the itinerary that the state of the migration selects.
// The first match counts, as in mig-controller:
//
//   - Failed, if the status has errors or the condition Failed
//   - Cancel, if spec.canceled is set or the condition Canceled or Canceling is true
//   - Rollback, if spec.rollback is set
//   - Stage, if spec.stage or spec.migrateState is set
//   - Final
//
// A condition counts only if its status is "True". Select ignores whether the
// migration is done; see [Current]. m must not be nil. Select is safe for
// concurrent use.
func Select(m *Migration) string {
	switch {
	case len(m.Status.Errors) > 0 || m.Status.Conditions.Has(conditionFailed):
		return Failed
	case m.Spec.Canceled || m.Status.Conditions.Has(conditionCanceled, conditionCanceling):
		return Cancel
	case m.Spec.Rollback:
		return Rollback
	case m.Spec.Stage || m.Spec.MigrateState:
		return Stage
	}
	return Final
}

// Done reports whether the migration is done: its recorded phase is
// [PhaseCompleted], the end phase of every itinerary. m must not be nil.
func Done(m *Migration) bool { return m.Status.Phase == PhaseCompleted }

// RecordedPhase returns the phase that the status records, or [PhaseCreated] if
// that is empty. m must not be nil.
func RecordedPhase(m *Migration) string {
	if m.Status.Phase == "" {
		return PhaseCreated
	}
	return m.Status.Phase
}

// Current returns the name of the itinerary that the migration is on. A migration
// that is done never switches: it stays on the itinerary that its status records, if
// that is one of [Itineraries]. Any other migration is on the itinerary that [Select]
// returns; its recorded phase is meaningful only if the recorded itinerary is the
// same. m must not be nil. Current is safe for concurrent use.
func Current(m *Migration) string {
	if Done(m) {
		switch m.Status.Itinerary {
		case Stage, Final, Cancel, Failed, Rollback:
			return m.Status.Itinerary
		}
	}
	return Select(m)
}
