package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// The formats that -o takes.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
	// For graph only.
	formatText    = "text"
	formatDOT     = "dot"
	formatMermaid = "mermaid"
	formatSVG     = "svg"
)

// registerOutput adds -o to a command.
func registerOutput(cmd *cobra.Command, format *string, standard, usage string, formats ...string) {
	cmd.Flags().StringVarP(format, "output", "o", standard, usage)
	complete(cmd, "output", fixed(formats...))
}

// checkChoice returns an error if the value of an option is not one of the choices.
func checkChoice(option, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return fmt.Errorf("%s takes %s, not %q%s", option, wording.List(choices, "or"), value,
		wording.DidYouMean(wording.Nearest(value, choices)))
}

// output buffers what is printed and writes it in large pieces. Errors are [*writeError].
type output struct {
	w   io.Writer
	buf bytes.Buffer
	// width is the number of columns at which tables are wrapped ([terminalWidth]).
	width int
}

// flush writes the buffer.
func (o *output) flush() error {
	_, err := o.w.Write(o.buf.Bytes())
	o.buf.Reset()
	if err != nil {
		return &writeError{err}
	}
	return nil
}

// spill writes the buffer if it is large.
func (o *output) spill() error {
	if o.buf.Len() < 1<<16 {
		return nil
	}
	return o.flush()
}

const jsonIndent = "    " // as kubectl does

// array prints the elements of one JSON array as they come, so a long one need not fit into
// memory.
type array struct {
	output
	yaml bool
	n    int
}

func (p *array) add(v any) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	if p.yaml {
		writeYAML(&p.buf, rawjson.Array([]json.RawMessage{text}), 0)
	} else {
		p.buf.WriteString(map[bool]string{true: "[\n", false: ",\n"}[p.n == 0] + jsonIndent)
		if err := json.Indent(&p.buf, text, jsonIndent, jsonIndent); err != nil {
			return err
		}
	}
	p.n++
	return p.spill()
}

func (p *array) close() error {
	switch {
	case p.n == 0:
		p.buf.WriteString("[]\n")
	case !p.yaml:
		p.buf.WriteString("\n]\n")
	}
	return p.flush()
}

// marshal encodes a value as JSON without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(buf.Bytes()), err
}

// table is columns of text, each as wide as its content.
type table struct {
	colors colors
	// width is that of the terminal, at which the last column is wrapped. Zero means no
	// wrapping ([terminalWidth]).
	width int
	rows  [][]cell
}

type cell struct {
	text, color string
	// painted reports whether the text already holds colours. It must be in the last
	// column.
	painted bool
}

func (t *table) head(titles ...string) {
	row := make([]cell, len(titles))
	for i, title := range titles {
		row[i] = cell{text: title, color: bold}
	}
	t.rows = append(t.rows, row)
}

func (t *table) row(cells ...cell) { t.rows = append(t.rows, cells) }

// write writes the table, each line after the indent.
func (t *table) write(b *bytes.Buffer, indent string) {
	widths := t.widths()
	for _, row := range t.rows {
		t.writeRow(b, row, widths, indent)
	}
}

// widths makes each cell one line and returns the width of each column.
func (t *table) widths() (widths []int) {
	for _, row := range t.rows {
		for i := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if row[i].painted {
				continue
			}
			row[i].text = oneLine(row[i].text)
			widths[i] = max(widths[i], runes(row[i].text))
		}
	}
	return widths
}

// writeRow writes a row with columns of these widths.
func (t *table) writeRow(b *bytes.Buffer, row []cell, widths []int, indent string) {
	b.WriteString(indent)
	column := runes(indent)
	for i, c := range row {
		if i == len(row)-1 {
			t.writeLast(b, c, column, indent)
			break
		}
		b.WriteString(t.colors.paint(c.color, c.text))
		b.WriteString(strings.Repeat(" ", widths[i]-runes(c.text)+columnGap))
		column += widths[i] + columnGap
	}
	b.WriteByte('\n')
}

const (
	columnGap = 3
	// minLast is the minimum width of the last column. If it is narrower, its text moves to
	// separate lines, indented by lastIndent.
	minLast    = 20
	lastIndent = "    "
)

// writeLast writes the last cell of a row, which begins at that column. If it does not fit
// into the width, it is wrapped.
func (t *table) writeLast(b *bytes.Buffer, c cell, column int, indent string) {
	text := t.colors.paint(c.color, c.text)
	if t.width == 0 || column+visibleWidth(text) <= t.width {
		b.WriteString(text)
		return
	}
	begin := strings.Repeat(" ", column)
	if t.width-column < minLast {
		begin = indent + lastIndent
		b.Truncate(len(bytes.TrimRight(b.Bytes(), " ")))
		b.WriteString("\n" + begin)
	}
	for i, line := range wrapWords(text, max(t.width-runes(begin), minLast/2)) {
		if i > 0 {
			b.WriteString("\n" + begin)
		}
		b.WriteString(line)
	}
}

// wrapWords breaks a text into lines at spaces, and words that are too long anywhere.
// Colour codes have no width; a colour that continues is switched on again in the next
// line.
func wrapWords(text string, width int) []string {
	var lines []string
	var line strings.Builder
	n, color := 0, "" // width and colour of the line
	end := func() {
		if color != "" {
			line.WriteString(reset)
		}
		lines = append(lines, line.String())
		line.Reset()
		line.WriteString(color)
		n = 0
	}
	for word := range strings.SplitSeq(text, " ") {
		w := visibleWidth(word)
		switch {
		case n > 0 && n+1+w <= width:
			line.WriteByte(' ')
			n++
		case n > 0:
			end()
		}
		for word != "" {
			if code := colorCode(word); code != "" {
				line.WriteString(code)
				if color = code; code == reset {
					color = ""
				}
				word = word[len(code):]
				continue
			}
			if n == width {
				end()
			}
			_, size := utf8.DecodeRuneInString(word)
			line.WriteString(word[:size])
			word = word[size:]
			n++
		}
	}
	end()
	return lines
}

// colorCode returns the colour code that a text begins with, or "".
func colorCode(text string) string {
	if !strings.HasPrefix(text, "\x1b[") {
		return ""
	}
	end := strings.IndexByte(text, 'm')
	return text[:end+1]
}

// visibleWidth returns the width of a text that may hold colours.
func visibleWidth(text string) int {
	n := 0
	for text != "" {
		if code := colorCode(text); code != "" {
			text = text[len(code):]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		n++
	}
	return n
}

// plain returns cells without colours.
func plain(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, text := range texts {
		cells[i] = cell{text: text}
	}
	return cells
}

// orDash returns a cell with the text, or a dash if it is empty.
func orDash(text string) cell {
	if text == "" {
		return cell{text: "-", color: dim}
	}
	return cell{text: text}
}

// runes returns the width of a text in a table.
func runes(text string) int { return utf8.RuneCountInString(text) }
