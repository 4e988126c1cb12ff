package runner_test

import (
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// A support engineer has the status of an object, and wants to know whether its run is
// stuck.
func ExampleState_Status() {
	status := []byte(`{
		"itinerary": "Move", "phase": "Copy", "facts": {"hash": "1f"}, "visit": 2,
		"entered": "2026-11-20T11:00:00Z", "deadline": "2026-11-20T14:00:01Z",
		"retry": {
			"kind": "Handler", "since": "2026-11-20T11:48:00Z", "attempts": 9, "error": "no route to host",
			"at": "2026-11-20T11:56:31Z", "next": "2026-11-20T12:00:47Z"
		}
	}`)
	if !runner.IsState(status) {
		return
	}
	state, err := runner.DecodeState(status)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := state.Status(now)
	fmt.Printf("%s in %s since %s: %s\n", s.Activity, s.Phase, s.Since.Format(time.TimeOnly), s.Message)
	fmt.Printf("%d attempts, the next at %s, until %s\n", s.Attempts, s.Next.Format(time.TimeOnly), s.Deadline.Format(time.TimeOnly))
	fmt.Println("stuck for 30 minutes:", s.Stuck(30*time.Minute))
	// Output:
	// Retrying in Copy since 11:48:00: no route to host
	// 9 attempts, the next at 12:00:47, until 14:00:01
	// stuck for 30 minutes: true
}
