package runner

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StateError is returned for JSON that is not the state of a run.
type StateError struct {
	Err error
}

func (e *StateError) Error() string { return "not the state of a run: " + e.Err.Error() }

// Unwrap returns the error of the JSON decoder.
func (e *StateError) Unwrap() error { return e.Err }

// DecodeState reads a state from JSON, such as a status or the annotation of
// [NewAnnotationStorage], which has no pipeline. Since users can edit it, numbers and
// texts that are out of range are brought into range, in time and memory linear in the
// size of the text. Times are not compared with a clock, and a missing time stays
// missing. Unknown members are ignored, so DecodeState reads any JSON object: see
// [IsState]. The error is a [*StateError].
func DecodeState(text []byte) (State, error) {
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, &StateError{err}
	}
	s.check(metav1.Time{})
	return s, nil
}

// IsState reports whether text is a JSON object that a runner wrote as a state, judged
// by its shape alone. It must have at least one of:
//
//   - facts with a hash,
//   - a positive number of the visit,
//   - a retry with one of the kinds of [RetryKind],
//   - the reason and the time of a stop,
//   - the time since which the run is paused; all other members must then belong to a
//     state or be conditions or observedGeneration, which any status may have.
//
// Other members do not count, since the statuses of other controllers may also have an
// itinerary, a phase and a pipeline. A state with an error in another member is still a
// state, though [DecodeState] may refuse it.
func IsState(text []byte) bool {
	var of map[string]json.RawMessage
	if json.Unmarshal(text, &of) != nil {
		return false
	}
	var (
		facts struct {
			Hash string `json:"hash"`
		}
		visit int64
		retry struct {
			Kind RetryKind `json:"kind"`
		}
		stopped struct {
			Error string    `json:"error"`
			Since time.Time `json:"since"`
		}
		pausedSince time.Time
	)
	switch has := func(name string, v any) bool { return of[name] != nil && json.Unmarshal(of[name], v) == nil }; {
	case has("facts", &facts) && facts.Hash != "",
		has("visit", &visit) && visit > 0,
		has("retry", &retry) && slices.Contains([]RetryKind{RetryHandler, RetryFlags, RetryOptions}, retry.Kind),
		has("stopped", &stopped) && stopped.Error != "" && !stopped.Since.IsZero():
		return true
	case has("pausedSince", &pausedSince) && !pausedSince.IsZero():
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		return d.Decode(new(struct {
			State
			Conditions         json.RawMessage `json:"conditions"`
			ObservedGeneration json.RawMessage `json:"observedGeneration"`
		})) == nil
	}
	return false
}
