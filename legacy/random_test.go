package legacy_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// generator makes statuses as controllers and users leave them: completed steps
// that still have a phase or its message, and several entries of one name.
type generator struct{ *rand.Rand }

func (g generator) pick(texts ...string) string { return texts[g.IntN(len(texts))] }

// maybe returns one of the texts in one of n cases, otherwise an empty text.
func (g generator) maybe(n int, texts ...string) string {
	if g.IntN(n) > 0 {
		return ""
	}
	return g.pick(texts...)
}

// object returns an object of the non-empty members, in random order.
func (g generator) object(members ...string) string {
	var some []string
	for _, m := range members {
		if m != "" {
			some = append(some, m)
		}
	}
	g.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return "{" + strings.Join(some, ",") + "}"
}

func (g generator) entry() string {
	times := []string{`"2025-03-01T10:00:00Z"`, `"2025-03-01T12:30:00+02:00"`, `"2025-03-01T10:00:00.123Z"`, `"garbage"`}
	unset := []string{`null`, `""`}
	e := []string{
		`"name":"` + g.pick("Prepare", "StageBackup", "DataBackup", "StateBackup", "StageRestore", "DataRestore", "Backup",
			"DirectVolume", "Cleanup", `\u0050repare`, `\ud800`, "\xff") + `"`,
		g.maybe(3, `"phase":"CreateDirectVolumeMigration"`, `"phase":"EnsureQuiesced"`, `"phase":"Created"`,
			`"ph\u0061se":"Lost"`, `"phase":""`, `"phase":null`),
		g.maybe(2, `"message":"Completed"`, `"message":"Failed"`, `"message":"Canceled"`, `"message":"Skipped"`,
			`"message":""`, `"message":null`, `"message":"CreateDirectVolumeMigration in progress"`),
		g.maybe(3, `"progress":["1 of 2","2 of 2"]`, `"progress":[]`, `"progress":null`),
		g.maybe(3, `"skipped":true`, `"skipped":false`, `"skipped":null`),
		g.maybe(4, `"failed":true`, `"failed":false`),
		g.maybe(4, `"x":1e400,"x":{"b":1,"a":2,"a":3}`),
	}
	if g.IntN(3) > 0 {
		e = append(e, `"started":`+g.pick(append(times, unset...)...))
	}
	if g.IntN(2) > 0 {
		e = append(e, `"completed":`+g.pick(append(times, unset...)...))
	}
	return g.object(e...)
}

func (g generator) status() string {
	var entries []string
	for range g.IntN(6) {
		e := g.entry()
		for range 1 + max(0, g.IntN(6)-3) { // sometimes repeated, as by an edit
			entries = append(entries, e)
		}
	}
	g.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return g.object(
		g.pick("", `"phase":""`, `"phase":null`, `"phase":"Created"`, `"phase":"QuiesceApplications"`,
			`"phase":"CreateDirectVolumeMigration"`, `"phase":"Completed"`, `"phase":"InitialBackupFailed"`),
		g.pick("", `"itinerary":""`, `"itinerary":"Final"`, `"itinerary":"Stage"`, `"itinerary":"Cancel"`, `"itinerary":"Nope"`),
		g.maybe(4, `"itenerary":"Stage"`, `"itenerary":"Final"`, `"itenerary":null`),
		g.pick(`"pipeline":[`+strings.Join(entries, ",")+`]`, `"pipeline":[`+strings.Join(entries, ",")+`]`, `"pipeline":null`, ""),
		`"other":[1.0,1e3,"\u00e9"]`,
	)
}

// TestRandomStatuses upgrades and downgrades random statuses. The current form has
// each step once and started ones first, the message of a completed step matches
// its end, and no started step is lost. The original comes back byte for byte.
func TestRandomStatuses(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	repaired, united := 0, 0
	for range testscale.Of(5_000, 1_000) {
		raw := g.status()
		var now *legacy.Selected
		if g.IntN(2) == 0 {
			all := mtc.Vocabulary().All()
			now = &legacy.Selected{
				Itinerary: g.pick(mtc.Final, mtc.Stage, mtc.Cancel),
				Facts:     phases.NewFacts(phases.Flags(g.Uint64())&all, phases.Flags(g.Uint64())&all),
			}
		}
		up, err := adapter.Upgrade([]byte(raw), now)
		require.NoError(t, err, raw)
		was, is := parsed(t, raw), parsed(t, string(up.Status))
		repaired += checkCompleted(t, is, was)
		united += checkMerged(t, is, was)

		again, err := adapter.Upgrade(up.Status, now)
		require.NoError(t, err)
		require.Equal(t, string(up.Status), string(again.Status), raw)
		require.Nil(t, again.Remainder)
		if up.Remainder == nil {
			require.Equal(t, raw, string(up.Status))
			continue
		}
		down, err := adapter.Downgrade(up.Status, up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings, raw)
		require.Equal(t, raw, string(down.Status))

		if strings.Contains(raw, `"itinerary"`) {
			continue
		}
		// If the migration is rolled back, the started steps stay.
		on := strings.Replace(string(up.Status), `"other"`, `"itinerary":"Rollback","other"`, 1)
		down, err = adapter.Downgrade([]byte(on), up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings, raw)
		back, err := adapter.Upgrade(down.Status, nil)
		require.NoError(t, err)
		require.Equal(t, ran(t, up.Status), ran(t, back.Status), raw)
	}
	require.Greater(t, repaired, testscale.Of(1_000, 200), "completed steps with a phase or a wrong message")
	require.Greater(t, united, testscale.Of(1_000, 200), "steps with several entries")
}

