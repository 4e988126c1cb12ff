// Package race lets tests play fewer lives under the race detector, which makes
// them some ten times slower. The same tests play all of them without it, so the
// race detector only needs to see each kind of life.
package race

// Scaled returns full without the race detector, and reduced with it.
func Scaled[T any](full, reduced T) T {
	if Enabled {
		return reduced
	}
	return full
}
