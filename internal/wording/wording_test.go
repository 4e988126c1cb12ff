package wording

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestNearest(t *testing.T) {
	known := []string{"step", "HasPVs", "HasISs", "HasStagePods", "HasStageBackup", "DirectVolume"}
	for _, c := range []struct {
		about, name string
		want        []string
	}{
		{"a swapped letter", "HasVPs", []string{"HasPVs", "HasISs"}},
		{"another case", "haspvs", []string{"HasPVs"}},
		{"another letter, and no other", "h", nil},
		{"a part of a name", "StageBackup", []string{"HasStageBackup"}},
		{"two letters swapped in a short one", "stpe", []string{"step"}},
		{"half of a short one", "spot", nil},
		{"no similar name", "Quiesce", nil},
		{"an empty name", "", nil},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Equal(t, c.want, Nearest(c.name, known))
		})
	}
}

func TestNearestReturnsAtMostThree(t *testing.T) {
	assert.Len(t, Nearest("abcde", []string{"abcd1", "abcd2", "abcd3", "abcd4"}), Most)
}

func TestNearestIgnoresLongNames(t *testing.T) {
	long := strings.Repeat("a", Longest+1)
	assert.Empty(t, Nearest(long, []string{long}))
	assert.Equal(t, []string{long[1:]}, Nearest(long[1:], []string{long, "", long[1:]}))
}

func TestListAndDidYouMean(t *testing.T) {
	for _, c := range []struct {
		names            []string
		list, didYouMean string
	}{
		{nil, "", ""},
		{[]string{"A"}, "A", `; did you mean "A"?`},
		{[]string{"A", "B"}, "A or B", `; did you mean "A" or "B"?`},
		{[]string{"A", "B", "C"}, "A, B or C", `; did you mean "A", "B" or "C"?`},
	} {
		assert.Equal(t, c.list, List(c.names, "or"))
		assert.Equal(t, c.didYouMean, DidYouMean(c.names))
	}
}

func TestFewAndDecidedBy(t *testing.T) {
	for _, c := range []struct {
		names          []string
		few, decidedBy string
	}{
		{nil, "", ""},
		{[]string{"A"}, "A", " (decided by A)"},
		{[]string{"A", "B", "C"}, "A, B and C", " (decided by A, B and C)"},
		{[]string{"A", "B", "C", "D"}, "A, B and 2 more", " (decided by A, B and 2 more)"},
	} {
		assert.Equal(t, c.few, Few(c.names))
		assert.Equal(t, c.decidedBy, DecidedBy(c.names))
	}
}

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "0 s", 999 * time.Millisecond: "0 s", -time.Millisecond: "0 s",
		time.Second: "1 s", 45*time.Second + 900*time.Millisecond: "45 s", -45 * time.Second: "-45 s",
		time.Minute: "1 min", 3*time.Minute + 20*time.Second: "3 min", time.Hour - 1: "59 min",
		time.Hour: "1 h", 2*time.Hour + 5*time.Minute + 59*time.Second: "2 h 5 min", 2*time.Hour + 59*time.Second: "2 h", day - 1: "23 h 59 min",
		day: "1 day", 28 * time.Hour: "1 day 4 h", 2*day - 1: "1 day 23 h", 3 * day: "3 days", 3*day + 30*time.Minute: "3 days", 400*day + 5*time.Hour: "400 days 5 h",
		math.MaxInt64: "106751 days 23 h", math.MinInt64: "-106751 days 23 h", -90 * time.Minute: "-1 h 30 min",
	} {
		assert.Equal(t, want, Duration(d), "%s", d)
	}
}

func TestExact(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 10 * time.Second: "10 s", 1500 * time.Millisecond: "1.5s",
		20 * time.Minute: "20 min", 90 * time.Second: "1m30s", 90 * time.Minute: "1 h 30 min",
		25 * time.Hour: "1 day 1 h", 24*time.Hour + time.Minute: "24h1m0s", -time.Minute: "-1 min",
	} {
		assert.Equal(t, want, Exact(d), "%s", d)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"step", "stpe", 1}, {"ab", "ba", 1},
	} {
		assert.Equal(t, c.want, distance(c.a, c.b), "%q to %q", c.a, c.b)
	}
}
