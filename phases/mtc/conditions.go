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

// Condition is a condition in the status of an object. It counts only if Status is
// "True".
type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// counts reports whether the condition has that type and status "True".
func (c Condition) counts(conditionType string) bool {
	return c.Type == conditionType && c.Status == "True"
}

// Conditions are the conditions of an object's status.
type Conditions []Condition

// ConditionsFrom converts an embedder's own type of conditions. It calls find once
// for each type of condition that this package reads; find returns the status and
// the reason of that condition. An empty status means that there is none or that
// it must not count. For example, at the end of a reconcile mig-controller drops
// each condition that is neither durable nor staged during that reconcile.
func ConditionsFrom(find func(conditionType string) (status, reason string)) Conditions {
	var found Conditions
	for _, t := range conditionTypes {
		if status, reason := find(t); status != "" {
			found = append(found, Condition{Type: t, Status: status, Reason: reason})
		}
	}
	return found
}

// True returns the first condition of that type with status "True", and reports
// whether there is one.
func (c Conditions) True(conditionType string) (Condition, bool) {
	for _, one := range c {
		if one.counts(conditionType) {
			return one, true
		}
	}
	return Condition{}, false
}

// Has reports whether a condition of one of the types has status "True".
func (c Conditions) Has(conditionTypes ...string) bool {
	for _, t := range conditionTypes {
		if _, ok := c.True(t); ok {
			return true
		}
	}
	return false
}
