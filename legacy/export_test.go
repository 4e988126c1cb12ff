package legacy

// Sum returns the sum that a remainder of the status has, for tests that forge
// one. It is empty if text is not a status.
func Sum(text []byte) string {
	s, err := parseStatus(text)
	if err != nil {
		return ""
	}
	return s.sum()
}
