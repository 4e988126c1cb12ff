package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

const releasesFolder = "testdata/releases/"

// recordedRelease is a line of a file of releases.
type recordedRelease struct {
	Controller, Releases string
	Itineraries          []struct {
		Name   string
		Phases []struct {
			Name, Step string
			All, Any   []string
		}
	}
}

// file returns the name of the release's file, such as "mtc-1.4.yaml".
func (r recordedRelease) file() string {
	first, _, _ := strings.Cut(r.Releases, " ")
	parts := strings.Split(first, ".")
	return strings.Replace(r.Controller, "mig-controller", "mtc", 1) + "-" + strings.Join(parts[:2], ".") + ".yaml"
}

func recordedReleases(t *testing.T, name string) (all []recordedRelease) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var r recordedRelease
		require.NoError(t, json.Unmarshal(line, &r))
		all = append(all, r)
	}
	return all
}

// forkliftSteps are steps chosen by this project, because forklift's phases have none.
var forkliftSteps = map[string][]string{
	"Initialize": {"Started", "CreateInitialSnapshot", "WaitForInitialSnapshot", "StoreInitialSnapshotDeltas", "CreateDataVolumes"},
	"PreHook":    {"PreHook"},
	"Inspection": {"PreflightInspection"},
	"DiskTransfer": {
		"WaitForDataVolumesStatus", "CopyDisks", "CopyingPaused", "RemovePreviousSnapshot", "WaitForPreviousSnapshotRemoval",
		"CreateSnapshot", "WaitForSnapshot", "StoreSnapshotDeltas", "AddCheckpoint", "AllocateDisks",
	},
	"Cutover": {
		"StorePowerState", "PowerOffSource", "WaitForPowerOff", "RemovePenultimateSnapshot", "WaitForPenultimateSnapshotRemoval",
		"CreateFinalSnapshot", "WaitForFinalSnapshot", "AddFinalCheckpoint", "WaitForFinalDataVolumesStatus", "Finalize",
		"RemoveFinalSnapshot",
	},
	"ImageConversion":        {"CreateGuestConversionPod", "ConvertGuest", "CopyDisksVirtV2V", "ConvertOpenstackSnapshot"},
	"VirtualMachineCreation": {"CreateVM", "WaitForGuestReboots"},
	"PostHook":               {"PostHook"},
	"Cleanup":                {"WaitForFinalSnapshotRemoval"},
}

// upstreamSteps are the names that all releases used for two of MTC's steps.
var upstreamSteps = map[string]string{mtc.DataBackup: "StageBackup", mtc.DataRestore: "StageRestore"}

// definition returns the release as data. Parts that the releases did not declare are
// as in today's catalogue: what phases decide, the relations of the flags, steps before
// 1.4, and which itineraries clean up. If a release did not have the flag
// StorageConversion, it is false. Former names are left out: releases had none.
func (r recordedRelease) definition(t *testing.T) *phases.File {
	t.Helper()
	isMTC := r.Controller == "mig-controller"
	var used []string
	for _, it := range r.Itineraries {
		for _, p := range it.Phases {
			used = append(append(used, p.All...), p.Any...)
		}
	}
	var names []string
	if isMTC {
		for _, d := range mtc.Vocabulary().Defs() {
			if slices.Contains(used, d.Name) {
				names = append(names, d.Name)
			}
		}
	} else {
		names = append(slices.Clone(used), "CutoverDue")
		slices.Sort(names)
		names = slices.Compact(names)
	}
	defs := make([]phases.FlagDef, len(names))
	for i, name := range names {
		defs[i] = phases.FlagDef{Flag: 1 << i, Name: name}
	}
	bare := phases.MustVocabulary(defs)
	// named returns the flags with these names, and whether the release has them all.
	named := func(flags phases.Flags) (phases.Flags, bool) {
		f, err := bare.Parse(mtc.Vocabulary().Names(flags)...)
		return f, err == nil
	}
	var relations []phases.Clause
	if isMTC {
		for _, c := range mtc.Vocabulary().Relations() {
			if _, ok := bare.Lookup("StorageConversion"); !ok {
				if c.False.Has(mtc.StorageConversion) {
					continue
				}
				c.True &^= mtc.StorageConversion
			}
			yes, ok1 := named(c.True)
			no, ok2 := named(c.False)
			if ok1 && ok2 {
				relations = append(relations, phases.Clause{True: yes, False: no})
			}
		}
	}
	f := &phases.File{Vocabulary: phases.MustVocabulary(defs, relations...)}
	for _, of := range r.Itineraries {
		it := phases.Itinerary{Name: of.Name, Vocabulary: f.Vocabulary}
		var today *machine.Graph
		if isMTC {
			now, err := mtc.Itinerary(of.Name)
			require.NoError(t, err)
			it.Cleanup, it.Result = now.Cleanup, now.Result
			today = machine.MustCompile(now)
		}
		for _, p := range of.Phases {
			one := phases.Phase{Name: p.Name, Step: p.Step, End: p.Name == "Completed"}
			var err error
			one.Guard.All, err = f.Vocabulary.Parse(p.All...)
			require.NoError(t, err)
			one.Guard.Any, err = f.Vocabulary.Parse(p.Any...)
			require.NoError(t, err)
			if isMTC {
				likeToday(&one, today, f.Vocabulary)
			} else {
				likeForklift(&one, of.Name, f.Vocabulary)
			}
			it.Phases = append(it.Phases, one)
		}
		f.Itineraries = append(f.Itineraries, it)
	}
	return f
}

