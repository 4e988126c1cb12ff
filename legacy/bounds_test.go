package legacy_test

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// The limits of a conversion, in bytes. The worst case is a status of many steps
// with three members each: such an entry is larger than its text.
const (
	mostAllocated = 64       // in total, for each byte of input
	mostReturned  = 8        // for each byte of input
	free          = 64 << 10 // in addition to either
)

// allocated returns the number of bytes that a function allocates, freed ones
// included.
func allocated(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// bounded runs all conversions of a status with a remainder. It returns an error
// if one of them allocates or returns more than its input allows.
func bounded(status, remainder []byte, free int) error {
	in := len(status) + len(remainder)
	now := selected(mtc.Stage, mtc.DirectImage|mtc.HasPVs)
	for _, name := range slices.Sorted(maps.Keys(adaptations)) {
		var out int
		spent := allocated(func() { out = adaptations[name](status, remainder, now) })
		if spent > mostAllocated*in+free {
			return fmt.Errorf("%s allocates %d bytes for %d bytes of input, %d for each", name, spent, in, spent/in)
		}
		if out > mostReturned*in+free {
			return fmt.Errorf("%s returns %d bytes for %d bytes of input", name, out, in)
		}
	}
	return nil
}

// adaptations holds all conversions of an adapter; each returns the size of its
// result.
var adaptations = map[string]func(status, remainder []byte, now *legacy.Selected) int{
	"Upgrade": func(status, _ []byte, _ *legacy.Selected) int {
		up, _ := adapter.Upgrade(status, nil)
		if len(up.Remainder) > len(status)+200 {
			return math.MaxInt // the original bounds the remainder
		}
		return sizeUp(up)
	},
	"Upgrade and plan": func(status, _ []byte, now *legacy.Selected) int {
		up, _ := adapter.Upgrade(status, now)
		return sizeUp(up)
	},
	"UpgradeAgain": func(status, remainder []byte, now *legacy.Selected) int {
		up, _ := adapter.UpgradeAgain(status, remainder, now)
		return sizeUp(up)
	},
	"Downgrade": func(status, _ []byte, _ *legacy.Selected) int {
		down, _ := adapter.Downgrade(status, nil)
		return len(down.Status) + sizeOf(down.Warnings)
	},
	"Downgrade with the remainder": func(status, remainder []byte, _ *legacy.Selected) int {
		down, _ := adapter.Downgrade(status, remainder)
		return len(down.Status) + sizeOf(down.Warnings)
	},
}

func sizeUp(up legacy.Upgraded) int {
	return len(up.Status) + len(up.Remainder) + sizeOf(up.Warnings)
}

func sizeOf(errs []error) (n int) {
	for _, err := range errs {
		n += len(err.Error())
	}
	return n
}

// hostile returns values of about the given size that are expensive for a careless
// reader.
func hostile(size int) map[string]string {
	list := func(element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", size/(len(element)+1)), ",") + "]"
	}
	object := func(member func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString("," + member(i))
		}
		return "{" + b.String()[1:] + "}"
	}
	depth := min(size/2, 9_000)
	return map[string]string{
		"a list of numbers":        list("0"),
		"a list of empty objects":  list("{}"),
		"a list of empty strings":  list(`""`),
		"a list of escapes":        list(`"\n"`),
		"nested lists":             strings.Repeat("[", depth) + strings.Repeat("]", depth),
		"nested objects":           strings.Repeat(`{"":`, depth) + "0" + strings.Repeat("}", depth),
		"nested in disorder":       strings.Repeat(`{"b":[`, depth/2) + `"` + strings.Repeat("x", size/2) + `"` + strings.Repeat(`],"a":1}`, depth/2),
		"many keys":                object(func(i int) string { return fmt.Sprintf(`"%d":0`, i) }),
		"one key many times":       object(func(int) string { return `"":0` }),
		"escaped keys":             object(func(int) string { return `"\n":0` }),
		"escaped names":            object(func(i int) string { return fmt.Sprintf(`"\u006eame%d":0`, i) }),
		"a long key":               `{"` + strings.Repeat("k", size) + `":0}`,
		"a long number":            strings.Repeat("9", size),
		"a number of great weight": "1e" + strings.Repeat("9", size),
		"a long text":              `"` + strings.Repeat("x", size) + `"`,
		"a text of brackets":       `"` + strings.Repeat("<", size) + `"`,
		"a text of escapes":        `"` + strings.Repeat(`\u003c`, size/6) + `"`,
		"a text of controls":       `"` + strings.Repeat(`\u0000`, size/6) + `"`,
		"a text of half pairs":     `"` + strings.Repeat(`\ud800`, size/6) + `"`,
		"a text that is not UTF-8": `"` + strings.Repeat("\xff", size) + `"`,
		"a text of line ends":      `"` + strings.Repeat("\u2028", size/3) + `"`,
		"blanks":                   strings.Repeat(" ", size) + "0",
		"many steps of one name":   list(`{"name":"A"}`),
		"many names":               list(`"A"`),
		"a long time":              `"` + strings.Repeat("2024-01-01T10:00:00Z", size/20) + `"`,
		"a time of many digits":    `"2024-01-01T10:00:00.` + strings.Repeat("9", size) + `Z"`,
		"a phase of no itinerary":  `"` + strings.Repeat("QuiesceApplications", size/19) + `"`,
		"a number that is a name":  `{"name":` + strings.Repeat("9", size) + `}`,
	}
}