// typed is a status as encoding/json decodes it.
type typed struct {
	Phase, Itinerary string
	Pipeline         []struct {
		Name, Phase, Message, Started, Completed string
		Progress                                 []string
		Failed, Skipped                          bool
	}
}

func parsed(t *testing.T, raw string) (s typed) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(raw), &s), raw)
	return s
}

// checkCompleted checks the messages and phases of completed steps, and returns
// the number of those in was that had to change.
func checkCompleted(t *testing.T, is, was typed) (otherwise int) {
	t.Helper()
	ends := []string{steps.MessageCompleted, steps.MessageFailed, steps.MessageCanceled}
	for _, e := range is.Pipeline {
		if e.Completed == "" {
			continue
		}
		require.Contains(t, ends, e.Message)
		require.Equal(t, e.Failed, e.Message == steps.MessageFailed)
		require.Empty(t, e.Phase)
	}
	for _, e := range was.Pipeline {
		if e.Completed != "" && (e.Phase != "" || !slices.Contains(ends, e.Message)) {
			otherwise++
		}
	}
	return otherwise
}

// checkMerged checks that each step is listed once and combines its entries that
// have started, and returns the number of steps that had several of those.
func checkMerged(t *testing.T, is, was typed) (several int) {
	t.Helper()
	current := func(name string) string {
		for _, suffix := range []string{"Backup", "Restore"} {
			if name == "Stage"+suffix || name == "State"+suffix {
				return "Data" + suffix
			}
		}
		return name
	}
	type combined struct {
		open, failed, progress bool
		n                      int
	}
	all := make(map[string]combined)
	for _, e := range was.Pipeline {
		if e.Started == "" && e.Completed == "" && !e.Failed {
			continue
		}
		a := all[current(e.Name)]
		a.n++
		a.open = a.open || e.Completed == ""
		a.failed = a.failed || e.Failed
		a.progress = a.progress || len(e.Progress) > 0
		all[current(e.Name)] = a
	}
	waiting, seen := false, make(map[string]bool)
	for _, e := range is.Pipeline {
		require.False(t, seen[e.Name], e.Name)
		seen[e.Name] = true
		a, ran := all[e.Name]
		require.False(t, ran && waiting, "%s has started, but a step before it has not", e.Name)
		if !ran {
			waiting = true
			continue
		}
		require.Equal(t, a.open, e.Completed == "", e.Name)
		require.Equal(t, a.failed, e.Failed, e.Name)
		require.Equal(t, a.progress, len(e.Progress) > 0, e.Name)
		if a.n > 1 {
			several++
		}
	}
	for name := range all {
		require.True(t, seen[name], name)
	}
	return several
}

// TestCompletedStepsOfRecordedStatuses changes each recorded status in two ways:
// completed steps get a phase and its message, as mig-controller leaves them before
// DirectVolume, or each entry is repeated. Both upgrade to the same status as the
// recorded one, and come back byte for byte.
func TestCompletedStepsOfRecordedStatuses(t *testing.T) {
	inPhase := strings.NewReplacer(
		`"message":"Completed"`, `"phase":"EnsureInitialBackup","message":"EnsureInitialBackup in progress","progress":["1 of 1"]`,
		`"message":"Failed"`, `"phase":"BackupCreated","message":"","progress":["1 of 1"]`,
	)
	fixed := strings.NewReplacer(
		`"message":"Completed"`, `"message":"Completed","progress":["1 of 1"]`,
		`"message":"Failed"`, `"message":"Failed","progress":["1 of 1"]`,
	)
	changed := 0
	for _, lines := range lines(t) {
		for _, line := range lines {
			l, err := legacytest.Parse(line)
			require.NoError(t, err)
			recorded := string(l.Status)
			for name, edited := range map[string]struct{ from, like string }{
				"in a phase": {inPhase.Replace(recorded), fixed.Replace(recorded)},
				"twice":      {twice(t, recorded), recorded},
			} {
				want, err := adapter.Upgrade([]byte(edited.like), nil)
				require.NoError(t, err)
				up, err := adapter.Upgrade([]byte(edited.from), nil)
				require.NoError(t, err)
				require.Equal(t, string(want.Status), string(up.Status), "%s, %s", l.ID, name)
				down, err := adapter.Downgrade(up.Status, up.Remainder)
				require.NoError(t, err)
				require.Empty(t, down.Warnings)
				require.Equal(t, edited.from, string(down.Status))
				if edited.from != edited.like {
					changed++
				}
			}
		}
	}
	require.Greater(t, changed, 240)
}

// twice returns a status with the entries of its pipeline repeated at the end.
func twice(t *testing.T, status string) string {
	t.Helper()
	const key = `"pipeline":[`
	from := strings.Index(status, key) + len(key)
	end := from + strings.LastIndex(status[from:], "}]") + 1
	require.Equal(t, "]", status[end:end+1], status)
	return status[:end] + "," + status[from:end] + status[end:]
}
