package bench

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the tables of README.md from the results")

const (
	readme  = "README.md"
	figures = "testdata/results.txt"
	loaded  = "testdata/load.txt"
)

func TestREADME(t *testing.T) {
	r, load := read(t, figures), read(t, loaded)
	before, err := os.ReadFile(readme)
	require.NoError(t, err)
	after := string(before)
	for _, part := range []struct{ marker, text string }{
		{"targets", about(r) + "\n\n" + targetTable(r, targets)},
		{"load", fmt.Sprintf("Measured on %s.\n\n%s\n\n%s", load.about["date"], loadTable(t, load), targetTable(load, loadTargets))},
		{"results", resultTables(t, r)},
	} {
		after, err = replaced(after, part.marker, part.text)
		require.NoError(t, err)
	}
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(after), 0o644))
		return
	}
	assert.Equal(t, after, string(before),
		"%s differs from %s or %s; rewrite it with go test -run TestREADME -update", readme, figures, loaded)
}

// replaced returns text with the part between two markers replaced.
func replaced(text, marker, by string) (string, error) {
	begin, end := "<!-- "+marker+" -->\n", "<!-- end of "+marker+" -->"
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		return "", fmt.Errorf("%s lacks %q before %q", readme, begin, end)
	}
	return text[:i+len(begin)] + by + "\n" + text[j:], nil
}

// about describes the machine and the versions of the results.
func about(r *results) string {
	var peers []string
	for _, path := range []string{"github.com/looplab/fsm", "github.com/qmuntal/stateless", "github.com/cocoonspace/fsm"} {
		peers = append(peers, strings.TrimPrefix(path, "github.com/")+" "+r.about[path])
	}
	return fmt.Sprintf("Measured on %s at %s with %s on %s; %s. Each figure is the median of %d runs.",
		r.about["date"], r.about["commit"], r.about["go"], r.about["cpu"], strings.Join(peers, ", "), r.runs())
}

func targetTable(r *results, targets []target) string {
	var b strings.Builder
	b.WriteString("| | limit | measured | |\n| --- | --- | --- | --- |")
	for _, target := range targets {
		limit, measured, met := "", "not measured", ""
		if target.limit > 0 {
			limit = number(target.limit) + " " + target.unit
		}
		if v, ok := target.of(r); ok {
			measured = number(v) + " " + target.unit
			switch {
			case target.limit == 0:
			case v <= target.limit:
				met = "reached"
			default:
				met = "**missed**"
			}
		}
		fmt.Fprintf(&b, "\n| %s | %s | %s | %s |", target.what, limit, measured, met)
	}
	return b.String()
}

// loadTable returns a table with a column for each process.
func loadTable(t *testing.T, r *results) string {
	names := []string{"Load/processes=1/process=1", "Load/processes=2/process=1", "Load/processes=2/process=2"}
	var b strings.Builder
	b.WriteString("| | one process | first of two | second of two |\n| --- | --- | --- | --- |")
	for _, row := range loadRows {
		fmt.Fprintf(&b, "\n| %s |", row.what)
		for _, name := range names {
			if row.all {
				name, _, _ = strings.Cut(name, "/process=")
			}
			v, ok := r.of(name, row.unit)
			assert.True(t, ok, "%s lacks %s in %s", loaded, name, row.unit)
			fmt.Fprintf(&b, " %s |", number(v))
		}
	}
	return b.String()
}

func resultTables(t *testing.T, r *results) string {
	var b strings.Builder
	shown := map[string]bool{}
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n\n")
		}
		fmt.Fprintf(&b, "### %s\n\n", s.title)
		if s.note != "" {
			b.WriteString(s.note + "\n\n")
		}
		writeTable(t, &b, r, s, shown)
	}
	for name := range r.values {
		if strings.Contains(name, "/by=") {
			assert.True(t, shown[name], "%s has no row in a table", name)
		}
	}
	return b.String()
}

// column is a column of a table. It is shown if a contender has a value in its unit.
type column struct {
	title, unit string
	format      func(v float64) string
}

var columns = []column{
	{"time", "ns/op", duration},
	{"allocations", "allocs/op", number},
	{"bytes", "B/op", number},
	{"bytes of a run", "B/run", number},
}

// writeTable writes the table of a section: the columns that have values, and the first
// of them as a multiple of this project's.
func writeTable(t *testing.T, b *strings.Builder, r *results, s section, shown map[string]bool) {
	name := func(row row) string { return s.bench + "/by=" + row.by }
	var used []column
	for _, c := range columns {
		if slices.ContainsFunc(s.rows, func(row row) bool { _, ok := r.of(name(row), c.unit); return ok }) {
			used = append(used, c)
		}
	}
	if !assert.NotEmpty(t, used, "%s lacks %s", figures, s.bench) {
		return
	}
	b.WriteString("|")
	for _, c := range used {
		b.WriteString(" | " + c.title)
	}
	b.WriteString(" | relative | caveat |\n|" + strings.Repeat(" --- |", len(used)+3))
	base, _ := r.of(name(s.rows[0]), used[0].unit)
	for _, row := range s.rows {
		shown[name(row)] = true
		fmt.Fprintf(b, "\n| %s |", row.by)
		for i, c := range used {
			v, ok := r.of(name(row), c.unit)
			assert.True(t, ok, "%s lacks %s in %s", figures, name(row), c.unit)
			b.WriteString(" " + c.format(v))
			if p := r.spread(name(row), c.unit); i == 0 && p >= 0.005 {
				fmt.Fprintf(b, " ±%.0f %%", 100*p)
			}
			b.WriteString(" |")
		}
		first, _ := r.of(name(row), used[0].unit)
		fmt.Fprintf(b, " %s | %s |", number(first/base), row.caveat)
	}
}

// duration formats nanoseconds.
func duration(ns float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= u.of {
			return number(ns/u.of) + " " + u.name
		}
	}
	return number(ns) + " ns"
}

// number formats a number with three significant digits; integers are not rounded.
func number(v float64) string {
	switch {
	case v >= 100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func TestNumberAndDuration(t *testing.T) {
	for want, got := range map[string]string{
		"0": number(0), "5": number(5), "1234": number(1234.4), "12.3": number(12.34), "1.30": number(1.3), "0.0012": number(0.00123),
		"1.50 µs": duration(1500), "12.0 ns": duration(12.04), "2 s": duration(2e9), "124 µs": duration(124_000),
	} {
		assert.Equal(t, want, got)
	}
}
