package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// release is a range of releases of mig-controller with the same itineraries.
type release struct {
	Releases    string
	Itineraries []struct {
		Name   string
		Phases []struct{ Name string }
	}
}

// gone holds the phases of earlier releases that the present itinerary of the same
// name does not have under any name, with the reason. A run recorded at one of
// them does not resume: the unknown phase is an error.
var gone = map[string]map[string]string{
	mtc.Cancel: {
		"DeleteMigrated":        "a cancel keeps the migrated objects; a rollback deletes them",
		"EnsureMigratedDeleted": "a cancel keeps the migrated objects; a rollback deletes them",
	},
	mtc.Failed: {
		"EnsureStagePodsDeleted": "the next migration of the plan deletes the stage pods, in `CleanStaleStagePods`",
		"DeleteMigrated":         "a failure keeps the migrated objects; a rollback deletes them",
		"EnsureMigratedDeleted":  "a failure keeps the migrated objects; a rollback deletes them",
		"UnQuiesceApplications":  "a failure keeps the applications scaled down; a rollback scales them up",
	},
}

func TestLookupOfPhasesOfEveryRelease(t *testing.T) {
	used := map[string]bool{}
	found := 0
	for _, r := range lines[release](t, *releasesFile) {
		for _, it := range r.Itineraries {
			g := graph(t, it.Name)
			for _, p := range it.Phases {
				_, err := g.Lookup(p.Name)
				reason, listed := gone[it.Name][p.Name]
				if listed {
					used[it.Name+" "+p.Name] = true
					var unknown *machine.UnknownPhaseError
					require.ErrorAs(t, err, &unknown, "%s: %s of %s is listed as gone: %s", r.Releases, p.Name, it.Name, reason)
					continue
				}
				assert.NoError(t, err, "%s: %s of %s is neither found nor listed as gone", r.Releases, p.Name, it.Name)
				found++
			}
		}
	}
	require.NotZero(t, found)
	for itinerary, all := range gone {
		for phase := range all {
			assert.True(t, used[itinerary+" "+phase], "no release had %s in %s", phase, itinerary)
		}
	}
}

// resumed describes how a run resumes that an earlier release recorded at a phase:
// the present name of that phase, and the phases that the release also had but that
// are skipped or repeated because their order has changed.
type resumed struct {
	itinerary, phase, at string
	skipped, twice       []string
}

func resumedOf(t *testing.T, r release) (all []resumed) {
	t.Helper()
	for _, it := range r.Itineraries {
		g := graph(t, it.Name)
		var had []int // present positions of the release's phases, in the release's order
		for _, p := range it.Phases {
			if i, err := g.Lookup(p.Name); err == nil {
				had = append(had, i)
			} else {
				had = append(had, -1)
			}
		}
		for k, at := range had {
			if at < 0 {
				continue
			}
			one := resumed{itinerary: it.Name, phase: it.Phases[k].Name, at: g.Phase(at).Name}
			var today []int // the release's phases in the present order
			for i := range g.Len() {
				if slices.Contains(had, i) {
					today = append(today, i)
				}
			}
			one.skipped = ranges(g, today, func(i int) bool { return i < at && !slices.Contains(had[:k], i) })
			one.twice = ranges(g, today, func(i int) bool { return i >= at && slices.Contains(had[:k], i) })
			all = append(all, one)
		}
	}
	return all
}

// ranges returns the names of the phases of order for which in is true. More than
// two in a row become "FIRST to LAST".
func ranges(g *machine.Graph, order []int, in func(int) bool) (names []string) {
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && in(order[to]) {
			to++
		}
		if to-from > 2 {
			names = append(names, code(g.Phase(order[from]).Name)+" to "+code(g.Phase(order[to-1]).Name))
		} else {
			for _, i := range order[from:to] {
				names = append(names, code(g.Phase(i).Name))
			}
		}
		from = max(to, from+1)
	}
	return names
}

func code(name string) string { return "`" + name + "`" }

// span joins consecutive releases: "1.0 to 1.1" and "1.2.2 to 1.2.5" become "1.0 to
// 1.2.5".
func span(all []release, first, last int) string {
	from, _, _ := strings.Cut(all[first].Releases, " to ")
	parts := strings.Split(all[last].Releases, " to ")
	if to := parts[len(parts)-1]; to != from {
		return from + " to " + to
	}
	return from
}

// TestReadmeOfResumedRuns: legacy's README lists each recorded phase at which a run
// skips or repeats phases when it resumes, and each at which it does not resume.
func TestReadmeOfResumedRuns(t *testing.T) {
	releases := lines[release](t, releasesDefault) // those that the README covers
	type key struct{ itinerary, at, skipped, twice string }
	type row struct {
		key
		phase       string
		first, last int // of the releases
	}
	var rows []*row
	for n, r := range releases {
		for _, one := range resumedOf(t, r) {
			if len(one.skipped)+len(one.twice) == 0 {
				continue
			}
			k := key{one.itinerary, "", strings.Join(one.skipped, ", "), strings.Join(one.twice, ", ")}
			if one.phase != one.at {
				k.at = code(one.at)
			}
			before := slices.IndexFunc(rows, func(r *row) bool {
				return r.key == k && r.phase == code(one.phase) && r.last == n-1
			})
			if before >= 0 {
				rows[before].last = n
			} else {
				rows = append(rows, &row{k, code(one.phase), n, n})
			}
		}
	}
	// Join the rows that differ only in the phase.
	var table []*row
	for _, r := range rows {
		i := slices.IndexFunc(table, func(other *row) bool {
			return other.key == r.key && other.first == r.first && other.last == r.last
		})
		if i >= 0 {
			table[i].phase += ", " + r.phase
		} else {
			table = append(table, r)
		}
	}
	slices.SortStableFunc(table, func(a, b *row) int {
		return slices.Index(itineraries.Names(), a.itinerary) - slices.Index(itineraries.Names(), b.itinerary)
	})
	var text strings.Builder
	fmt.Fprintln(&text, "| itinerary | recorded phase | releases | resumes at | skipped | repeated |")
	fmt.Fprintln(&text, "| --- | --- | --- | --- | --- | --- |")
	for _, r := range table {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n",
			r.itinerary, r.phase, span(releases, r.first, r.last), r.at, r.skipped, r.twice)
	}
	data, err := os.ReadFile(filepath.Join("..", "..", "legacy", "README.md"))
	require.NoError(t, err)
	assert.True(t, strings.Contains(string(data), text.String()), "legacy/README.md does not have the table:\n%s", text.String())
	for itinerary, all := range gone {
		for phase, reason := range all {
			line := fmt.Sprintf("| %s | `%s` | %s |\n", itinerary, phase, reason)
			assert.True(t, strings.Contains(string(data), line), "legacy/README.md does not have the line:\n%s", line)
		}
	}
}
