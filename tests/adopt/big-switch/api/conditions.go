package api

// The conditions of a migration.
const (
	Canceling        = "Canceling"
	Canceled         = "Canceled"
	Failed           = "Failed"
	Ready            = "Ready"
	ReconcileFailed  = "ReconcileFailed"
	Running          = "Running"
	StagePodsCreated = "StagePodsCreated"
	Succeeded        = "Succeeded"
)

// Condition is a condition of a migration.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Durable means that the condition survives a reconcile that does not set
	// it again.
	Durable bool `json:"durable,omitempty"`

	staged bool
}

// Conditions are staged: at the end of a reconcile, a condition is removed if
// it is not durable and was not set again.
type Conditions struct {
	List []Condition `json:"conditions,omitempty"`
}

// BeginStaging begins the staging of a reconcile.
func (c *Conditions) BeginStaging() {
	for i := range c.List {
		c.List[i].staged = c.List[i].Durable
	}
}

// EndStaging removes the conditions that the reconcile did not set again.
func (c *Conditions) EndStaging() {
	var kept []Condition
	for _, condition := range c.List {
		if condition.staged {
			kept = append(kept, condition)
		}
	}
	c.List = kept
}

// Set sets a condition to true.
func (c *Conditions) Set(condition Condition) {
	condition.Status, condition.staged = "True", true
	c.Delete(condition.Type)
	c.List = append(c.List, condition)
}

// Delete removes a condition.
func (c *Conditions) Delete(conditionType string) {
	for i := range c.List {
		if c.List[i].Type == conditionType {
			c.List = append(c.List[:i:i], c.List[i+1:]...)
			return
		}
	}
}

// Has reports whether one of the conditions is true.
func (c *Conditions) Has(conditionTypes ...string) bool {
	for _, condition := range c.List {
		for _, conditionType := range conditionTypes {
			if condition.Type == conditionType && condition.Status == "True" {
				return true
			}
		}
	}
	return false
}
