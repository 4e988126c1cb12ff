package bench

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// results is the output of benchmarks.
type results struct {
	about  map[string]string               // the header, by key
	values map[string]map[string][]float64 // by benchmark and unit, a value for each run
}

var (
	aboutLine = regexp.MustCompile(`^([a-z][^ :]*): +(.+)$`)
	resultOf  = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)
)

// parse parses Go's benchmark format.
func parse(text string) (*results, error) {
	r := &results{about: map[string]string{}, values: map[string]map[string][]float64{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if m := aboutLine.FindStringSubmatch(line); m != nil {
			r.about[m[1]] = strings.TrimSpace(m[2])
			continue
		}
		m := resultOf.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		fields := strings.Fields(m[2])
		if r.values[m[1]] == nil {
			r.values[m[1]] = map[string][]float64{}
		}
		for i := 0; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m[1], err)
			}
			unit := fields[i+1]
			r.values[m[1]][unit] = append(r.values[m[1]][unit], v)
		}
	}
	return r, lines.Err()
}

// of returns the median of a benchmark in a unit, and reports whether there is one.
func (r *results) of(name, unit string) (float64, bool) {
	all := slices.Sorted(slices.Values(r.values[name][unit]))
	n := len(all)
	if n == 0 {
		return 0, false
	}
	return (all[(n-1)/2] + all[n/2]) / 2, true
}

// spread returns the largest distance of a value from the median, relative to the
// median.
func (r *results) spread(name, unit string) float64 {
	median, ok := r.of(name, unit)
	if !ok || median == 0 {
		return 0
	}
	far := 0.0
	for _, v := range r.values[name][unit] {
		far = max(far, math.Abs(v-median))
	}
	return far / median
}

// runs returns the smallest number of runs of a benchmark.
func (r *results) runs() int {
	least := 0
	for _, units := range r.values {
		for _, values := range units {
			if least == 0 || len(values) < least {
				least = len(values)
			}
		}
	}
	return least
}

// read reads a file of results.
func read(tb testing.TB, path string) *results {
	text, err := os.ReadFile(path)
	require.NoError(tb, err)
	r, err := parse(string(text))
	require.NoError(tb, err)
	return r
}

func TestParse(t *testing.T) {
	r, err := parse(`date: 2026-11-26
cpu: A Processor
BenchmarkHop/by=a-2   	   10	      30.5 ns/op	     5 allocs/op
BenchmarkHop/by=a-2   	   10	      20 ns/op	     5 allocs/op
BenchmarkHop/by=a-2   	   10	      40 ns/op	     5 allocs/op
BenchmarkLive/by=a-b   	   1	      56 B/run
PASS
ok  	example.com/bench	1.2s
`)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"date": "2026-11-26", "cpu": "A Processor"}, r.about)
	for _, c := range []struct {
		name, unit   string
		want, spread float64
	}{
		{"Hop/by=a", "ns/op", 30.5, 10.5 / 30.5},
		{"Hop/by=a", "allocs/op", 5, 0},
		{"Live/by=a-b", "B/run", 56, 0},
	} {
		got, ok := r.of(c.name, c.unit)
		assert.True(t, ok, c.name)
		assert.InDelta(t, c.want, got, 1e-9, c.name)
		assert.InDelta(t, c.spread, r.spread(c.name, c.unit), 1e-9, c.name)
	}
	_, ok := r.of("Hop/by=b", "ns/op")
	assert.False(t, ok)
	_, err = parse("BenchmarkHop 10 many ns/op\n")
	require.ErrorContains(t, err, "Hop")
}
