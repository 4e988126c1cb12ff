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
	// Of graph alone.
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

// checkChoice refuses a value of an option that is not one of the choices.
func checkChoice(option, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return fmt.Errorf("%s takes %s, not %q%s", option, wording.List(choices, "or"), value, wording.DidYouMean(wording.Nearest(value, choices)))
}

// output collects what is printed and passes it on in large pieces. Errors are
// [*writeError].
type output struct {
	w   io.Writer
	buf bytes.Buffer
}

// flush passes on what has been collected.
func (o *output) flush() error {
	_, err := o.w.Write(o.buf.Bytes())
	o.buf.Reset()
	if err != nil {
		return &writeError{err}
	}
	return nil
}

// spill passes on what has been collected, if that is much.
func (o *output) spill() error {
	if o.buf.Len() < 1<<16 {
		return nil
	}
	return o.flush()
}

const jsonIndent = "    " // as kubectl does

// array prints elements of one JSON array as they come, so that a long one
// need not fit into memory.
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

// marshal writes a value as JSON, without the escapes that only HTML needs.
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
	rows   [][]cell
}

type cell struct {
	text, color string
	// painted text holds colours already and stands in the last column.
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

// write writes the table, each line behind the indent.
func (t *table) write(b *bytes.Buffer, indent string) {
	var widths []int
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
	for _, row := range t.rows {
		b.WriteString(indent)
		for i, c := range row {
			b.WriteString(t.colors.paint(c.color, c.text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-runes(c.text)+3))
			}
		}
		b.WriteByte('\n')
	}
}

// plain are cells without colours.
func plain(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, text := range texts {
		cells[i] = cell{text: text}
	}
	return cells
}

// orDash is a text, or a dash if there is none.
func orDash(text string) cell {
	if text == "" {
		return cell{text: "-", color: dim}
	}
	return cell{text: text}
}

// runes is the width of a text in a table.
func runes(text string) int { return utf8.RuneCountInString(text) }
