package legacy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
)

// lines reads the recorded statuses.
func lines(tb testing.TB) map[string][][]byte {
	out := make(map[string][][]byte)
	for _, name := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		data, err := os.ReadFile(filepath.Join("..", "tests", "conformance", "testdata", name))
		require.NoError(tb, err)
		out[name] = bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	}
	return out
}

func TestRecordedStatuses(t *testing.T) {
	for name, lines := range lines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, lines, 120)
			for _, line := range lines {
				if err := legacytest.Check(line); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
