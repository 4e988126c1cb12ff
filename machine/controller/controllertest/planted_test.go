package controllertest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plants are mistakes in a copy of the reconciler: edits of its source, each active if
// the environment names it: one build has all of them. Each is found by the
// life that its row names.
var plants = []struct {
	name           string
	file, old, new string // new replaces old
	sweep, only    string
	finds          string
}{
	{
		name: "it writes without an optimistic lock", file: "write.go",
		old: "	if w.o.StatusSubresource {\n		err = ",
		new: "	if planted(`it writes without an optimistic lock`) {\n		w.patch = unlocked(w.patch)\n	}\n" +
			"	if w.o.StatusSubresource {\n		err = ",
		sweep: "in the status, uploaded", only: "4 crash-after-stale", finds: "the start of a step changes: Volumes",
	},
	{
		name: "it takes a conflict for a success", file: "write.go",
		old:   "	case apierrors.IsConflict(err):\n",
		new:   "	case apierrors.IsConflict(err):\n		if planted(`it takes a conflict for a success`) {\n			return true, nil\n		}\n",
		sweep: "in the status, uploaded", only: "4 conflict", finds: "work is done more often than the fault justifies: Backup/Prepare",
	},
	{
		name: "it stops if an answer is lost", file: "controller.go",
		old: "	case err != nil:\n		return reconcile.Result{}, err\n	}\n",
		new: "	case err != nil:\n		if planted(`it stops if an answer is lost`) {\n			err = reconcile.TerminalError(err)\n		}\n" +
			"		return reconcile.Result{}, err\n	}\n",
		sweep: "in the status, uploaded", only: "4 answer-lost", finds: "the run is stopped: true; without the fault: false",
	},
	{
		name: "it believes a stale cache", file: "controller.go",
		old:   "	if r.own.behind(",
		new:   "	if !planted(`it believes a stale cache`) && r.own.behind(",
		sweep: "in the status, uploaded", only: "5 stale-read", finds: "work is done more often than the fault justifies: Backup/Prepare",
	},
	{
		name: "it writes the status before the annotation", file: "write.go",
		old: "	if w.o.StatusSubresource {\n		err = ",
		new: "	if planted(`it writes the status before the annotation`) {\n" +
			"		if err := w.o.Client.Patch(ctx, answer, only(w.patch, `status`)); err != nil {\n			return true, err\n		}\n" +
			"		w.patch = only(w.patch, `metadata`)\n	}\n" +
			"	if w.o.StatusSubresource {\n		err = ",
		sweep: "in an annotation, failed", only: "4 crash-after", finds: "the run goes back",
	},
	{
		name: "it writes over what another replica has moved", file: "write.go",
		old:   "!sameStates(w.runs, is)",
		new:   "!(planted(`it writes over what another replica has moved`) || sameStates(w.runs, is))",
		sweep: "by item, failed", only: "4 crash-after-stale", finds: "the start of a step changes: Volumes",
	},
	{
		name: "it sets no conditions at the end", file: "controller.go",
		old: "	if r.o.Conditions != nil {\n		r.driver.SetConditions(c)",
		new: "	if r.o.Conditions != nil && !(planted(`it sets no conditions at the end`) && c.runs[0].out.State.Done) {\n" +
			"		r.driver.SetConditions(c)",
		sweep: "in the status, uploaded", only: "1 timeout", finds: "condition Running is true, but the run is done",
	},
}

// plantedFile is added to the copy.
const plantedFile = `package controller

import (
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func planted(name string) bool { return os.Getenv("PLANTED") == name }

// edited returns a changed patch.
func edited(p client.Patch, change func(fields map[string]any)) client.Patch {
	data, _ := p.Data(nil)
	fields := map[string]any{}
	_ = json.Unmarshal(data, &fields)
	change(fields)
	data, _ = json.Marshal(fields)
	return client.RawPatch(types.MergePatchType, data)
}

func metadata(fields map[string]any) map[string]any { m, _ := fields["metadata"].(map[string]any); return m }

func unlocked(p client.Patch) client.Patch {
	return edited(p, func(fields map[string]any) { delete(metadata(fields), "resourceVersion") })
}

// only returns a part of a patch, without a lock.
func only(p client.Patch, part string) client.Patch {
	return edited(p, func(fields map[string]any) {
		delete(metadata(fields), "resourceVersion")
		for name := range fields {
			if name != part {
				delete(fields, name)
			}
		}
	})
}
`

// overlay writes the planted copies of the files of machine/controller, and returns the
// argument of go build -overlay.
func overlay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs("..")
	require.NoError(t, err)
	texts := map[string]string{"planted.go": plantedFile}
	for _, p := range plants {
		if texts[p.file] == "" {
			text, err := os.ReadFile(filepath.Join(source, p.file))
			require.NoError(t, err)
			texts[p.file] = string(text)
		}
		require.Equal(t, 1, strings.Count(texts[p.file], p.old), "%s: %s has not exactly one place for it; change the row", p.name, p.file)
		texts[p.file] = strings.Replace(texts[p.file], p.old, p.new, 1)
	}
	replace := map[string]string{}
	for name, text := range texts {
		replace[filepath.Join(source, name)] = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// Each mistake is found, by the life that is meant to find it.
func TestSweepFindsPlantedMistakes(t *testing.T) {
	program := filepath.Join(t.TempDir(), "planted.test")
	arguments := []string{"test", "-c", "-overlay", overlay(t), "-o", program}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		arguments = append(arguments, "-race") // Kubernetes is compiled already
	}
	output, err := exec.Command("go", append(arguments, ".")...).CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	play := func(t *testing.T, plant, sweep, life string) (string, error) {
		cmd := exec.Command(program, "-test.run", "^TestSweep$/^"+strings.ReplaceAll(sweep, " ", "_")+"$", "-only", life)
		cmd.Env = append(os.Environ(), "PLANTED="+plant)
		output, err := cmd.CombinedOutput()
		return string(output), err
	}
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			output, err := play(t, "", p.sweep, p.only)
			require.NoErrorf(t, err, "without the mistake\n%s", output)
			output, err = play(t, p.name, p.sweep, p.only)
			require.ErrorAs(t, err, new(*exec.ExitError))
			assert.Contains(t, output, p.finds)
		})
	}
}
