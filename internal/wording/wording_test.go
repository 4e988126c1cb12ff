package wording

import (
	"strings"
	"testing"

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
		{"another letter, and there is but one", "h", nil},
		{"a part of a name", "StageBackup", []string{"HasStageBackup"}},
		{"two letters swapped in a short one", "stpe", []string{"step"}},
		{"nothing like it", "Quiesce", nil},
		{"nothing at all", "", nil},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Equal(t, c.want, Nearest(c.name, known))
		})
	}
}

func TestNearestReturnsAtMostThree(t *testing.T) {
	assert.Len(t, Nearest("abcde", []string{"abcd1", "abcd2", "abcd3", "abcd4"}), Most)
}

func TestLongNamesAreNotCompared(t *testing.T) {
	long := strings.Repeat("a", Longest+1)
	assert.Empty(t, Nearest(long, []string{long}))
	assert.Equal(t, []string{long[1:]}, Nearest(long[1:], []string{long, "", long[1:]}))
}

func TestSentences(t *testing.T) {
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

func TestFewNamesAndHowManyMore(t *testing.T) {
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
