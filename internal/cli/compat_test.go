package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

// The releases of a small controller: the second has renamed a phase, and the third
// declares the former name.
const (
	before = `flags: [{name: Due}]
itineraries:
- name: Warm
  phases:
  - {name: Copy, step: Disks}
  - {name: Cut, step: Cutover, all: [Due]}
  - {name: Finish, step: Cutover}
- name: Cold
  phases:
  - {name: Copy, step: Disks}
`
	cutIs = "{name: Cut, step"
)

var (
	renamed  = strings.Replace(before, cutIs, "{name: CutOver, step", 1)
	declared = strings.Replace(before, cutIs, "{name: CutOver, formerly: [Cut], step", 1)
)

type breakElement struct {
	Rule, Kind, Direction, Itinerary, Phase, Step, Text, Suggestion, Accepted string
	State                                                                     *struct{ Itinerary, Phase string }
	Objects                                                                   []string
}

func breaks(t *testing.T, text string) (all []breakElement) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &all), text)
	return all
}

// releases writes the releases into files in the current directory.
func releases(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"before.yaml": before, "renamed.yaml": renamed, "declared.yaml": declared} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

// warmMove returns an object at a phase of Warm.
func warmMove(name, phase string) string {
	return object("Move", name, `, "status": {"itinerary": "Warm", "phase": "`+phase+`", "visit": 2, "facts": {"true": ["Due"]}}`)
}

func TestCompat(t *testing.T) {
	testdata, err := filepath.Abs("testdata")
	require.NoError(t, err)
	releases(t)
	r := run(t, "", "compat", "before.yaml", "renamed.yaml")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"2 breaks at level warning or above"}, r.lines(t))
	t.Chdir(filepath.Dir(testdata))
	goldentest.Compare(t, "testdata/compat.txt", r.out)
	releases(t)

	r = run(t, "", "compat", "before.yaml", "renamed.yaml", "-o", "json")
	assert.Equal(t, 1, r.code)
	var suggested string
	for _, b := range breaks(t, r.out) {
		if b.Direction == "upgrade" && b.Rule == "phase-gone" {
			suggested = b.Suggestion
			assert.Equal(t, "state", b.Kind)
			assert.Equal(t, "Cut", b.State.Phase)
			assert.Nil(t, b.Objects, "none were read")
		}
	}
	assert.Equal(t, "{name: CutOver, formerly: [Cut]}", suggested)

	t.Run("the suggestion fixes it", func(t *testing.T) {
		for _, b := range breaks(t, run(t, "", "compat", "before.yaml", "declared.yaml", "-o", "json").out) {
			assert.False(t, b.Direction == "upgrade" && b.Kind == "state", b.Text)
		}
	})
	t.Run("levels", func(t *testing.T) {
		for level, code := range map[string]int{"info": 1, "warning": 1, "error": 1, "none": 0} {
			assert.Equal(t, code, run(t, "", "compat", "before.yaml", "renamed.yaml", "--fail-level", level).code, level)
		}
	})
	t.Run("one itinerary", func(t *testing.T) {
		for _, args := range [][]string{
			{"before.yaml#Cold", "renamed.yaml"}, {"before.yaml", "renamed.yaml#Cold"}, {"before.yaml#Cold", "renamed.yaml#Cold"},
		} {
			r := run(t, "", append([]string{"compat", "--fail-level", "info"}, args...)...)
			assert.Zero(t, r.code, r.out)
		}
		r := run(t, "", "compat", "before.yaml#Cold", "renamed.yaml#Warm")
		assert.Equal(t, 2, r.code)
		assert.Equal(t,
			[]string{"itineraries Cold and Warm are compared by their names, which differ; give two of one name, or leave the names out"},
			r.lines(t))
	})
	t.Run("other formats", func(t *testing.T) {
		assert.Contains(t, run(t, "", "compat", "before.yaml", "renamed.yaml", "-o", "sarif").out,
			`"ruleAndNames/v1": "phase-gone/upgrade/Warm/phase=Cut"`)
		assert.Contains(t, run(t, "", "compat", "before.yaml", "renamed.yaml", "-o", "junit").out,
			`<testcase name="phase-gone" classname="Warm" file="renamed.yaml" line="3">`)
		assert.Contains(t, run(t, "", "compat", "before.yaml", "renamed.yaml", "-o", "github").out,
			"::error file=renamed.yaml,line=3,col=3,title=phase-gone%3A upgrade / Warm / Cut::")
		assert.Contains(t, run(t, "", "compat", "before.yaml", "renamed.yaml", "-o", "github").out,
			"::error file=renamed.yaml,line=6,col=5,title=phase-gone%3A rollback / Warm / CutOver::", "the place is in the new release")
		assert.Equal(t, result{out: "[]\n"}, run(t, "", "compat", "before.yaml", "before.yaml", "-o", "json"))
	})
}

