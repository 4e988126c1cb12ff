package command

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLineDiff(t *testing.T) {
	numbers := func(from, to int, changed ...int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			mark := ""
			for _, c := range changed {
				if c == i {
					mark = " changed"
				}
			}
			fmt.Fprintf(&b, "%d%s\n", i, mark)
		}
		return b.String()
	}
	assert.Empty(t, lineDiff("f", "a\n", "a\n"))
	assert.Equal(t, "--- f\n+++ f\n@@ -1,3 +1,2 @@\n a\n-b\n c\n", lineDiff("f", "a\nb\nc\n", "a\nc\n"))
	assert.Equal(t, "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n", lineDiff("f", "", "a\n"))
	assert.Equal(t, "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n", lineDiff("f", "a\n", "a"))
	assert.Equal(t, 1, strings.Count(lineDiff("f", numbers(1, 20), numbers(1, 20, 5, 12)), "@@ -"), "near changes are one hunk")
	assert.Equal(t, 2, strings.Count(lineDiff("f", numbers(1, 20), numbers(1, 20, 5, 13)), "@@ -"), "far ones are two")
}

// Git applies the diffs of random texts.
func TestLineDiffAppliesWithGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is needed for this test; install it")
	}
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	for i := range 20 {
		var before, after []string
		for range 40 {
			line := fmt.Sprintln(r.IntN(6))
			if r.IntN(8) > 0 {
				before = append(before, line)
			}
			if r.IntN(8) > 0 {
				after = append(after, line)
			}
		}
		want := strings.Join(after, "")
		file := filepath.Join(dir, "f")
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(before, "")), 0o600))
		diff := lineDiff("f", strings.Join(before, ""), want)
		if diff == "" {
			continue
		}
		cmd := exec.Command("git", "apply", "-p0", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(diff)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%d: %s\n%s", i, out, diff)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
}