// entries are patterns of pipelines, to be repeated many times. Each could make a
// careless conversion read or write one thing once for each entry. %d becomes the
// index of the entry.
var entries = map[string]string{
	"the same, not started":              `{"name":"A"}`,
	"the same, skipped":                  `{"name":"A","skipped":true}`,
	"the same, started":                  `{"name":"A","started":"2024-01-01T10:00:00Z"}`,
	"the same, completed":                `{"name":"A","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T10:00:00Z"}`,
	"the same, at no time":               `{"name":"A","started":"2024-01-01Txx:00:00Z","completed":"2024-01-01Txx:00:00Z"}`,
	"the same, failed":                   `{"name":"A","failed":true}`,
	"one step by its names, in turns":    `{"name":"StageBackup","started":"t"},{"name":"DataBackup","failed":true},{"name":"StateBackup"}`,
	"others":                             `{"name":"%d"}`,
	"others, started":                    `{"name":"%d","started":"t"}`,
	"others, skipped":                    `{"name":"%d","skipped":true}`,
	"others, skipped and failed":         `{"name":"%d","skipped":true,"failed":true,"message":"Skipped"}`,
	"others, skipped and run":            `{"name":"%d","skipped":true,"started":"t","message":"Skipped","phase":"Canceled"}`,
	"others, completed in a phase":       `{"name":"%d","completed":"t","phase":"X"}`,
	"others, in phases of a former name": `{"name":"%d","phase":"QuiesceApplications","started":"t"}`,
	"others, in phases of no itinerary":  `{"name":"%d","phase":"QuiesceApplication%[1]d","started":"t"}`,
	"others, in no phase":                `{"name":"%d","phase":"","started":"t"}`,
	"others, of no name":                 `{"name":""}`,
	"others, with escapes":               `{"n\u0061me":"%d\n","\u0073kipped":false,"\n":"\n"}`,
}

// repeated returns n entries, separated by commas.
func repeated(entry string, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.Contains(entry, "%") {
			fmt.Fprintf(&b, entry, i)
		} else {
			b.WriteString(entry)
		}
	}
	return b.String()
}

// forged returns a remainder with the right sum for a status, and the given
// members.
func forged(status, members string) []byte {
	return []byte(`{"version":1,"sum":"` + legacy.Sum([]byte(status)) + `"` + members + `}`)
}

