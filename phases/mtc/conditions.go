package mtc

// The types of conditions of a MigMigration and a MigPlan that this package
// reads.
const (
	conditionFailed           = "Failed"
	conditionCanceled         = "Canceled"
	conditionCanceling        = "Canceling"
	conditionStagePodsCreated = "StagePodsCreated"
	conditionMigrationType    = "MigrationTypeIdentified"
)

var conditionTypes = []string{conditionFailed, conditionCanceled, conditionCanceling, conditionStagePodsCreated, conditionMigrationType}

// Condition is one of the conditions of an object's status. It counts only
// while Status is "True".
type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// counts reports whether the condition is of that type and counts.
func (c Condition) counts(conditionType string) bool {
	return c.Type == conditionType && c.Status == "True"
}

// Conditions are the conditions of an object's status.
type Conditions []Condition

// ConditionsFrom makes Conditions of a type of the embedder's own. It calls
// find once with each type of condition that this package reads; find returns
// the status and the reason of that condition, and an empty status if there is
// none or if it must not count: mig-controller stages conditions, and one that is
// not durable and that the reconcile has not staged is dropped at its end.
func ConditionsFrom(find func(conditionType string) (status, reason string)) Conditions {
	var found Conditions
	for _, t := range conditionTypes {
		if status, reason := find(t); status != "" {
			found = append(found, Condition{Type: t, Status: status, Reason: reason})
		}
	}
	return found
}

// True returns the first condition of that type which counts, and whether
// there is one.
func (c Conditions) True(conditionType string) (Condition, bool) {
	for _, one := range c {
		if one.counts(conditionType) {
			return one, true
		}
	}
	return Condition{}, false
}

// Has reports whether a condition of one of these types counts.
func (c Conditions) Has(conditionTypes ...string) bool {
	for _, t := range conditionTypes {
		if _, ok := c.True(t); ok {
			return true
		}
	}
	return false
}
