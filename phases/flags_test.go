package phases

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// abcFlags names the three flags of most tests.
var abcFlags = MustVocabulary([]FlagDef{{flagA, "A", "first", false}, {flagB, "B", "second", false}, {flagC, "C", "", false}})

func TestFlags(t *testing.T) {
	f := flagA | flagC
	assert.True(t, f.Has(0))
	assert.True(t, f.Has(flagC))
	assert.False(t, f.Has(flagA|flagB), "every flag must be there")
	assert.Equal(t, 2, f.Len())
	assert.Equal(t, []Flags{flagA, flagC}, slices.Collect(f.Each))
	assert.Equal(t, []Flags{1 << 63}, slices.Collect(Flags(1<<63).Each))
	for first := range f.Each {
		assert.Equal(t, flagA, first)
		break
	}
}

func TestNewVocabularyRefuses(t *testing.T) {
	var many []FlagDef
	for i := range MaxFlags + 1 {
		many = append(many, FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	for _, c := range []struct {
		about     string
		defs      []FlagDef
		relations []Clause
		want      VocabularyError
	}{
		{"more flags than bits", many, nil, VocabularyError{64, "F64", "there are 65 flags; a vocabulary holds at most 64"}},
		{"an empty name", []FlagDef{{1, "A", "", false}, {2, "", "", false}}, nil, VocabularyError{1, "", "has no name"}},
		{"a description that is not UTF-8", []FlagDef{{1, "A", "\xff", false}}, nil, VocabularyError{0, "A", "has a description that is not valid UTF-8"}},
		{"a name that is not UTF-8", []FlagDef{{1, "\xff", "", false}}, nil, VocabularyError{0, "\xff", "is not valid UTF-8"}},
		{"a leading !", []FlagDef{{1, "!A", "", false}}, nil, VocabularyError{0, "!A", `starts with "!", which negates a flag in a relation`}},
		{"a comma", []FlagDef{{1, "A,B", "", false}}, nil, VocabularyError{0, "A,B", "contains a comma, white space or a control character"}},
		{"a space", []FlagDef{{1, "A B", "", false}}, nil, VocabularyError{0, "A B", "contains a comma, white space or a control character"}},
		{"a no-break space", []FlagDef{{1, "A\u00a0B", "", false}}, nil, VocabularyError{0, "A\u00a0B", "contains a comma, white space or a control character"}},
		{"a control character", []FlagDef{{1, "A\x00", "", false}}, nil, VocabularyError{0, "A\x00", "contains a comma, white space or a control character"}},
		{"a name twice", []FlagDef{{1, "A", "", false}, {2, "A", "", false}}, nil, VocabularyError{1, "A", "is defined twice"}},
		{"rows out of order", []FlagDef{{2, "B", "", false}, {1, "A", "", false}}, nil,
			VocabularyError{0, "B", "is in row 0 and must be the bit 1<<0; put the rows in the order of the constants"}},
		{"an empty relation", []FlagDef{{1, "A", "", false}}, []Clause{{True: 1}, {}}, VocabularyError{1, "relation 2", "is empty and can never hold"}},
		{"a relation of unknown flags", []FlagDef{{1, "A", "", false}}, []Clause{{True: 2}}, VocabularyError{0, "relation 1", "names a flag that the vocabulary does not have"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			v, err := NewVocabulary(c.defs, c.relations...)
			assert.Nil(t, v)
			var got *VocabularyError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.want, *got)
			assert.PanicsWithError(t, err.Error(), func() { MustVocabulary(c.defs, c.relations...) })
		})
	}
}

func TestVocabularyOf64Flags(t *testing.T) {
	var defs []FlagDef
	for i := range MaxFlags {
		defs = append(defs, FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	v, err := NewVocabulary(defs, Clause{True: 1 << 63})
	require.NoError(t, err)
	assert.Equal(t, ^Flags(0), v.All())
	last, ok := v.Lookup("F63")
	assert.True(t, ok)
	assert.Equal(t, Flags(1<<63), last)
	assert.Equal(t, []string{"F0", "F63"}, v.Names(1|1<<63))
}

func TestVocabularyLookups(t *testing.T) {
	assert.Equal(t, 3, abcFlags.Len())
	assert.Equal(t, abc, abcFlags.All())
	assert.Equal(t, "second", abcFlags.Describe(flagB))
	assert.Empty(t, abcFlags.Describe(flagA|flagB), "more than one flag")
	assert.Equal(t, []string{}, abcFlags.Names(0), "empty, not nil")
	assert.Equal(t, []string{"A", "C"}, abcFlags.Names(flagC|flagA|1<<40), "in the order of the vocabulary, without unknown bits")

	_, ok := abcFlags.Lookup("a")
	assert.False(t, ok)
	set, err := abcFlags.Parse("C", "A", "C")
	require.NoError(t, err)
	assert.Equal(t, flagA|flagC, set)
	_, err = abcFlags.Parse("A", "D")
	var unknown *UnknownFlagError
	require.ErrorAs(t, err, &unknown)
	assert.EqualError(t, err, `unknown flag "D"; known: A, B and C`)
}

func TestVocabularyIsImmutable(t *testing.T) {
	defs := []FlagDef{{1, "A", "", false}}
	relations := []Clause{{True: 1}}
	v := MustVocabulary(defs, relations...)
	defs[0].Name, relations[0].True = "changed", 0
	v.Defs()[0].Name, v.Relations()[0].True = "changed", 0
	assert.Equal(t, []FlagDef{{1, "A", "", false}}, v.Defs())
	assert.Equal(t, []Clause{{True: 1}}, v.Relations())
}

func TestVocabularyBroken(t *testing.T) {
	impliesB := Clause{True: flagB, False: flagA} // A implies B
	either := Clause{True: flagB | flagC}
	v := MustVocabulary(abcFlags.Defs(), impliesB, either)
	for _, c := range []struct {
		about   string
		yes, no Flags
		want    []Clause
	}{
		{"nothing known", 0, 0, nil},
		{"A without B", flagA, flagB, []Clause{impliesB}},
		{"A, and B unknown", flagA, 0, nil},
		{"neither A nor B", 0, flagA | flagB, nil},
		{"neither B nor C", 0, flagB | flagC, []Clause{either}},
		{"A alone", flagA, flagB | flagC, []Clause{impliesB, either}},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Equal(t, c.want, v.Broken(NewFacts(c.yes, c.no)))
		})
	}
	assert.Equal(t, []string{"!A", "B"}, v.Literals(impliesB))
	assert.Equal(t, []string{"!A", "A"}, v.Literals(Clause{True: flagA, False: flagA}))
}
