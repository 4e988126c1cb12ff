package legacy

// Sum is the sum that a remainder of the status has, for tests that forge one.
// Of what is no status it is empty.
func Sum(text []byte) string {
	s, err := parseStatus(text)
	if err != nil {
		return ""
	}
	return s.sum()
}