// TestConvertHostileValues puts values of all kinds into every place of a status and
// of a remainder.
func TestConvertHostileValues(t *testing.T) {
	size := testscale.Of(8_000, 3_000)
	const status = `{"phase":"Started","itinerary":"Stage","pipeline":[
		{"name":"Prepare","started":"2024-01-01T10:00:00Z"},{"name":"Cleanup"}]}`
	for name, value := range hostile(size) {
		t.Run(name, func(t *testing.T) {
			for _, place := range []string{"phase", "itinerary", "itenerary", "pipeline", "else"} {
				foreign := forged(`{}`, `,"pipeline":["A",{"name":"B"}]`)
				require.NoError(t, bounded([]byte(`{"`+place+`":`+value+`}`), foreign, free), "status.%s", place)
				status := `{"` + place + `":` + value + `,"pipeline":[{"name":"StageBackup","started":"t","phase":"","skipped":false}]}`
				remainder := forged(status, `,"pipeline":["StageBackup"]`)
				require.NoError(t, bounded([]byte(status), remainder, free), "status.%s beside a pipeline", place)
			}
			for _, place := range []string{"name", "phase", "message", "started", "completed", "progress", "failed", "skipped", "else"} {
				entry := map[string]string{"name": `"StageBackup"`, "started": `"t"`, "skipped": "true"}
				entry[place] = value
				var members []string
				for name, value := range entry {
					members = append(members, `"`+name+`":`+value)
				}
				const data = `{"name":"DataBackup","started":"2024-01-01T10:00:00Z"}`
				status := `{"phase":"","itinerary":"Final","pipeline":[{` + strings.Join(members, ",") + `},` + data + `]}`
				remainder := forged(status, `,"phase":"","pipeline":["StageBackup","DataBackup"]`)
				require.NoError(t, bounded([]byte(status), remainder, free), "status.pipeline[0].%s", place)
			}
			for _, members := range []string{
				`,"itinerary":` + value, `,"phase":` + value, `,"phaseAbsent":` + value, `,"pipeline":` + value, `,"else":` + value,
				`,"pipeline":[` + value + `,"Prepare"]`, `,"pipeline":["Prepare",{"name":"A","started":null,"x":` + value + `}]`,
			} {
				require.NoError(t, bounded([]byte(status), forged(status, members), free), "remainder%.20s", members)
			}
			for _, remainder := range []string{value, `{"version":` + value + `}`, `{"version":1,"sum":` + value + `}`} {
				require.NoError(t, bounded([]byte(status), []byte(remainder), free), "remainder %.20s", remainder)
			}
		})
	}
}

// TestConvertManyEntriesOfAKind converts pipelines of many entries with remainders of
// many entries, in all combinations of kinds.
func TestConvertManyEntriesOfAKind(t *testing.T) {
	n := testscale.Of(80, 30)
	for name, entry := range entries {
		t.Run(name, func(t *testing.T) {
			status := `{"phase":"","itinerary":"Stage","pipeline":[` + repeated(entry, n) + `]}`
			up, err := adapter.Upgrade([]byte(status), nil)
			require.NoError(t, err)
			gone := strings.Replace(string(up.Status), `"itinerary":"Stage"`, `"itinerary":"Final"`, 1)
			require.NoError(t, bounded([]byte(status), up.Remainder, free))
			require.NoError(t, bounded(up.Status, up.Remainder, free))
			require.NoError(t, bounded([]byte(gone), up.Remainder, free))
			items := map[string]string{"one name": `"A"`, "many names": `"%d"`, "no name": `""`}
			maps.Copy(items, entries)
			for other, item := range items {
				remainder := forged(string(up.Status), `,"pipeline":[`+repeated(item, n)+`]`)
				require.NoError(t, bounded(up.Status, remainder, free), other)
				require.NoError(t, bounded([]byte(gone), remainder, free), other)
			}
		})
	}
}

