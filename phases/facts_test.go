package phases

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
)

func TestTruth(t *testing.T) {
	text, err := json.Marshal([]Truth{False, True, Unknown, TruthOf(true), TruthOf(false)})
	require.NoError(t, err)
	assert.JSONEq(t, `["no", "yes", "unknown", "yes", "no"]`, string(text))
}

func TestFactsAreThreeValued(t *testing.T) {
	f := NewFacts(flagA|flagB, flagB|flagC)
	assert.Equal(t, True, f.Of(flagA))
	assert.Equal(t, Unknown, f.Of(flagB), "named as both true and false")
	assert.Equal(t, False, f.Of(flagC))
	assert.Equal(t, flagA, f.True())
	assert.Equal(t, flagC, f.False())
	assert.Equal(t, flagA|flagC, f.Known())
	assert.Equal(t, Unknown, Facts{}.Of(flagA), "the zero value knows nothing")
}

func TestFactsSetAndForget(t *testing.T) {
	for _, f := range allFacts() {
		for flags := range abc + 1 {
			for _, truth := range []Truth{False, True, Unknown} {
				got := f.Set(flags, truth)
				for flag := range abc.Each {
					want := f.Of(flag)
					if flags.Has(flag) {
						want = truth
					}
					require.Equal(t, want, got.Of(flag))
				}
			}
			require.Equal(t, f.Set(flags, Unknown), f.Forget(flags))
		}
	}
}

func TestRecordRoundTrip(t *testing.T) {
	v := MustVocabulary([]FlagDef{{flagA, "Zebra", "", false}, {flagB, "Ape", "", false}, {flagC, "Monkey", "", false}})
	for _, f := range allFacts() {
		r := v.Record(f, "0123456789abcdef")
		text, err := json.Marshal(r)
		require.NoError(t, err)
		var again Record
		require.NoError(t, json.Unmarshal(text, &again))
		require.Empty(t, cmp.Diff(r, again), "the record survives JSON")
		require.Equal(t, f, v.Facts(again))
	}
}

func TestRecordIsSortedByName(t *testing.T) {
	v := MustVocabulary([]FlagDef{{flagA, "Zebra", "", false}, {flagB, "Ape", "", false}, {flagC, "Monkey", "", false}})
	text, err := json.Marshal(v.Record(NewFacts(flagA|flagB, flagC), "ab"))
	require.NoError(t, err)
	assert.Equal(t, `{"hash":"ab","true":["Ape","Zebra"],"false":["Monkey"]}`, string(text))
}

func TestRecordOfAnotherRelease(t *testing.T) {
	for _, c := range []struct {
		about  string
		record Record
		want   Facts
	}{
		{"nothing", Record{}, Facts{}},
		{"a flag that is gone", Record{True: []string{"A", "Gone"}, False: []string{"AlsoGone"}, Unknown: []string{"GoneToo"}}, NewFacts(flagA, 0)},
		{"a flag that is new", Record{True: []string{"A"}, False: []string{"B"}}, NewFacts(flagA, flagB)},
		{"both true and false", Record{True: []string{"A", "B"}, False: []string{"A"}}, NewFacts(flagB, 0)},
		{"both true and unknown", Record{True: []string{"A", "B"}, Unknown: []string{"A"}}, NewFacts(flagB, 0)},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Equal(t, c.want, abcFlags.Facts(c.record))
		})
	}
}

func TestRecordDeepCopySharesNothing(t *testing.T) {
	r := Record{Hash: "h", True: []string{"A"}, False: []string{"B"}, Unknown: []string{"C"}}
	out := Record{True: []string{"to be replaced"}}
	r.DeepCopyInto(&out)
	assert.Equal(t, r, out)
	r.True[0], r.False[0], r.Unknown[0] = "x", "x", "x"
	assert.Equal(t, Record{Hash: "h", True: []string{"A"}, False: []string{"B"}, Unknown: []string{"C"}}, out)
	new(Record).DeepCopyInto(&out)
	assert.Equal(t, Record{}, out)
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Users can write to stored records: whatever a record holds, reading it takes no
// memory.
func TestFactsOfForgedRecordsTakeNoMemory(t *testing.T) {
	n := testscale.Of(1_000_000, 200_000)
	of := func(name func(i int) string) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = name(i)
		}
		return names
	}
	unknown := of(func(i int) string { return fmt.Sprint("Gone", i) })
	same := of(func(int) string { return "A" })
	known := of(func(i int) string { return abcFlags.Names(abc)[i%3] })
	for _, c := range []struct {
		about  string
		record Record
		want   Facts
	}{
		{"unknown names", Record{True: unknown, False: unknown, Unknown: unknown}, Facts{}},
		{"one flag as true", Record{True: same}, NewFacts(flagA, 0)},
		{"one flag as false", Record{False: same}, NewFacts(0, flagA)},
		{"one flag in two lists", Record{True: same, False: same}, Facts{}},
		{"one flag in all lists", Record{True: same, False: same, Unknown: same}, Facts{}},
		{"all flags in all lists", Record{True: known, False: known, Unknown: known}, Facts{}},
		{"all flags as true, one as unknown", Record{True: known, Unknown: same}, NewFacts(flagB|flagC, 0)},
		{"empty names", Record{True: make([]string, n), False: make([]string, n)}, Facts{}},
		{"one long name", Record{True: []string{strings.Repeat("A", n), "A"}}, NewFacts(flagA, 0)},
	} {
		t.Run(c.about, func(t *testing.T) {
			var got Facts
			assert.Less(t, allocated(func() { got = abcFlags.Facts(c.record) }), uint64(64<<10))
			assert.Equal(t, c.want, got)
		})
	}
}
