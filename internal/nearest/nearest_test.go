package nearest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNames(t *testing.T) {
	known := []string{"HasPVs", "HasISs", "HasStagePods", "HasStageBackup", "DirectVolume"}
	for _, c := range []struct {
		about, name string
		want        []string
	}{
		{"a swapped letter", "HasVPs", []string{"HasPVs", "HasISs"}},
		{"another case", "haspvs", []string{"HasPVs", "HasISs"}},
		{"a part of a name", "StageBackup", []string{"HasStageBackup"}},
		{"nothing like it", "Quiesce", nil},
		{"nothing at all", "", nil},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Equal(t, c.want, Names(c.name, known))
		})
	}
}

func TestNamesReturnsAtMostThree(t *testing.T) {
	assert.Len(t, Names("abcde", []string{"abcd1", "abcd2", "abcd3", "abcd4"}), Most)
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"flaw", "lawn", 2},
	} {
		assert.Equal(t, c.want, distance(c.a, c.b), "%q to %q", c.a, c.b)
	}
}
