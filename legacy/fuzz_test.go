package legacy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// FuzzRoundTrip: Upgrade either refuses a status, or Downgrade returns the
// original, compacted. A second upgrade changes nothing. No conversion costs more
// than the size of its input allows.
func FuzzRoundTrip(f *testing.F) {
	for _, lines := range lines(f) {
		for _, line := range lines {
			l, err := legacytest.Parse(line)
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(l.Status), false)
		}
	}
	for _, seed := range []string{
		`null`, `{}`, before, string(legacytest.Inject([]byte(before))),
		`{"phase":null,"itinerary":"Final","pipeline":[{"name":"A","phase":null,"started":"t"},{"name":"A","skipped":true}]}`,
		oneLine(`{"itenerary":"Stage","phase":"","pipeline":[
			{"name":"StageBackup","completed":"t","phase":"StageBackupCreated","progress":["1"]},
			{"name":"DataBackup","failed":true},{"name":"A"},{"name":"A"}]}`),
		`{"pipeline":[{"name":"DataBackup","started":"2024-01-01T10:00:00Z"},{"name":"StateBackup","failed":true},{"name":"StageBackup"}]}`,
	} {
		f.Add([]byte(seed), true)
	}
	now := selected(mtc.Final, mtc.HasPVs|mtc.IndirectVolume|mtc.HasStageBackup|mtc.DirectImage|mtc.EnableImage)
	f.Fuzz(func(t *testing.T, status []byte, planned bool) {
		now := now
		if !planned {
			now = nil
		}
		up, err := adapter.Upgrade(status, now)
		if err := bounded(status, up.Remainder, fuzzFree); err != nil {
			t.Fatal(err)
		}
		if err != nil || len(status) == 0 {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, status); err != nil {
			t.Fatal(err)
		}
		again, err := adapter.Upgrade(up.Status, now)
		if err != nil || !bytes.Equal(up.Status, again.Status) || again.Remainder != nil {
			t.Fatalf("upgrading %s again gives %s, %s, %v", up.Status, again.Status, again.Remainder, err)
		}
		down, err := adapter.Downgrade(up.Status, up.Remainder)
		if err != nil || len(down.Warnings) > 0 {
			t.Fatalf("downgrading %s: %v, %v", up.Status, down.Warnings, err)
		}
		if up.Remainder == nil {
			// The status was in the current form already. It is its own
			// original, but its old form differs.
			if !bytes.Equal(up.Status, want.Bytes()) {
				t.Fatalf("%s became %s without a remainder", want.Bytes(), up.Status)
			}
			again, err := adapter.Downgrade(down.Status, nil)
			if err != nil || !bytes.Equal(down.Status, again.Status) {
				t.Fatalf("downgrading %s again gives %s, %v", down.Status, again.Status, err)
			}
			return
		}
		if !bytes.Equal(down.Status, want.Bytes()) {
			t.Fatalf("%s became %s and came back as %s, remainder %s", want.Bytes(), up.Status, down.Status, up.Remainder)
		}
	})
}

// fuzzFree replaces free while fuzzing, since the engine allocates at the same
// time.
const fuzzFree = 1 << 20

// FuzzRemainder: no remainder makes a downgrade fail, lose or change a started
// step, or become expensive. If sealed, the remainder has the sum of the status.
func FuzzRemainder(f *testing.F) {
	for _, now := range []*legacy.Selected{nil, selected(mtc.Stage, 0)} {
		up, err := adapter.Upgrade([]byte(before), now)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(up.Status), []byte(up.Remainder), false)
		other := []byte(`{"phase":"Started","itinerary":"Stage","pipeline":[{"name":"DataBackup","started":"t"}]}`)
		f.Add(other, []byte(up.Remainder), false)
	}
	for _, members := range []string{`"pipeline":["A","A"]`, `"phase":"","pipeline":[{"name":"A"},"A"]`, `"phaseAbsent":true`} {
		f.Add([]byte(`{"phase":"Created","itinerary":"Final","pipeline":[{"name":"A","message":"m"}]}`), []byte(members), true)
	}
	f.Fuzz(func(t *testing.T, status, remainder []byte, sealed bool) {
		if sealed {
			remainder = forged(string(status), ","+string(remainder))
		}
		if err := bounded(status, remainder, fuzzFree); err != nil {
			t.Fatal(err)
		}
		is, err := adapter.Upgrade(status, nil)
		if err != nil || len(status) == 0 {
			return
		}
		down, err := adapter.Downgrade(status, remainder)
		if err != nil {
			t.Fatal(err)
		}
		again, err := adapter.Upgrade(down.Status, nil)
		if err != nil {
			t.Fatal(err)
		}
		if was, is := ran(t, is.Status), ran(t, again.Status); !slices.Equal(was, is) {
			t.Fatalf("with remainder %s, %s became %s: started steps were %q, are %q", remainder, status, down.Status, was, is)
		}
	})
}

// ran lists the steps of an upgraded status that have started, with their times.
func ran(t *testing.T, raw []byte) (out []string) {
	var s struct {
		Pipeline []struct {
			Name, Started, Completed json.RawMessage
			Failed                   json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil // a key in another case, which encoding/json accepts
	}
	for _, e := range s.Pipeline {
		if len(e.Started)+len(e.Completed) > 0 || string(e.Failed) == "true" {
			out = append(out, fmt.Sprintf("%s %s %s %s", e.Name, e.Started, e.Completed, e.Failed))
		}
	}
	return out
}
