package debug

// Must returns what a constructor of this package has made, and panics with its
// error: for variables of packages.
//
//	var runs = debug.Must(debug.NewRecorder(debug.Options{Itineraries: itineraries}))
func Must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}
