// Package goldentest compares what tests make with golden files. Importing it gives
// the tests of a package the flag -update, with which they write these files.
package goldentest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files that the tests compare with")

// Compare reports an error if a file does not hold exactly got. With -update it writes
// the file first, and the folders above it.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run go test with -update")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got, run go test with -update if this is meant\n%s", file, diff)
	}
}
