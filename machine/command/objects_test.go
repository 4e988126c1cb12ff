package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Objects of two kinds may have the same name.
func TestObjectsOfOneNameAndTwoKinds(t *testing.T) {
	const object = `{"apiVersion": "ops.example.com/v1", "kind": %q, "metadata": {"name": "a", "namespace": "ns"},
		"status": {"itinerary": "Upgrade", "phase": "UpgradePrimary", "visit": 3,
			"entered": "2026-11-20T10:02:00Z", "facts": {"hash": "0"}}}` + "\n"
	both := fmt.Sprintf(object, "Upgrade") + fmt.Sprintf(object, "Restore")
	in := []string{"-f", "-", "-i", "testdata/upgrades.yaml"}
	_, out, _ := upgradectl(t, both, append([]string{"status"}, in...)...)
	assert.Equal(t, []string{"NAME", "Upgrade/a", "Restore/a"}, statusNames(out))

	code, _, stderr := upgradectl(t, both, append([]string{"graph"}, in...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "give --name with one of ns/Upgrade/a and ns/Restore/a")
	for _, name := range []string{"Restore/a", "ns/Restore/a"} {
		_, out, _ = upgradectl(t, both, append([]string{"graph", "--name", name}, in...)...)
		assert.Contains(t, out, "ns/Restore/a\n")
	}
	_, out, _ = upgradectl(t, fmt.Sprintf(object, "Restore"), append([]string{"status"}, in...)...)
	assert.Equal(t, []string{"NAME", "a"}, statusNames(out), "alone it needs no kind")
}

// Errors of a catalogue's functions name the object, whatever they wrap.
func TestCatalogueErrorsNameTheObject(t *testing.T) {
	errSpec, errVersion := errors.New("spec is wrong"), errors.New("it has no version")
	for _, c := range []struct {
		name string
		err  func() error
		want []string
	}{
		{"one that wraps two", func() error { return fmt.Errorf("%w: %w", errSpec, errVersion) }, []string{"spec is wrong: it has no version"}},
		{"two", func() error { return errors.Join(errSpec, errVersion) }, []string{"spec is wrong", "it has no version"}},
		{"a panic", func() error { panic("no version") }, []string{"panic: no version"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			catalogue := backups(t)
			catalogue.Select = func(*command.Object, string) (string, error) { return "", c.err() }
			code, _, stderr := execute(t, catalogue, backupObject("new", ""), "plan", "-f", "-")
			assert.Equal(t, 1, code)
			var want string
			for _, text := range c.want {
				want += "kubectl backup: Backup ns/new: " + text + "\n"
			}
			assert.Equal(t, want, stderr)
		})
		t.Run(c.name+" of a source", func(t *testing.T) {
			catalogue := backups(t)
			catalogue.Sources = func(*command.Object, string, *command.Objects) (*phases.Sources, error) { return nil, c.err() }
			_, _, stderr := execute(t, catalogue, backupObject("new", ""), "plan", "-f", "-")
			for _, text := range c.want {
				assert.Contains(t, stderr, "kubectl backup: Backup ns/new: ")
				assert.Contains(t, stderr, text+"\n")
			}
		})
	}
}

// A jump can pass over a phase without a guard, and a phase that does not run does not
// jump.
func TestExplainWhatJumpsPassOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jumps.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`flags: [{name: X}, {name: Z}]
itineraries:
- name: It
  phases:
  - {name: A, step: One, jumps: [{to: C, all: [X]}]}
  - {name: B, step: Two}
  - {name: C, step: Three}
  - {name: G, step: Four, all: [X], jumps: [{to: B, all: [Z]}], decides: [Z]}
`), 0o644))
	explain := func(name, flags string) string {
		_, out, stderr := upgradectl(t, "", "explain", name, "-i", file, "--flags", flags)
		assert.Empty(t, stderr)
		return out
	}
	assert.Contains(t, explain("B", ""), "phase B runs: it is reached\n")
	assert.Contains(t, explain("C", ""), "phase C runs in every upgrade of this itinerary\n")
	assert.Contains(t, explain("Z", ""), "- with Z=true, the same phases run\n")
	assert.Contains(t, explain("Z", "X"), "G jumps to B\n")
}

// Names of steps may contain unprintable characters.
func TestRunWithNamesThatAreNotShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names.yaml")
	for _, name := range []string{`S\t`, `\u202e`, `\u200b\u200b`, `S\n\u202e`, "👩‍👩‍👧‍👦👩‍👩‍👧‍👦"} {
		require.NoError(t,
			os.WriteFile(file, []byte("itineraries:\n- name: A\n  "+
				"phases:\n  - {name: P, step: \""+name+"\"}\n  - {name: Q, step: T}\n"), 0o644))
		code, out, stderr := upgradectl(t, "", "run", "-i", file)
		assert.Zero(t, code, "%s: %s", name, stderr)
		assert.Contains(t, out, "done: Succeeded", name)
	}
}

// Only phases inside the endless loop are suggested to end it.
func TestRunSuggestsExitsOfALoop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "loops.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`flags: [{name: More}]
itineraries:
- name: Cook
  phases:
  - {name: Shop, step: Prepare}
  - {name: Fry, step: Fry, decides: [More], jumps: [{to: Fry, all: [More]}]}
  - {name: Taste, step: Serve, jumps: [{to: Shop, choice: true}]}
`), 0o644))
	_, _, stderr := upgradectl(t, "", "run", "-i", file, "--flags", "More")
	assert.Contains(t, stderr, "after 2 phases it is in an endless loop; leave it with --flag-flips-at Fry=More=false\n")
	_, _, stderr = upgradectl(t, "", "run", "-i", file, "--flags", "", "--max-phases", "2")
	assert.Contains(t, stderr, "after 2 phases it is not done; raise --max-phases\n")
}

// An object whose state cannot be read still exists.
func TestNameOfAnUnreadableObject(t *testing.T) {
	const objects = `{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "broken", "namespace": "ns"},
			"status": {"visit": 3, "phase": 7}}
{"apiVersion": "ops.example.com/v1", "kind": "Upgrade", "metadata": {"name": "other", "namespace": "ns"}, "status": {}}
`
	for _, name := range []string{"broken", "ns/broken"} {
		code, out, stderr := upgradectl(t, objects, "status", "-f", "-", "--name", name)
		assert.Equal(t, 1, code)
		assert.Empty(t, out)
		assert.Contains(t, stderr, "\nUpgrade ns/broken has no run that could be read\n")
	}
	code, _, stderr := upgradectl(t, objects, "status", "-f", "-", "--name", "brokn")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `there is no Upgrade "brokn"`)
}
