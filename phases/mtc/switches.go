package mtc

// Switch is a possible switch between itineraries: a migration leaves From for To.
// When is the condition as a clause, such as "a phase failed".
type Switch struct {
	From, To string
	When     string
}

// Switches returns the usual switches between [Itineraries], ordered by From. [Select]
// determines which of them a migration makes, and also rolls back a migration that runs
// or cancels one that failed. Each call returns a new list, which the caller may change.
func Switches() []Switch {
	const failed, canceled = "a phase failed", "it is canceled"
	return []Switch{
		{Stage, Failed, failed},
		{Stage, Cancel, canceled},
		{Final, Failed, failed},
		{Final, Cancel, canceled},
		{Rollback, Cancel, canceled},
	}
}