// TestConvertLongEntryAmongMany compares one entry with a long text with many short ones.
func TestConvertLongEntryAmongMany(t *testing.T) {
	size, n := testscale.Of(10_000, 4_000), testscale.Of(150, 60)
	for _, long := range []string{
		`{"name":"A","started":"` + strings.Repeat("2", size) + `","completed":"2024-01-01T10:00:00Z"}`,
		`{"name":"A","started":"2024-01-01T10:00:00Z","completed":"` + strings.Repeat("2", size) + `"}`,
		`{"name":"A","started":"t","phase":"` + strings.Repeat("P", size) + `"}`,
		`{"name":"A","started":"t","progress":["` + strings.Repeat("x", size) + `"]}`,
		`{"name":"A","started":"t","x":[` + strings.Repeat("[],", size/3) + `0]}`,
	} {
		for name, entry := range entries {
			pipeline := `,"pipeline":[` + long + "," + repeated(entry, n) + `]`
			status := `{"phase":"","itinerary":"Stage"` + pipeline + `}`
			require.NoError(t, bounded([]byte(status), forged(status, pipeline), free), name)
			require.NoError(t, bounded([]byte(status), forged(`{}`, pipeline), free), name)
		}
	}
}

// TestRemainderWithRepeatedNames forges a remainder that names one long entry many times. It is
// refused before any entry is copied.
func TestRemainderWithRepeatedNames(t *testing.T) {
	for _, n := range []int{2, 10_000} {
		status := `{"phase":"Created","itinerary":"Final","pipeline":[{"name":"A","message":"` + strings.Repeat("x", 20_000) + `"}]}`
		remainder := forged(status, `,"phase":"","pipeline":[`+repeated(`"A"`, n)+`]`)
		require.NoError(t, bounded([]byte(status), remainder, free))
		down, err := adapter.Downgrade([]byte(status), remainder)
		require.NoError(t, err)
		require.Equal(t, strings.Replace(status, "Created", "", 1), string(down.Status))
		require.Len(t, down.Warnings, 1)
		var warning *legacy.RemainderError
		require.ErrorAs(t, down.Warnings[0], &warning)
		var place *legacy.StatusError
		require.ErrorAs(t, warning, &place)
		require.Equal(t, legacy.StatusError{Place: "remainder.pipeline[1]", Problem: "names a step for the second time"}, *place)
	}
	// The remainder that Upgrade writes for many equal entries is accepted.
	status := `{"phase":"Started","itinerary":"Final","pipeline":[` + repeated(`{"name":"A","message":"Not started"}`, 100) + `]}`
	up, err := adapter.Upgrade([]byte(status), nil)
	require.NoError(t, err)
	require.Equal(t, `{"phase":"Started","itinerary":"Final","pipeline":[{"name":"A","message":"Not started"}]}`, string(up.Status))
	down, err := adapter.Downgrade(up.Status, up.Remainder)
	require.NoError(t, err)
	require.Empty(t, down.Warnings)
	require.Equal(t, status, string(down.Status))
}

// BenchmarkLargeStatus upgrades and downgrades a status of 5 MB; B/byte is the
// number of bytes allocated for each byte of it.
func BenchmarkLargeStatus(b *testing.B) {
	const size = 5 << 20
	large := make(map[string]string)
	for name, value := range hostile(size) {
		if strings.HasPrefix(name, "a list") || strings.HasPrefix(name, "one key") || name == "a long text" {
			large[name] = `{"name":"Prepare","started":"2024-01-01T10:00:00Z","x":` + value + `},{"name":"StageBackup","skipped":true}`
		}
	}
	for _, name := range []string{"others, started", "one step by its names, in turns"} {
		large[name] = repeated(entries[name], size/len(entries[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(large)) {
		b.Run(name, func(b *testing.B) {
			status := []byte(`{"phase":"","itinerary":"Final","pipeline":[` + large[name] + `]}`)
			b.ReportAllocs()
			b.SetBytes(int64(len(status)))
			spent := allocated(func() {
				for b.Loop() {
					up, err := adapter.Upgrade(status, nil)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := adapter.Downgrade(up.Status, up.Remainder); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(spent)/float64(b.N)/float64(len(status)), "B/byte")
		})
	}
}
