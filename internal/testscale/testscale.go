package testscale

// Of returns reduced if [Reduced], and otherwise full.
func Of[T any](full, reduced T) T {
	if Reduced {
		return reduced
	}
	return full
}
