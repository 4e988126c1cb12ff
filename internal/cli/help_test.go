package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	kyaml "sigs.k8s.io/yaml"
)

// Every example in the help texts of these commands works, one after the other, in a
// directory with the output of kubectl. Those of the others need a release, a cluster or
// the repository; their own tests run them.
func TestHelpExamples(t *testing.T) {
	objects, err := kyaml.JSONToYAML([]byte(moments))
	require.NoError(t, err)
	ran := 0
	for _, command := range []string{"", "plan", "explain", "graph", "run", "convert"} {
		t.Run("help "+command, func(t *testing.T) {
			help := run(t, "", append(strings.Fields(command), "--help")...).out
			t.Chdir(t.TempDir())
			warm := strings.NewReplacer("Due", "CutoverDue", "step: Disks}, {", "step: Disks, decides: [CutoverDue]}, {").Replace(several)
			require.NoError(t, os.WriteFile("warm.yaml", []byte(warm), 0o600))
			require.NoError(t, os.WriteFile("objects.yaml", objects, 0o600))
			require.NoError(t, os.WriteFile("images.yaml", []byte(images), 0o600))
			for line := range strings.Lines(help) {
				line = strings.TrimSpace(line)
				stdin := ""
				if kubectl, rest, ok := strings.Cut(line, " | "); ok && strings.HasPrefix(kubectl, "kubectl get ") {
					line, stdin = rest, string(objects)
				}
				if !strings.HasPrefix(line, "dynamic-pipeline ") || strings.ContainsAny(line, "[(") {
					continue // a sentence, or a usage line
				}
				line, file, _ := strings.Cut(line, " > ")
				r := run(t, stdin, strings.Fields(line)[1:]...)
				want := 0
				if strings.Contains(line, " --unknown ") {
					want = 1 // steps that depend on it cannot be planned
				}
				assert.Equal(t, want, r.code, "%s\n%s", line, r.stderr)
				assert.NotEmpty(t, r.out, line)
				if file != "" {
					require.NoError(t, os.WriteFile(filepath.Base(file), []byte(r.out), 0o600))
				}
				ran++
			}
		})
	}
	assert.Equal(t, 35, ran)
}
