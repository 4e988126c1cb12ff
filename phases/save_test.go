package phases

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	k8syaml "sigs.k8s.io/yaml"
)

// requireRoundTrip saves a file, loads it, and saves it again.
func requireRoundTrip(t testing.TB, f *File) string {
	t.Helper()
	var first, second bytes.Buffer
	require.NoError(t, Save(&first, f))
	again, err := Load(bytes.NewReader(first.Bytes()), "saved")
	require.NoError(t, err, "%s", first.String())
	require.Empty(t, cmp.Diff(f, again, sameFile), "-saved +loaded\n%s", first.String())
	require.NoError(t, Save(&second, again))
	require.Equal(t, first.String(), second.String())
	return first.String()
}

func TestSaveWritesTheExampleUnchanged(t *testing.T) {
	f, text := databaseUpgrade(t)
	assert.Empty(t, cmp.Diff(string(text), requireRoundTrip(t, f)))
}

func TestSaveKeepsOddNames(t *testing.T) {
	names := []string{
		"yes", "No", "ON", "off", "y", "N", "true", "False", "null", "Null", "~", "", " ", "1", "-1", "+1", "1.5", "0x1F", "1e3", "1_000",
		"1:30", ".inf", ".nan", ".", "2001-01-01", "-", "- a", "-a", "?", "? a", ":", "a: b", "a:", ":a", "#x", "a #x", "a#x", "!a", "&a", "*a", "<<", "=",
		"@a", "`a`", "%a", "|", ">", "[a]", "{a}", "a, b", ",", "'a'", `"a"`, `it's "so"`, `\`, `a\nb`, "a\nb", "a\r\nb", "\n", "a\n", "\ta", "a ", " a", "a  b",
		"é", "e\u0301", "日本", "😀", "\u00a0", "\u0085", "\u2028", "\ufeff", "\ufffe", "\uffff", "\U0010ffff", "\u007f", "\x00", "\x1b[31m", "---", "...", "--- a",
		"event", "state", "before_x", "enter_state", strings.Repeat("long ", 100) + "name",
	}
	var defs []FlagDef
	for _, name := range names {
		if flagNameProblem(name) == "" && len(defs) < MaxFlags {
			defs = append(defs, FlagDef{Flag: 1 << len(defs), Name: name, Description: name})
		}
	}
	require.Greater(t, len(defs), 40)
	flags := MustVocabulary(defs, Clause{True: 1, False: 6}, Clause{False: 1}, Clause{True: 3, False: 3})
	it := Itinerary{Name: "odd", Vocabulary: flags}
	for i, name := range names {
		flag := Flags(1) << (i % len(defs))
		p := Phase{Name: name, Step: "S" + name, Guard: Guard{All: flag}, Decides: flag | 1, Formerly: []string{"was " + name}}
		if name == "" {
			p.Name = "empty"
		}
		if i%2 == 0 {
			p.Steps = []GuardedStep{{"S" + name, Guard{All: flag, None: 1 &^ flag}}, {"T" + name, Guard{Any: flag}}}
		}
		switch i % 4 {
		case 0:
			p.Description = name
		case 3:
			p.Decides, p.End = 0, true
			if i > 20 {
				p.Step, p.Steps = "", nil
			}
		case 1:
			p.Jumps = []Jump{{To: "event"}, {To: "state", Choice: true}, {To: "before_x", Guard: Guard{Any: flag | 1, None: flag &^ 1}}}
		}
		it.Phases = append(it.Phases, p)
	}
	f := &File{Vocabulary: flags}
	for _, name := range names {
		if name != "" {
			it.Name = name
			f.Itineraries = append(f.Itineraries, it)
		}
	}
	f.Itineraries = f.Itineraries[:20]
	requireRoundTrip(t, f)

	// Readers of YAML 1.1 must see strings too.
	for _, name := range names {
		var got map[string]any
		require.NoError(t, k8syaml.Unmarshal([]byte("a: {b: "+scalar(name)+"}\nc: ["+scalar(name)+"]"), &got), "%q", name)
		assert.Equal(t, map[string]any{"a": map[string]any{"b": name}, "c": []any{name}}, got)
	}
}

func TestSaveIsReadable(t *testing.T) {
	const a, b = Flags(1), Flags(2)
	flags := MustVocabulary([]FlagDef{{a, "HasPVs", "some volume is migrated", false}, {b, "No", "", false}}, Clause{True: b, False: a})
	long := strings.Repeat("Long", 20)
	f := &File{Vocabulary: flags, Itineraries: []Itinerary{
		{Name: "Final", Vocabulary: flags, Phases: []Phase{
			{Name: "Plain", Step: "Prepare"},
			{Name: "Full", Step: "Two words", Guard: Guard{Any: a | b}, Rides: true, Decides: b, Jumps: []Jump{{To: "Plain", Guard: Guard{None: b}}}},
			{Name: "Told", Step: "Two words", Description: "says: what it does", Jumps: []Jump{{To: "Plain"}, {To: long}}},
			{Name: long, Step: "Prepare", Guard: Guard{All: a}, Formerly: []string{"Old", "Older"}},
		}},
		{Name: "Cancel", Vocabulary: flags, Cleanup: true, Result: Canceled, Phases: []Phase{{Name: "Stop", Step: "Stop"}}},
	}}
	want := `flags:
- name: HasPVs
  description: some volume is migrated
- name: "No"
relations:
- ["!HasPVs", "No"]
itineraries:
- name: Final
  phases:
  - {name: Plain, step: Prepare}
  - {name: Full, step: Two words, any: [HasPVs, "No"], rides: true, decides: ["No"], jumps: [{to: Plain, none: ["No"]}]}
  - name: Told
    step: Two words
    description: "says: what it does"
    jumps:
    - {to: Plain}
    - {to: ` + long + `}
  - name: ` + long + `
    step: Prepare
    all: [HasPVs]
    formerly: [Old, Older]
- name: Cancel
  cleanup: true
  result: Canceled
  phases:
  - {name: Stop, step: Stop}
`
	assert.Empty(t, cmp.Diff(want, requireRoundTrip(t, f)), "-want +got")
}

func TestSaveRefuses(t *testing.T) {
	empty := MustVocabulary(nil)
	file := func(change func(*File)) *File {
		f := &File{Vocabulary: empty, Itineraries: []Itinerary{{Name: "I", Vocabulary: empty, Phases: []Phase{{Name: "P", Step: "S"}}}}}
		change(f)
		return f
	}
	for _, c := range []struct {
		about string
		file  *File
		as    any
		want  string
	}{
		{"no file", nil, new(*SaveError), "cannot save: the file has no vocabulary; set Vocabulary, to an empty one if no guard reads a flag"},
		{"no vocabulary", file(func(f *File) { f.Vocabulary = nil }),
			new(*SaveError), "cannot save: the file has no vocabulary; set Vocabulary, to an empty one if no guard reads a flag"},
		{"no itineraries", file(func(f *File) { f.Itineraries = nil }),
			new(*SaveError), "cannot save: the file has no itineraries; give it at least one"},
		{"another vocabulary", file(func(f *File) { f.Itineraries[0].Vocabulary = MustVocabulary(nil) }),
			new(*SaveError), `cannot save itinerary "I": it has another vocabulary than the file; use that of the file`},
		{"a bad definition", file(func(f *File) { f.Itineraries[0].Phases[0].Step = "" }),
			new(DefinitionErrors), `itinerary "I": phase "P" has no step; name the step that users see while it runs`},
		{"two itineraries of the same name", file(func(f *File) { f.Itineraries = append(f.Itineraries, f.Itineraries[0]) }),
			new(*DefinitionError), `itinerary "I": is defined twice; rename one of them`},
		{"an unknown result", file(func(f *File) { f.Itineraries[0].Result = "Done" }),
			new(DefinitionErrors), `itinerary "I": its result is "Done"; it must be Succeeded, Failed, Canceled or RolledBack, or empty`},
		{"a description that is not UTF-8", file(func(f *File) { f.Itineraries[0].Phases[0].Description = "\xff" }),
			new(DefinitionErrors), `itinerary "I": phase "P" has a description that is not valid UTF-8`},
		{"too many phases", file(func(f *File) {
			for i := range MaxFilePhases {
				f.Itineraries[0].Phases = append(f.Itineraries[0].Phases, Phase{Name: fmt.Sprint(i), Step: "S"})
			}
		}), new(*LimitError), "a file holds at most 10000 phases; split it"},
		{"a suppression without a reason", file(func(f *File) {
			f.Suppressions = []Suppression{{Rule: "rides-alone", Reason: "r"}, {Rule: "rides-alone"}}
		}), new(*SaveError), "cannot save: suppression 2 gives no reason; write down why the finding is accepted"},
		{"too many suppressions", file(func(f *File) { f.Suppressions = make([]Suppression, MaxSuppressions+1) }),
			new(*LimitError), "a file holds at most 1000 suppressions; split it"},
		{"too many bytes", file(func(f *File) { f.Itineraries[0].Phases[0].Description = strings.Repeat("x", MaxFileSize) }),
			new(*LimitError), "a file holds at most 1048576 bytes; split it"},
	} {
		t.Run(c.about, func(t *testing.T) {
			var b bytes.Buffer
			err := Save(&b, c.file)
			require.ErrorAs(t, err, c.as)
			assert.EqualError(t, err, c.want)
			assert.Zero(t, b.Len(), "nothing is written")
		})
	}
}

// counter counts the writes and fails them.
type counter struct {
	writes int
	err    error
}

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return len(p), c.err
}

func TestSaveWritesOnce(t *testing.T) {
	f, _ := databaseUpgrade(t)
	full := errors.New("the disk is full")
	w := &counter{err: full}
	require.ErrorIs(t, Save(w, f), full)
	assert.Equal(t, 1, w.writes)
}

// Suppressions are written as they are read, with quotes if YAML needs them.
func TestSaveKeepsSuppressions(t *testing.T) {
	flags := MustVocabulary(nil)
	f := &File{Vocabulary: flags, Itineraries: []Itinerary{{Name: "Final", Vocabulary: flags, Phases: []Phase{{Name: "P", Step: "S"}}}},
		Suppressions: []Suppression{
			{Rule: "rides-alone", Itinerary: "Final", Phase: "P", Step: "S", Flag: "No", Reason: "intended: see {the manual}"},
			{Rule: "jump-never-taken", Reason: "it stays for a release"},
		}}
	assert.Contains(t, requireRoundTrip(t, f), `suppress:
- {rule: rides-alone, itinerary: Final, phase: P, step: S, flag: "No", reason: "intended: see {the manual}"}
- {rule: jump-never-taken, reason: it stays for a release}
`)
	f.Suppressions[0].Reason = "\xff"
	require.EqualError(t, Save(io.Discard, f), "cannot save: suppression 1 has a text that is not valid UTF-8")
}
