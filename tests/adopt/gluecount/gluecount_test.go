package gluecount_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/gluecount"
)

func TestCount(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int
	}{
		{"a package clause is a line", map[string]string{"glue.go": "package p\n"}, 1},
		{"comments and blank lines do not count", map[string]string{"glue.go": "// Package p.\npackage p\n\n/*\nA block.\n*/\n\nvar a = 1 // of two\n"}, 2},
		{"a raw string counts each of its lines", map[string]string{"glue.go": "package p\n\nvar a = `\n\n// no comment\n`\n"}, 5},
		{"a bracket on its own line counts", map[string]string{"glue.go": "package p\n\nfunc f() {\n}\n"}, 3},
		{"all files of that name count", map[string]string{"glue.go": "package p\n", "glue_steps.go": "package p\n\nvar a = 1\n"}, 3},
		{"other files and tests do not count", map[string]string{"glue.go": "package p\n", "glue_test.go": "package p\n", "flags.go": "package p\n"}, 1},
		{"a line of 100 columns is accepted", map[string]string{"glue.go": "package p\n\nvar a = \"" + strings.Repeat("ü", 90) + "\"\n"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := gluecount.Count(directory(t, test.files))
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestCountErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		files   map[string]string
		line    int
		problem string
	}{
		{"no file", map[string]string{"flags.go": "package p\n"}, 0, "no such file; put the glue into one"},
		{"not formatted", map[string]string{"glue.go": "package p\nvar a=1\n"}, 0, "is not formatted; run gofmt"},
		{"a line that is too long", map[string]string{"glue.go": "package p\n\nvar a = \"" + strings.Repeat("x", 91) + "\"\n"},
			3, "has 101 columns, more than 100; break the line"},
		{"a tab has 4 columns", map[string]string{"glue.go": "package p\n\nfunc f() {\n\t_ = \"" + strings.Repeat("x", 91) + "\"\n}\n"},
			4, "has 101 columns, more than 100; break the line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := gluecount.Count(directory(t, test.files))
			var file *gluecount.FileError
			require.True(t, errors.As(err, &file), "%v", err)
			require.Equal(t, test.line, file.Line)
			require.Equal(t, test.problem, file.Problem)
		})
	}
}

func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}
