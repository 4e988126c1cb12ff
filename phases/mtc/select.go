package mtc

// Select returns the name of the itinerary that the migration is to follow,
// by mig-controller's order of precedence: Failed if the status holds
// errors or the condition Failed; else Cancel if spec.canceled is set or
// the condition Canceled or Canceling counts; else Rollback by spec.rollback;
// else Stage by spec.stage or spec.migrateState; else Final. A condition
// counts only with status "True".
//
// It does not ask whether the migration is done; [Current] does. m must not be
// nil. It is safe for concurrent use.
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

// Done reports whether the migration has come to its end: its recorded phase
// is [PhaseCompleted], which does no work and ends in done whatever the itinerary.
func Done(m *Migration) bool { return m.Status.Phase == PhaseCompleted }

// RecordedPhase returns the phase that the status records, under the name that
// itineraries have for it: the empty one is [PhaseCreated].
func RecordedPhase(m *Migration) string {
	if m.Status.Phase == "" {
		return PhaseCreated
	}
	return m.Status.Phase
}

// Current returns the name of the itinerary that the migration is on. A
// migration that is done never switches (promise 11 of the design): it stays
// on the itinerary that its status records, as long as that is one of
// [Itineraries]. Every other migration is on the one that [Select] names; its
// recorded phase means something only if the recorded itinerary is that
// one.
func Current(m *Migration) string {
	if Done(m) {
		switch m.Status.Itinerary {
		case Stage, Final, Cancel, Failed, Rollback:
			return m.Status.Itinerary
		}
	}
	return Select(m)
}