func TestCompatOfAnItineraryThatOneReleaseLacks(t *testing.T) {
	releases(t)
	write := func(name, text string) { require.NoError(t, os.WriteFile(name, []byte(text), 0o600)) }
	write("cold.yaml",
		"itineraries:\n- {name: Cold, phases: [{name: Copy, step: Disks}]}\n- {name: Hot, phases: [{name: Copy, step: Disks}]}\n")
	r := run(t, "", "compat", "before.yaml#Warm", "cold.yaml", "-o", "json")
	assert.Equal(t, 1, r.code)
	all := breaks(t, r.out)
	require.Len(t, all, 1, r.out)
	assert.Equal(t, []string{"itinerary-gone", "upgrade", "Warm"}, []string{all[0].Rule, all[0].Direction, all[0].Itinerary},
		"nothing is said of itineraries that are not compared")
}

// An inconclusive result fails at any level.
func TestCompatInconclusiveAlwaysFails(t *testing.T) {
	var text strings.Builder
	text.WriteString("flags:\n")
	for i := range 40 {
		fmt.Fprintf(&text, "- {name: F%d}\n", i)
	}
	text.WriteString("itineraries:\n- name: Long\n  phases:\n")
	for i := range 300 {
		fmt.Fprintf(&text, "  - {name: P%d, step: S, any: [F%d, F%d], none: [F%d], decides: [F%d]}\n", i, i%40, (i+9)%40, (i+17)%40,
			i*13%40)
	}
	old, next := write(t, "old.yaml", text.String()), write(t, "new.yaml", text.String()+"  - {name: Last, step: S}\n")
	r := run(t, "", "compat", old, next, "--fail-level", "none")
	assert.Equal(t, 1, r.code, r.out)
	assert.Contains(t, r.out, "inconclusive")
	assert.Contains(t, r.stderr, "the result is inconclusive")
}

func TestCompatWithObjects(t *testing.T) {
	releases(t)
	summary := func(r result) string {
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		return lines[len(lines)-1]
	}
	for _, tt := range []struct {
		name    string
		objects []string
		code    int
		want    string
		lines   int
	}{
		{"one cannot continue", []string{warmMove("a", "Cut"), warmMove("b", "Finish")}, 1, "recorded and not done: 2; 1 cannot continue as before (ns/a); 1 can continue", 1},
		{"all can continue", []string{warmMove("b", "Finish")}, 1, "recorded and not done: 1; 1 can continue", 1},
		{
			"one cannot be placed", []string{warmMove("b", "Finish"), warmMove("x", "Nowhere")}, 1,
			"recorded and not done: 2; unknown whether 1 can continue (ns/x); 1 can continue", 2,
		},
		{"no one can be placed", []string{warmMove("x", "Nowhere")}, 1, "recorded and not done: 1; unknown whether 1 can continue (ns/x)", 2},
		{"one is done", []string{object("Move", "d", `, "status": {"itinerary": "Warm", "done": true, "visit": 3}`)}, 1, "no recorded run is in flight", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, stream(tt.objects...), "compat", "before.yaml", "renamed.yaml", "-f", "-")
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.want, summary(r))
			assert.Len(t, r.lines(t), tt.lines, r.stderr)
		})
	}
	t.Run("as JSON", func(t *testing.T) {
		for _, b := range breaks(t,
			run(t, stream(warmMove("a", "Cut"), warmMove("b", "Finish")), "compat", "before.yaml", "renamed.yaml", "-f", "-", "-o",
				"json").out) {
			if b.Direction == "upgrade" && b.Rule == "phase-gone" {
				assert.Equal(t, []string{"ns/a"}, b.Objects)
			}
		}
	})
	t.Run("unread input may hold more", func(t *testing.T) {
		r := run(t, stream(warmMove("b", "Finish"))+"\n{", "compat", "before.yaml", "before.yaml", "-f", "-")
		assert.Equal(t, 1, r.code)
		assert.Equal(t, "recorded and not done: 1; 1 can continue; input that could not be read may hold more", summary(r))
	})
	t.Run("of MTC, by the names of an earlier release", func(t *testing.T) {
		r := run(t, "", "verify", "--freeze", "mtc.yaml")
		require.Zero(t, r.code, r.stderr)
		text := strings.ReplaceAll(read(t, "mtc.yaml"), "name: EnsureSrcQuiesced", "name: EnsureQuiesced")
		require.NoError(t, os.WriteFile("mtc.yaml", []byte(strings.ReplaceAll(text, "    formerly: [EnsureQuiesced]\n", "")), 0o600))
		at := migration("m", `"quiescePods": true`, `"itinerary": "Final", "phase": "EnsureQuiesced"`)
		r = run(t, around("", at), "compat", "mtc.yaml", "mtc@current", "-f", "-", "--fail-level", "none")
		assert.Zero(t, r.code, r.stderr)
		assert.Equal(t, "recorded and not done: 1; 1 can continue", summary(r))
	})
}

