//go:build unix

package cli_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFreezeDoesNotReplaceAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	r := run(t, "", "verify", "--freeze", pipe)
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"--freeze: " + pipe + " is not a regular file and cannot be replaced; name a regular file"}, r.lines(t))
}

func TestFixRefusesAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a pipe, which nothing writes to", []string{"-i", pipe}, 1, "--fix: " + pipe + " is not a regular file and cannot be replaced; name a regular file"},
		{"a pipe, also to look at it", []string{"-i", pipe, "--dry-run"}, 1, "--fix: " + pipe + " is not a regular file and cannot be replaced; name a regular file"},
		{"an itinerary of a pipe", []string{"-i", pipe + "#Warm"}, 1, "--fix: " + pipe + " is not a regular file and cannot be replaced; name a regular file"},
		{"a built-in itinerary", []string{"-i", "Final"}, 2, "--fix changes a file, but -i Final is not one; give -i FILE.yaml"},
		{"standard input", []string{"-i", "-"}, 2, "--fix changes a file, but -i - is not one; give -i FILE.yaml"},
		{"no file", []string{"-i", filepath.Join(t.TempDir(), "none.yaml")}, 1, "cannot read: open "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", append([]string{"verify", "--fix"}, tt.args...)...)
			assert.Equal(t, tt.code, r.code)
			require.Len(t, r.lines(t), 1)
			assert.True(t, strings.HasPrefix(r.lines(t)[0], tt.want), r.lines(t)[0])
		})
	}
}
