package yamltext

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		about, text string
		line        int
		problem     string
	}{
		{"an error of the scanner", "a: b\n c: d\n", 2, "mapping values are not allowed in this context"},
		{"a tab", "a:\n\tb: c\n", 2, "found character that cannot start any token"},
		{"an error of the parser, which counts lines from 0", "a:\n- [\n}\n", 3, "did not find expected node content"},
		{"an open bracket", "a: b\nc: [d}\n", 2, "did not find expected ',' or ']'"},
		{"a missing key", "a: b\nc: d\n- e\n", 3, "did not find expected key"},
		{"an error in the first line has none", "a: [b}\n", 0, "did not find expected ',' or ']'"},
		{"an unknown alias has none", "a: b\nc: *d\n", 0, "unknown anchor 'd' referenced"},
	} {
		t.Run(c.about, func(t *testing.T) {
			var doc yaml.Node
			err := yaml.NewDecoder(strings.NewReader(c.text)).Decode(&doc)
			require.Error(t, err)
			line, problem := Locate(err)
			assert.Equal(t, c.line, line, err)
			assert.Equal(t, c.problem, problem)
		})
	}
}

func TestLocateOtherErrors(t *testing.T) {
	line, problem := Locate(io.ErrUnexpectedEOF)
	assert.Zero(t, line)
	assert.Equal(t, "unexpected EOF", problem)
	line, problem = Locate(errors.New("yaml: line 3: two\nlines"))
	assert.Equal(t, 3, line)
	assert.Equal(t, "two lines", problem)
}

func TestPosition(t *testing.T) {
	const text = "é: a\r\n\nb: é!"
	for _, c := range []struct {
		about, of    string
		line, column int
	}{
		{"the first byte", "é:", 1, 1},
		{"after a character of two bytes", ": a", 1, 2},
		{"the end of a line", "\n\n", 1, 6},
		{"an empty line", "\nb", 2, 1},
		{"the last line", "!", 3, 5},
	} {
		t.Run(c.about, func(t *testing.T) {
			line, column := Position([]byte(text), strings.Index(text, c.of))
			assert.Equal(t, c.line, line)
			assert.Equal(t, c.column, column)
		})
	}
	line, column := Position(nil, 0)
	assert.Equal(t, []int{1, 1}, []int{line, column}, "an empty text")
}

func TestInvalid(t *testing.T) {
	for text, want := range map[string]int{
		"": -1, "é\ufffd\U0001f600": -1, "é\xff\xff": 2, "\xc3": 0, "a\xed\xa0\x80": 1,
	} {
		assert.Equal(t, want, Invalid([]byte(text)), "%q", text)
	}
}

func TestAllowed(t *testing.T) {
	for _, r := range "\t\n\r aé\u0085\u00a0\u2028\ufffd\U0001f600" {
		assert.True(t, Allowed(r), "%U", r)
	}
	for _, r := range "\x00\x01\x1f\x7f\u0080\u009f\ufeff\ufffe\uffff" {
		assert.False(t, Allowed(r), "%U", r)
	}
}

func TestAllowedCharactersAreRead(t *testing.T) {
	var allowed strings.Builder
	for r := rune(1); r < 0x20000; r++ {
		// The others are quotes and line ends, or have no UTF-8.
		if Allowed(r) && utf8.ValidRune(r) && !strings.ContainsRune("'\n\r\u0085\u2028\u2029", r) {
			allowed.WriteRune(r)
		}
	}
	want := "<" + allowed.String() + ">"
	var got string
	require.NoError(t, yaml.Unmarshal([]byte("'"+want+"'"), &got))
	assert.True(t, want == got)
}

func TestBool(t *testing.T) {
	for _, word := range []string{"y", "yes", "on", "true"} {
		for _, form := range []string{word, strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:]} {
			value, ok := Bool(form)
			assert.True(t, value && ok, form)
		}
	}
	for _, word := range []string{"n", "no", "off", "false"} {
		for _, form := range []string{word, strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:]} {
			value, ok := Bool(form)
			assert.True(t, !value && ok, form)
		}
	}
	for _, word := range []string{"", "yEs", "nO", "1", "null", "truer"} {
		_, ok := Bool(word)
		assert.False(t, ok, word)
	}
}

func TestAmbiguous(t *testing.T) {
	for _, word := range []string{"y", "N", "yEs", "On", "FALSE", "Null"} {
		assert.True(t, Ambiguous(word), word)
	}
	for _, word := range []string{"", "~", "ye", "nulls", "None", "1"} {
		assert.False(t, Ambiguous(word), word)
	}
}
