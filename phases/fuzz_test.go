package phases

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{
		"", "---\n---\n", "[[[[", "a: *a", "\ufeffflags: []", "flags: [{name: \"\\ud800\"}]",
		"itineraries: [{name: I, phases: [{name: P, step: S}]}]",
		"flags: [{name: A}, {name: B}]\nrelations: [[\"!A\", B]]\nitineraries: [{name: I, cleanup: true, result: RolledBack, " +
			"phases: [{name: P, step: S, all: [A], any: [B], none: [], rides: false, decides: [A], jumps: [{to: P, none: [A]}], formerly: [Q], description: \"x\\ny\"}]}]",
		"itineraries: [{name: I, phases: [{name: P, step: S}]}]\nsuppress: [{rule: R, itinerary: I, phase: P, step: S, flag: A, reason: \"a\\nb\"}, {rule: R}]",
		"itineraries:\n- name: |\n    a\n    b\n  phases:\n  - name: >-\n      c\n\n      d\n    step: \"\\x00\\u2028\\U0001F600\"\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var file *File
		var err error
		took := allocated(func() { file, err = Load(bytes.NewReader(text), "fuzz") })
		require.LessOrEqual(t, took, uint64(2<<20+len(text)<<10), "2 MiB, and 1 KiB for each byte")
		if err != nil {
			require.Nil(t, file)
			var errs LoadErrors
			require.ErrorAs(t, err, &errs)
			require.NotEmpty(t, errs)
			for i, e := range errs {
				require.NotContains(t, e.Error(), "\n")
				if i > 0 && i < maxLoadErrors {
					require.LessOrEqual(t, errs[i-1].Line, e.Line)
				}
			}
			return
		}
		for _, it := range file.Itineraries {
			require.NoError(t, it.Validate())
		}
		requireRoundTrip(t, file)
	})
}

// Whatever a record holds, its facts contradict neither themselves nor the record, and
// take memory only in proportion to the vocabulary.
func FuzzFacts(f *testing.F) {
	for _, text := range []string{
		"{}", `{"hash":"ab","true":["A"],"false":["B"],"unknown":["C"]}`,
		`{"true":["A","A","Gone",""],"false":["A","B"],"unknown":["B"]}`, `{"true":["A","B","C"],"false":["A","B","C"]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r Record
		if json.Unmarshal(text, &r) != nil {
			return
		}
		var facts Facts
		require.Less(t, allocated(func() { facts = abcFlags.Facts(r) }), uint64(64<<10))
		for flag := range abc.Each {
			name := abcFlags.Names(flag)[0]
			isTrue, isFalse, isUnknown := slices.Contains(r.True, name), slices.Contains(r.False, name), slices.Contains(r.Unknown, name)
			want := Unknown
			if isTrue != isFalse && !isUnknown {
				want = TruthOf(isTrue)
			}
			require.Equal(t, want, facts.Of(flag), name)
		}
		require.Zero(t, facts.Known()&^abc)
		again := abcFlags.Record(facts, r.Hash)
		require.Equal(t, abc.Len(), len(again.True)+len(again.False)+len(again.Unknown), "each flag is recorded once")
		require.Equal(t, facts, abcFlags.Facts(again))
	})
}
