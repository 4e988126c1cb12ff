package goldentest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// Compare reports a test error if the file does not contain exactly got. With -update it first
// writes the file, and creates its directories.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run go test with -update")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got, run go test with -update if this is intended\n%s", file, diff)
	}
}