func TestAcceptedBreaks(t *testing.T) {
	releases(t)
	accept := func(t *testing.T, text string) string { return write(t, "accept.yaml", text) }
	both := `accept:
- {fingerprint: phase-gone/upgrade/Warm/phase=Cut, reason: "no move is in flight", expires: 2027-03-31}
- {fingerprint: phase-gone/rollback/Warm/phase=CutOver, reason: "there is no way back", expires: 2027-03-31}
`
	compat := func(t *testing.T, file string, args ...string) result {
		return run(t, "",
			append([]string{"compat", "before.yaml", "renamed.yaml", "--accept", file, "--now", "2027-01-01T00:00:00Z"}, args...)...)
	}
	r := compat(t, accept(t, both))
	assert.Zero(t, r.code, r.out)
	assert.Empty(t, r.stderr)
	assert.Contains(t, r.out, "accepted: no move is in flight")

	r = compat(t, accept(t, both), "--now", "2027-04-01T00:00:00Z")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "acceptance-expired")

	r = compat(t, accept(t, both+`- {fingerprint: phase-gone/upgrade/Warm/phase=Other, reason: "-", expires: 2027-03-31}`+"\n"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "acceptance-unused")

	other := both + `- {fingerprint: phase-gone/upgrade/Cold/phase=Other, reason: "-", expires: 2027-03-31}` + "\n"
	assert.Equal(t, 1, compat(t, accept(t, other)).code)
	r = run(t, "", "compat", "before.yaml#Warm", "renamed.yaml", "--accept", accept(t, other), "--now", "2027-01-01T00:00:00Z")
	assert.Zero(t, r.code, "an itinerary that is not compared needs no acceptance: %s", r.out)
	r = compat(t, accept(t, both+`- {fingerprint: phase-gone/upgrade/Warm/phase=Other, reason: "-", expires: 2027-03-31}`+"\n"))
	assert.Contains(t, r.out, "accept.yaml:")
	assert.Contains(t, run(t, "", "compat", "before.yaml", "renamed.yaml", "--accept", write(t, "unused.yaml",
		"accept:\n- {fingerprint: x, "+
			"reason: r, expires: 2999-01-01}\n"), "-o", "github").out, "unused.yaml,line=2,col=3,title=acceptance-unused")

	for name, text := range map[string]string{
		"an unknown key":       "accept:\n- {fingerprint: a, reason: b, until: 2027-03-31}\n",
		"no reason":            "accept:\n- {fingerprint: a, expires: 2027-03-31}\n",
		"no day":               "accept:\n- {fingerprint: a, reason: b, expires: soon}\n",
		"a file of some other": before,
	} {
		t.Run(name, func(t *testing.T) {
			file := accept(t, text)
			r := compat(t, file)
			assert.Equal(t, 1, r.code)
			assert.Empty(t, r.out, "nothing is compared")
			assert.NotEmpty(t, r.lines(t))
			for _, line := range r.lines(t) {
				assert.Contains(t, line, file)
			}
		})
	}
}

