package phases

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{
		"", "---\n---\n", "[[[[", "a: *a", "\ufeffflags: []", "flags: [{name: \"\\ud800\"}]",
		"itineraries: [{name: I, phases: [{name: P, step: S}]}]",
		"flags: [{name: A}, {name: B}]\nrelations: [[\"!A\", B]]\nitineraries: [{name: I, cleanup: true, result: RolledBack, phases: [{name: P, step: S, all: [A], any: [B], none: [], rides: false, decides: [A], jumps: [{to: P, none: [A]}], formerly: [Q], description: \"x\\ny\"}]}]",
		"itineraries:\n- name: |\n    a\n    b\n  phases:\n  - name: >-\n      c\n\n      d\n    step: \"\\x00\\u2028\\U0001F600\"\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Load(bytes.NewReader(text), "fuzz")
		if err != nil {
			require.Nil(t, file)
			var errs LoadErrors
			require.ErrorAs(t, err, &errs)
			require.NotEmpty(t, errs)
			for i, e := range errs {
				require.NotContains(t, e.Error(), "\n")
				if i > 0 && i < maxLoadErrors {
					require.LessOrEqual(t, errs[i-1].Line, e.Line)
				}
			}
			return
		}
		for _, it := range file.Itineraries {
			require.NoError(t, it.Validate())
		}
		requireRoundTrip(t, file)
	})
}
