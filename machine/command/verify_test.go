package command_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// What a catalogue tells verify of itself counts.
func TestVerifyKnowsTheCatalogue(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth", "Back")}
	code, out, stderr := execute(t, c, "", "verify", "--fail-level", "info")
	assert.Zero(t, code, out+stderr)

	c.Selected = []string{"Forth"}
	code, out, stderr = execute(t, c, "", "verify")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, verify.ItineraryUnreachable)
	assert.Equal(t, "kubectl letters: 1 finding at level warning or above\n", stderr)

	c.Suppress = []phases.Suppression{{Rule: verify.ItineraryUnreachable, Itinerary: "Back", Reason: "comes with the next release"}}
	code, out, stderr = execute(t, c, "", "verify")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "reason: comes with the next release")

	c.Runner = &verify.Runner{HasHandler: func(itinerary, _ string) bool { return itinerary == "Forth" }}
	code, out, _ = execute(t, c, "", "verify")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, verify.PhaseWithoutHandler)
}

func TestTheReleaseThatIsBuiltInHasAName(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	code, out, stderr := execute(t, c, "", "compat", "letters@current", "letters@current")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "upgrade from letters@current to letters@current")
	c.Name = "abc"
	code, _, stderr = execute(t, c, "", "compat", "abc@current", "letters@current")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `unknown release "letters@current"`)
	c.Name = "a b"
	code, _, stderr = execute(t, c, "", "verify")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `Name "a b" is not the name of a release`)
	c.Name, c.Suppress = "", []phases.Suppression{{Rule: "rides-alone"}}
	code, _, stderr = execute(t, c, "", "verify")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "Suppress[0]: ")
}
