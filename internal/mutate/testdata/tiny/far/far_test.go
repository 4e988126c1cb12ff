package far

import "testing"

func TestAway(t *testing.T) {
	if !Away() {
		t.Error("Away() = false, want true")
	}
}
