package verify

import (
	"fmt"
	"io"
	"time"
)

// The most that a file of acceptances holds.
const (
	MaxAcceptFileSize = 1 << 20
	MaxAcceptances    = 1_000
)

// Acceptance accepts a break that is intended, until a day.
type Acceptance struct {
	// Fingerprint is that of the break ([Break.Fingerprint]).
	Fingerprint string
	// Reason is why the break is acceptable. It must not be empty.
	Reason string
	// Expires is the last day on which the acceptance holds, in UTC.
	Expires time.Time
	// File and Line are where it is written; empty and zero if it is written in Go.
	File string
	Line int
}

// LoadAcceptances reads a file of acceptances, strictly:
//
//	accept:
//	- fingerprint: phase-gone/upgrade/Final/phase=EnsureQuiesced
//	  reason: no migration is in flight when this release is rolled out
//	  expires: 2027-03-31
//
// All three keys are mandatory, and a fingerprint stands once. The name stands for
// the file in messages. The error is an [*AcceptError]. At most
// [MaxAcceptFileSize] bytes and [MaxAcceptances] entries are read.
func LoadAcceptances(r io.Reader, name string) ([]Acceptance, error) {
	return nil, &AcceptError{File: name, Problem: "cannot be read"}
}

// AcceptError is a problem at one place of a file of acceptances.
type AcceptError struct {
	File    string
	Line    int // 0 if the place is not known
	Problem string
	Err     error // the cause, or nil
}

func (e *AcceptError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Unwrap returns the cause, or nil.
func (e *AcceptError) Unwrap() error { return e.Err }
