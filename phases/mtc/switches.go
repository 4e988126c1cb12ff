package mtc

// Switch is a way from one itinerary to another: a migration leaves From for
// To. When completes "when": "a phase failed".
type Switch struct {
	From, To string
	When     string
}

// Switches returns the ways between [Itineraries], by the itinerary that is
// left. [Select] decides which one a migration takes. Each call makes a new
// list, so that a caller may change what it gets.
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