func TestCompatReadsCommits(t *testing.T) {
	releases(t)
	git := func(args ...string) {
		cmd := exec.Command("git",
			append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	git("init", "-q")
	require.NoError(t, os.MkdirAll("deploy", 0o700))
	require.NoError(t, os.WriteFile("deploy/moves.yaml", []byte(before), 0o600))
	git("add", ".")
	git("commit", "-q", "-m", "first")
	git("tag", "v1")
	require.NoError(t, os.WriteFile("deploy/moves.yaml", []byte(renamed), 0o600))

	for _, args := range [][]string{
		{"git:v1:deploy/moves.yaml", "deploy/moves.yaml"}, {"git:HEAD:./deploy/moves.yaml#Warm", "deploy/moves.yaml"},
	} {
		r := run(t, "", append([]string{"compat", "-o", "json"}, args...)...)
		assert.Equal(t, 1, r.code, r.stderr)
		assert.Contains(t, r.out, `"rule": "phase-gone"`)
	}
	for _, tt := range []struct {
		name, arg string
		code      int
		want      string
	}{
		{"no ref", "git::a.yaml", 2, `"git::a.yaml" must be git:REF:PATH, such as git:v1.2.0:deploy/itineraries.yaml`},
		{"no path", "git:v1", 2, `"git:v1" must be git:REF:PATH, such as git:v1.2.0:deploy/itineraries.yaml`},
		{"an option of git", "git:--output=x:a.yaml", 2, `"git:--output=x:a.yaml": a ref does not begin with -; give a tag, a branch or a commit`},
		{"an unknown ref", "git:v2:deploy/moves.yaml", 1, `the repository has no commit "v2"; fetch it, or list names with git tag or git branch --all`},
		{"an unknown path", "git:v1:moves.yaml", 1, "commit v1 has no file moves.yaml; a path begins at the top of the repository, or with ./ at the current directory"},
		{"an unknown itinerary", "git:v1:deploy/moves.yaml#Wram", 2, `git:v1:deploy/moves.yaml: unknown itinerary "Wram"; did you mean "Warm"?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", "compat", tt.arg, "before.yaml")
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, []string{tt.want}, r.lines(t))
		})
	}
	t.Run("a file that is too large", func(t *testing.T) {
		require.NoError(t, os.WriteFile("large.yaml", make([]byte, 1<<20+1), 0o600))
		git("add", "large.yaml")
		git("commit", "-q", "-m", "large")
		r := run(t, "", "compat", "git:HEAD:large.yaml", "before.yaml")
		assert.Equal(t, 1, r.code)
		assert.Equal(t, []string{"large.yaml in HEAD is larger than the limit of 1048576 bytes"}, r.lines(t))
	})
	t.Run("no repository", func(t *testing.T) {
		t.Chdir(t.TempDir())
		r := run(t, "", "compat", "git:v1:a.yaml", "mtc@current")
		assert.Equal(t, 1, r.code)
		assert.Equal(t, []string{"git:REF:PATH needs a git repository, and the current directory is not in one; change to one"}, r.lines(t))
	})
	t.Run("no git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		r := run(t, "", "compat", "git:v1:a.yaml", "mtc@current")
		assert.Equal(t, 1, r.code)
		assert.Equal(t, []string{
			"git:REF:PATH needs the program git, which no directory of $PATH has; install it, or give the file itself"}, r.lines(t))
	})
}

func TestFix(t *testing.T) {
	file := write(t, "faulty.yaml", faulty)
	require.NoError(t, os.Chmod(file, 0o640))
	r := run(t, "", "verify", "-i", file, "--fix", "--dry-run")
	assert.Zero(t, r.code, r.stderr)
	assert.Equal(t,
		"--- "+file+"\n+++ "+file+"\n@@ -1,6 +1,5 @@\n flags:\n - {name: Due}\n-- {name: Idle}\n itineraries:\n - name: Warm\n   phases:\n",
		r.out)
	assert.Equal(t, faulty, read(t, file), "a dry run writes nothing")

	r = run(t, "", "verify", "-i", file, "--fix", "--fail-level", "none", "-o", "json")
	assert.Zero(t, r.code, r.stderr)
	assert.Equal(t, []string{"note: " + file + ": fixed 1 finding: flag-never-read (flag Idle)"}, r.lines(t))
	assert.Equal(t, strings.Replace(faulty, "- {name: Idle}\n", "", 1), read(t, file))
	for _, f := range findings(t, r.out) {
		assert.NotEqual(t, "flag-never-read", f.Rule, "fixed findings are not found again")
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	assert.Empty(t, run(t, "", "verify", "-i", file, "--fix", "--dry-run").out, "nothing more to fix")
}
