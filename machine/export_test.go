package machine

// WithoutOutcomes plans with the walk alone until the returned function is called, as for an
// itinerary with too many phases and flags.
func WithoutOutcomes() (restore func()) {
	before := maxOutcomes
	maxOutcomes = 0
	return func() { maxOutcomes = before }
}
