package debug

// Must returns the result of a constructor of this package and panics on an error. It is
// meant for package variables.
//
//	var runs = debug.Must(debug.NewRecorder(debug.Options{Itineraries: itineraries}))
func Must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}
