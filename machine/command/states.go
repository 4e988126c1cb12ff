package command

import (
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// foundState is a state that an object holds.
type foundState struct {
	item  string
	state runner.State
}

func holdsState(text json.RawMessage, at string) bool { return false }

func findStates(text json.RawMessage, at string) ([]foundState, []error) { return nil, nil }
