package mtc

import "github.com/konveyor/dynamic-pipeline/phases"

// Selected returns the names of all itineraries that [Select] can return, for
// package machine/verify. Each call returns a new list.
func Selected() []string { return []string{Stage, Final, Cancel, Failed, Rollback} }

// Suppressed returns the findings of package machine/verify about [Itineraries] that
// are intended, with reasons. Each call returns a new list.
func Suppressed() []phases.Suppression {
	return []phases.Suppression{{
		Rule: "step-cut-in-two", Itinerary: Rollback, Step: CleanupMigrated,
		Reason: "upstream moves live virtual machines back between the two halves: " +
			"after the applications are scaled down, and before their volumes are deleted",
	}}
}
