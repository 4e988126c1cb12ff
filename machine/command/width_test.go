package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func written(t *table, indent string) string {
	var b bytes.Buffer
	t.write(&b, indent)
	return b.String()
}

func TestTableWrapsLastColumn(t *testing.T) {
	text := func(width int) string {
		tab := table{width: width}
		tab.head("NAME", "RUNS", "WHY")
		tab.row(plain("first", "no", "needs IndirectVolume, which Prepare decides, and HasPVs")...)
		tab.row(plain("é", "yes", "")...)
		return written(&tab, "  ")
	}
	t.Run("no terminal", func(t *testing.T) {
		assert.Equal(t, ""+
			"  NAME    RUNS   WHY\n"+
			"  first   no     needs IndirectVolume, which Prepare decides, and HasPVs\n"+
			"  é       yes    \n", text(0))
	})
	t.Run("it fits", func(t *testing.T) {
		assert.Equal(t, text(0), text(72))
	})
	t.Run("one column too narrow", func(t *testing.T) {
		assert.Equal(t, ""+
			"  NAME    RUNS   WHY\n"+
			"  first   no     needs IndirectVolume, which Prepare decides, and\n"+
			"                 HasPVs\n"+
			"  é       yes    \n", text(71))
	})
	t.Run("narrow", func(t *testing.T) {
		assert.Equal(t, ""+
			"  NAME    RUNS   WHY\n"+
			"  first   no     needs\n"+
			"                 IndirectVolume,\n"+
			"                 which Prepare\n"+
			"                 decides, and HasPVs\n"+
			"  é       yes    \n", text(37))
	})
	t.Run("too narrow for the column", func(t *testing.T) {
		assert.Equal(t, ""+
			"  NAME    RUNS   WHY\n"+
			"  first   no\n"+
			"      needs IndirectVolume, which\n"+
			"      Prepare decides, and HasPVs\n"+
			"  é       yes    \n", text(36))
	})
}

// At any width with room for the other columns, no line is longer than the terminal and no
// word is lost.
func TestWrapWordsKeepsWords(t *testing.T) {
	const why = "an/annotation.that.is.longer.than.a.line  has two spaces in front, and wide 移行 words"
	for width := 22; width < 120; width++ {
		tab := table{width: width}
		tab.row(plain("name", "no", why)...)
		text := written(&tab, "")
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, runes(strings.TrimSuffix(line, "\n")), width)
		}
		assert.Equal(t, strings.ReplaceAll("nameno"+why, " ", ""), strings.Join(strings.Fields(text), ""), "width %d", width)
	}
}

func TestWrapWordsIgnoresColorCodes(t *testing.T) {
	text := func(c colors) string {
		tab := table{colors: c, width: 26}
		tab.row(cell{text: "a"}, cell{text: "one two three four five six", color: yellow})
		tab.row(cell{text: "b"},
			cell{text: c.paint(green, "Backup") + " > " + c.paint(yellow, "(Restore of all data)") + " > Cleanup", painted: true})
		return written(&tab, "")
	}
	assert.Equal(t, ""+
		"a   one two three four\n    five six\n"+
		"b   Backup > (Restore of\n    all data) > Cleanup\n", text(false))
	assert.Equal(t, ""+
		"a   \x1b[33mone two three four\x1b[0m\n    \x1b[33mfive six\x1b[0m\n"+
		"b   \x1b[32mBackup\x1b[0m > \x1b[33m(Restore of\x1b[0m\n    \x1b[33mall data)\x1b[0m > Cleanup\n", text(true))
}

func TestTerminalWidth(t *testing.T) {
	// Like a terminal, /dev/zero is a character device.
	device, err := os.OpenFile("/dev/zero", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer device.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()
	t.Setenv("TERM", "xterm")

	t.Setenv("COLUMNS", "133")
	assert.Equal(t, 133, terminalWidth(device))
	assert.Zero(t, terminalWidth(file))
	assert.Zero(t, terminalWidth(new(bytes.Buffer)))
	for _, columns := range []string{"", "-1", "0", "many"} {
		t.Setenv("COLUMNS", columns)
		assert.Equal(t, usualWidth, terminalWidth(device), "COLUMNS=%s", columns)
	}
}