func likeToday(p *phases.Phase, today *machine.Graph, v *phases.Vocabulary) {
	i, err := today.Lookup(p.Name)
	if err != nil {
		if p.Step == "" {
			p.Step = mtc.Cleanup
		}
		return
	}
	now := today.Phase(i)
	for _, name := range today.Vocabulary().Names(now.Decides) {
		if flag, ok := v.Lookup(name); ok {
			p.Decides |= flag
		}
	}
	if p.Step == "" {
		p.Step = now.Step
		if upstream := upstreamSteps[now.Step]; upstream != "" {
			p.Step = upstream
		}
	}
}

func likeForklift(p *phases.Phase, itinerary string, v *phases.Vocabulary) {
	for step, names := range forkliftSteps {
		if slices.Contains(names, p.Name) {
			p.Step = step
		}
	}
	due, _ := v.Lookup("CutoverDue")
	switch {
	case itinerary != "Warm":
	case p.Name == "CopyingPaused":
		p.Decides, p.Jumps = due, []phases.Jump{{To: "StorePowerState", Guard: phases.Guard{All: due}}}
	case p.Name == "AddCheckpoint":
		p.Jumps = []phases.Jump{{To: "CopyDisks"}}
	}
}

func TestRecordedReleasesMatchTheirFiles(t *testing.T) {
	for _, name := range []string{"mtc-releases.jsonl", "forklift-releases.jsonl"} {
		for _, r := range recordedReleases(t, name) {
			var b bytes.Buffer
			require.NoError(t, phases.Save(&b, r.definition(t)))
			goldentest.Compare(t, "testdata/releases/"+r.file(), b.String())
		}
	}
}

// upgrades returns the pairs of neighbouring releases, with today's catalogue last.
func upgrades(t *testing.T) (pairs [][2]*Release) {
	t.Helper()
	for _, name := range []string{"mtc-releases.jsonl", "forklift-releases.jsonl"} {
		var before *Release
		for _, recorded := range recordedReleases(t, name) {
			r, err := ReadRelease(releasesFolder + recorded.file())
			require.NoError(t, err)
			r.name = strings.TrimSuffix(recorded.file(), ".yaml")
			if before != nil {
				pairs = append(pairs, [2]*Release{before, r})
			}
			before = r
		}
		if before.name == "mtc-1.8" {
			pairs = append(pairs, [2]*Release{before, releaseOf(t, "mtc@current", mtc.Itineraries()...)})
		}
	}
	return pairs
}

// argument returns the name of a release as an argument of the command.
func argument(r *Release) string {
	if strings.Contains(r.name, "@") {
		return r.name
	}
	return "machine/verify/" + releasesFolder + r.name + ".yaml"
}

func TestCompatHistory(t *testing.T) {
	var b strings.Builder
	b.WriteString(historyHead)
	for i, p := range upgrades(t) {
		if testscale.Reduced && i%3 > 0 {
			continue
		}
		report := Compat(p[0], p[1], CompatOptions{})
		assert.False(t, slices.ContainsFunc(report.Breaks, func(b Break) bool { return b.Rule == RuleInconclusive }))
		fmt.Fprintf(&b, "\n## %s to %s\n\n`go run . compat %s %s`\n\n", p[0].name, p[1].name, argument(p[0]), argument(p[1]))
		b.WriteString("| itinerary | rule | names | smallest state | breaks on rollback |\n| --- | --- | --- | --- | --- |\n")
		for _, row := range historyRows(report.Breaks) {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	if !testscale.Reduced {
		goldentest.Compare(t, "COMPAT.md", b.String())
	}
}

const historyHead = `# What upgrades did to migrations in flight

This file covers every pair of neighbouring releases of MTC and forklift whose
itineraries are recorded. It lists the breaks that runs in flight met when the release
changed under them, as Compat finds them over every state that a run can be in. The
releases are in testdata/releases, as their source had them. Parts that they did not
declare (what phases decide, how flags relate, MTC's steps before 1.4 and all of
forklift's) are as in today's catalogue. A flag that a phase decides may turn out either
way. TestCompatHistory writes this file with -update.

A row names the phases, steps and flags that one rule finds in one itinerary, and the
smallest state that shows the first of them: the recorded phase, and the flags that are
true. The last column counts the breaks of the same rule if the upgrade is undone.
That definitions or relations differ has no row of its own.
`

// historyRows returns the rows of a table.
func historyRows(breaks []Break) (rows [][]string) {
	type key struct{ itinerary, rule string }
	names := make(map[key][]string)
	first := make(map[key]Break)
	back := make(map[key]int)
	var order []key
	for _, b := range breaks {
		k := key{b.Itinerary, b.Rule}
		if b.Rule == RuleDefinitionChanged && b.Kind == DefinitionKind {
			continue
		}
		if _, ok := first[k]; !ok && !slices.Contains(order, k) {
			order = append(order, k)
		}
		if b.Direction == Rollback {
			back[k]++
			continue
		}
		if _, ok := first[k]; !ok {
			first[k] = b
		}
		name := b.Phase + b.Step + b.Flag
		if b.Suggestion != "" {
			name += " (now " + strings.TrimPrefix(strings.SplitN(b.Suggestion, ",", 2)[0], "{name: ") + ")"
		}
		names[k] = append(names[k], name)
	}
	slices.SortStableFunc(order, func(a, b key) int { return strings.Compare(a.itinerary, b.itinerary) })
	for _, k := range order {
		state := ""
		if s := first[k].State; s != nil && s.Phase != "" {
			state = "at " + s.Phase
			if len(s.Facts.True) > 0 {
				state += ": " + strings.Join(s.Facts.True, ", ")
			}
		}
		rows = append(rows, []string{k.itinerary, k.rule, strings.Join(names[k], ", "), state, fmt.Sprint(back[k])})
	}
	return rows
}
