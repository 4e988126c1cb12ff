package verify

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// TB is the part of testing.TB that this package uses. A *testing.T is one.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// FrozenOptions are the options of [Frozen].
type FrozenOptions struct {
	// Update writes the present release to the file instead of comparing. Set it when a
	// release is made, for example by a flag of the test.
	Update bool
	// Accept is a file of acceptances ([LoadAcceptances]). If empty, there is none.
	Accept string
	// Level is the lowest severity that fails the test. If empty, it is [Warning].
	Level Severity
	// Now decides which acceptances have expired. If zero, it is the present time.
	Now time.Time
}

// Frozen compares the present release with the release in the file. It fails the test
// with each break that runs in flight meet in the upgrade to the present release, or in
// its rollback, if the break is not accepted and reaches the level. It also fails if a
// file cannot be read or written. A controller needs one line in its tests:
//
//	verify.Frozen(t, release, "testdata/last-release.yaml", verify.FrozenOptions{Update: *update})
func Frozen(t TB, present *Release, file string, o FrozenOptions) {
	t.Helper()
	if o.Update {
		var b bytes.Buffer
		err := present.Freeze(&b)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(file), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Clean(file), b.Bytes(), 0o644)
		}
		if err != nil {
			t.Errorf("cannot freeze the release: %v", err)
		}
		return
	}
	last, err := ReadRelease(file)
	if err != nil {
		t.Errorf("cannot read the frozen release; if there is none yet, run the test with Update: %v", err)
		return
	}
	var accepted []Acceptance
	if o.Accept != "" {
		text, err := os.ReadFile(o.Accept)
		if err == nil {
			accepted, err = LoadAcceptances(bytes.NewReader(text), o.Accept)
		}
		if err != nil {
			t.Errorf("cannot read the acceptances: %v", err)
			return
		}
	}
	level := o.Level
	if level == "" {
		level = Warning
	}
	for _, b := range Compat(last, present, CompatOptions{Acceptances: accepted, Now: o.Now}).Breaks {
		if b.Accepted == "" && b.Severity().Reaches(level) {
			t.Errorf("%s", b.report())
		}
	}
}

// report formats the break for a failed test: the direction, the problem, the state,
// and what to do.
func (b Break) report() string {
	text := fmt.Sprintf("%s: %s", b.Severity(), b.Rule)
	if b.Direction != "" {
		text += fmt.Sprintf(" (%s)", b.Direction)
	}
	text += ": "
	if b.Place != nil {
		text += b.Place.String() + ": "
	}
	text += b.Text
	if b.State != nil {
		text += "\nin flight: " + b.State.String()
	}
	if b.Suggestion != "" {
		text += "\nfix: " + b.Suggestion
	}
	if b.Acceptable() {
		text += "\nfingerprint: " + b.Fingerprint()
	}
	return text
}
