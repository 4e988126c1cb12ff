package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// verify uses the fields of the catalogue.
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

func TestFixErrorHidesNoFinding(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	file := filepath.Join(t.TempDir(), "f.yaml")
	const text = "flags: [{name: A}]\nitineraries:\n- name: X\n  phases:\n  - ? decides\n    : - A\n    name: P\n    step: S\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	code, out, stderr := execute(t, c, "", "verify", "-i", file, "--fix")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "remove by hand what the findings name")
	assert.Contains(t, out, "no guard reads flag")
	assert.Contains(t, out, "1 itinerary, 19 rules: ")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, text, string(got))
}

func TestFixRepeats(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	file := filepath.Join(t.TempDir(), "f.yaml")
	const rest = "itineraries:\n- name: X\n  phases:\n  - {name: P, step: S, all: [A"
	require.NoError(t, os.WriteFile(file, []byte("flags: [{name: A}, {name: B}]\nrelations:\n- ['!A', B]\n"+rest+", B]}\n"), 0o644))
	code, diff, _ := execute(t, c, "", "verify", "-i", file, "--fix", "--dry-run")
	assert.Zero(t, code)
	assert.Contains(t, diff, "+flags: [{name: A}]\n", "B is read by nothing once the guard is without it")

	code, out, stderr := execute(t, c, "", "verify", "-i", file, "--fix", "--fail-level", "info")
	assert.Zero(t, code, out)
	assert.Contains(t, stderr, "fixed 2 findings: guard-redundant-flag (X, phase P, flag B), flag-never-read (flag B)\n")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "flags: [{name: A}]\n"+rest+"]}\n", string(got))
}

func TestVerifyUnreadableFileHidesNoOther(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	require.NoError(t,
		os.WriteFile(good, []byte("flags: [{name: A}]\nitineraries:\n- name: X\n  phases:\n  - {name: P, step: S}\n"), 0o644))
	require.NoError(t, os.WriteFile(bad, []byte("flags: [A]\nitineraries: []\n"), 0o644))
	code, out, stderr := execute(t, c, "", "verify", "-i", bad, "-i", good, "-i", filepath.Join(dir, "none.yaml"))
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "no guard reads flag")
	assert.Contains(t, out, "1 itinerary, 19 rules: ")
	assert.Contains(t, stderr, "bad.yaml:1:9: a flag must be a mapping")
	assert.Contains(t, stderr, "none.yaml: no such file or directory")

	code, out, _ = execute(t, c, "", "verify", "--freeze", "-", "-i", bad)
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	for _, twice := range [][]string{{"-i", bad, "-i", bad}, {"-i", bad + "#X", "-i", bad}, {"-i", bad, "-i", bad + "#X"}} {
		code, _, stderr = execute(t, c, "", append([]string{"verify"}, twice...)...)
		assert.Equal(t, 2, code, twice)
		assert.Contains(t, stderr, "is given twice")
	}
	code, _, stderr = execute(t, c, "", "verify", "--freeze", "-", "-i", good, "-i", bad)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "--freeze writes one release")
}

func TestFixOfAFileWithTwoNames(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "f.yaml"), filepath.Join(dir, "link.yaml")
	text := "flags: [{name: A}, {name: B}]\nrelations:\n- ['!A', B]\nitineraries:\n"
	for _, name := range []string{"X", "Y"} {
		text += "- name: " + name + "\n  phases:\n  - {name: P, step: S, all: [A, B]}\n"
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	require.NoError(t, os.Symlink("f.yaml", link))
	code, _, stderr := execute(t, c, "", "verify", "--fix", "-i", file+"#X", "-i", link+"#Y")
	assert.Zero(t, code, stderr)
	assert.Equal(t,
		"kubectl letters: note: "+file+": fixed 2 findings: guard-redundant-flag (X, phase P, flag B), guard-redundant-flag (Y, phase "+
			"P, flag B)\n",
		stderr)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(text, "all: [A, B]", "all: [A]"), string(got))
}

func TestFreezeNamesAFileThatCannotBeWritten(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	dir := t.TempDir()
	code, _, stderr := execute(t, c, "", "verify", "--freeze", filepath.Join(dir, "none", "f.yaml"))
	assert.Equal(t, 1, code)
	assert.Equal(t,
		"kubectl letters: --freeze: no file can be created in "+filepath.Join(dir, "none")+": no such file or directory\n", stderr)

	link := filepath.Join(dir, "link.yaml")
	require.NoError(t, os.Symlink("gone.yaml", link))
	code, _, stderr = execute(t, c, "", "verify", "--freeze", link)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "link.yaml is a link to a missing file; create that file, or name another")
	_, err := os.Readlink(link)
	assert.NoError(t, err, "it is still a link")
}

func TestBuiltInReleaseName(t *testing.T) {
	c := command.Catalogue{Command: "kubectl letters", Itineraries: letters(t, "Forth")}
	code, out, stderr := execute(t, c, "", "compat", "letters@current", "letters@current")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "upgrade from letters@current to letters@current")
	code, out, stderr = execute(t, c, "", "compat", "letters@current", "letters@current#Forth")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "rollback from letters@current#Forth to letters@current")
	code, _, stderr = execute(t, c, "", "compat", "letters@current", "letters@current#Fort")
	assert.Equal(t, 2, code)
	assert.Equal(t, "kubectl letters: letters@current: unknown itinerary \"Fort\"; did you mean \"Forth\"?\n", stderr)
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
