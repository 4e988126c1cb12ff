package legacy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// breaks are line breaks with the indentation that follows them.
var breaks = regexp.MustCompile(`\n\t*`)

// oneLine joins the lines of a raw string that is broken to fit the page.
func oneLine(text string) string { return breaks.ReplaceAllString(text, "") }

// lines returns the recorded statuses by file. They serve as seeds here;
// tests/conformance converts each of them in both directions.
func lines(tb testing.TB) map[string][][]byte {
	out := make(map[string][][]byte)
	for _, name := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		data, err := os.ReadFile(filepath.Join("..", "tests", "conformance", "testdata", name))
		require.NoError(tb, err)
		out[name] = bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	}
	return out
}
