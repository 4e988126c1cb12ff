package command

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestColorsAreForTerminals(t *testing.T) {
	// Like a terminal, /dev/zero is a character device.
	device, err := os.OpenFile("/dev/zero", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer device.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()

	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	assert.True(t, bool(colorsFor(device)))
	assert.False(t, bool(colorsFor(null)))
	assert.False(t, bool(colorsFor(file)))
	assert.False(t, bool(colorsFor(new(bytes.Buffer))))
	t.Setenv("TERM", "dumb")
	assert.False(t, bool(colorsFor(device)))
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, bool(colorsFor(device)))
}

func TestColorsKeepColumns(t *testing.T) {
	text := func(c colors) string {
		tab := table{colors: c}
		tab.head("A", "B", "C")
		tab.row(cell{text: "long", color: green}, orDash(""), cell{text: "é"})
		tab.row(plain("é", "x\x1b", "")...)
		var b bytes.Buffer
		tab.write(&b, "  ")
		return b.String()
	}
	assert.Equal(t, "  A      B         C\n  long   -         é\n  é      xU+001B   \n", text(false))
	assert.Equal(t, "  \x1b[1mA\x1b[0m      \x1b[1mB\x1b[0m         \x1b[1mC\x1b[0m\n"+
		"  \x1b[32mlong\x1b[0m   \x1b[2m-\x1b[0m         é\n  é      xU+001B   \n", text(true))
}

func TestVersionOf(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	assert.Equal(t, "v1.2.3", versionOf(build("v1.2.3")))
	assert.Equal(t, "(devel)", versionOf(build("(devel)")))
	assert.Equal(t, "(devel)", versionOf(build("")))
	assert.Equal(t, "(devel)", versionOf(build("v0.0.0-20260102030405-abcdefabcdef+dirty", debug.BuildSetting{Key: "vcs", Value: "git"})))
}
