package legacy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines reads the recorded statuses, for seeds. That each of them is adapted
// both ways is checked in tests/conformance.
func lines(tb testing.TB) map[string][][]byte {
	out := make(map[string][][]byte)
	for _, name := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		data, err := os.ReadFile(filepath.Join("..", "tests", "conformance", "testdata", name))
		require.NoError(tb, err)
		out[name] = bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	}
	return out
}
