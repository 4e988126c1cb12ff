package phases

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Flags is a set of flags, one bit each: a single flag is a set of one. A [Vocabulary]
// names the bits; bit positions are never stored.
type Flags uint64

// MaxFlags is the maximum number of flags in a vocabulary.
const MaxFlags = 64

// Has reports whether every flag of g is in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Len returns the number of flags in f.
func (f Flags) Len() int { return bits.OnesCount64(uint64(f)) }

// Each calls yield with each single flag of f, lowest bit first. It has the
// shape of an iterator: for flag := range f.Each { ... }.
func (f Flags) Each(yield func(Flags) bool) {
	for f != 0 {
		one := f & -f
		if !yield(one) {
			return
		}
		f &^= one
	}
}

// FlagDef is a row of a vocabulary.
type FlagDef struct {
	Flag Flags
	Name string
	// Description is a short sentence that states when the flag is true.
	Description string
	// Live marks a flag that may change at any moment, because a user may change the
	// object. It counts as if every phase decided it: it is evaluated again when a
	// phase is done, and what depends on it is tentative until then. A flag that is not
	// live keeps its value from the start of its itinerary, or the value that a phase
	// decided, so a run does not drift from its plan.
	Live bool
}

// Clause is a relation between flags. It holds if at least one flag of True is true or
// at least one flag of False is false. "A implies B" is the clause {True: B, False: A}.
type Clause struct {
	True, False Flags
}

// Broken reports whether the clause is known not to hold: every flag of True is known
// to be false and every flag of False is known to be true.
func (c Clause) Broken(f Facts) bool {
	return f.no.Has(c.True) && f.yes.Has(c.False)
}

// Vocabulary names up to [MaxFlags] flags, describes them, and holds the
// relations between them. It is immutable and safe for concurrent use.
type Vocabulary struct {
	defs      []FlagDef
	sorted    []FlagDef // by name
	relations []Clause
	byName    map[string]Flags
	live      Flags
}

// NewVocabulary returns a vocabulary of the given flags, in this order. Row i must
// define bit i (1 << i), which keeps a table of constants and the vocabulary in step.
// Names must be unique, not empty, and free of white space, control characters, commas
// and a leading "!"; names and descriptions must be UTF-8. The error is a
// [*VocabularyError].
func NewVocabulary(defs []FlagDef, relations ...Clause) (*Vocabulary, error) {
	if len(defs) > MaxFlags {
		return nil, &VocabularyError{Row: MaxFlags, Name: defs[MaxFlags].Name,
			Problem: fmt.Sprintf("there are %d flags; a vocabulary holds at most %d", len(defs), MaxFlags)}
	}
	v := &Vocabulary{
		defs:      append([]FlagDef(nil), defs...),
		sorted:    slices.SortedFunc(slices.Values(defs), func(a, b FlagDef) int { return strings.Compare(a.Name, b.Name) }),
		relations: append([]Clause(nil), relations...),
		byName:    make(map[string]Flags, len(defs)),
	}
	for i, d := range defs {
		problem := flagNameProblem(d.Name)
		if _, ok := v.byName[d.Name]; ok {
			problem = "is defined twice"
		}
		if problem == "" && d.Flag != 1<<i {
			problem = fmt.Sprintf("is in row %d and must be the bit 1<<%d; put the rows in the order of the constants", i, i)
		}
		if problem == "" && !utf8.ValidString(d.Description) {
			problem = "has a description that is not valid UTF-8"
		}
		if problem != "" {
			return nil, &VocabularyError{Row: i, Name: d.Name, Problem: problem}
		}
		v.byName[d.Name] = d.Flag
		if d.Live {
			v.live |= d.Flag
		}
	}
	for i, c := range relations {
		problem := ""
		switch {
		case c.True|c.False == 0:
			problem = "is empty and can never hold"
		case !v.All().Has(c.True | c.False):
			problem = "names a flag that the vocabulary does not have"
		}
		if problem != "" {
			return nil, &VocabularyError{Row: i, Name: fmt.Sprintf("relation %d", i+1), Problem: problem}
		}
	}
	return v, nil
}

// MustVocabulary is [NewVocabulary] for package-level tables. It panics on an error.
func MustVocabulary(defs []FlagDef, relations ...Clause) *Vocabulary {
	v, err := NewVocabulary(defs, relations...)
	if err != nil {
		panic(err)
	}
	return v
}

func flagNameProblem(name string) string {
	switch {
	case name == "":
		return "has no name"
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.HasPrefix(name, "!"):
		return `starts with "!", which negates a flag in a relation`
	case strings.ContainsFunc(name, func(r rune) bool {
		return r == ',' || unicode.IsSpace(r) || unicode.IsControl(r)
	}):
		return "contains a comma, white space or a control character"
	}
	return ""
}

// Len returns the number of flags.
func (v *Vocabulary) Len() int { return len(v.defs) }

// All returns the set of all flags of the vocabulary.
func (v *Vocabulary) All() Flags {
	if len(v.defs) == MaxFlags {
		return ^Flags(0)
	}
	return 1<<len(v.defs) - 1
}

// Defs returns a copy of the rows, in order.
func (v *Vocabulary) Defs() []FlagDef { return append([]FlagDef(nil), v.defs...) }

// Relations returns a copy of the relations, in order.
func (v *Vocabulary) Relations() []Clause { return append([]Clause(nil), v.relations...) }

// Lookup returns the flag of that name. It returns false if the vocabulary has none.
func (v *Vocabulary) Lookup(name string) (Flags, bool) {
	f, ok := v.byName[name]
	return f, ok
}

// Parse returns the set of the flags of these names. The error is an
// [*UnknownFlagError] if the vocabulary does not have a name.
func (v *Vocabulary) Parse(names ...string) (Flags, error) {
	var set Flags
	for _, name := range names {
		f, ok := v.byName[name]
		if !ok {
			e := &UnknownFlagError{Name: name, Nearest: wording.Nearest(name, v.Names(v.All()))}
			if e.Nearest == nil {
				e.Known = v.Names(v.All())
			}
			return 0, e
		}
		set |= f
	}
	return set, nil
}

// Names returns the names of the flags in f, in the order of the vocabulary. It is
// empty, never nil, if there are none. Bits that the vocabulary does not have are
// ignored.
func (v *Vocabulary) Names(f Flags) []string {
	names := make([]string, 0, f.Len())
	for i := range v.defs {
		if f&(1<<i) != 0 {
			names = append(names, v.defs[i].Name)
		}
	}
	return names
}

// Live returns the flags that are live: see [FlagDef].
func (v *Vocabulary) Live() Flags {
	if v == nil {
		return 0
	}
	return v.live
}

// Describe returns the description of a single flag, and "" for any other set.
func (v *Vocabulary) Describe(flag Flags) string {
	for _, d := range v.defs {
		if d.Flag == flag {
			return d.Description
		}
	}
	return ""
}

// Broken returns the relations that are known not to hold, in order.
func (v *Vocabulary) Broken(f Facts) []Clause {
	var broken []Clause
	for _, c := range v.relations {
		if c.Broken(f) {
			broken = append(broken, c)
		}
	}
	return broken
}

// Literals returns a clause as the names of its flags, those of False with a leading
// "!", in the order of the vocabulary. This is the form of the YAML files.
func (v *Vocabulary) Literals(c Clause) []string {
	literals := make([]string, 0, c.True.Len()+c.False.Len())
	for _, d := range v.defs {
		if c.False&d.Flag != 0 {
			literals = append(literals, "!"+d.Name)
		}
		if c.True&d.Flag != 0 {
			literals = append(literals, d.Name)
		}
	}
	return literals
}
