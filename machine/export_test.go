package machine

// WithoutOutcomes plans by the walk alone until the function that it returns is
// called, as for an itinerary of too many phases and flags.
func WithoutOutcomes() (restore func()) {
	before := maxOutcomes
	maxOutcomes = 0
	return func() { maxOutcomes = before }
}
