package verify_test

import (
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Two flags exclude each other, and a phase needs both.
func ExampleCheck() {
	const (
		Online phases.Flags = 1 << iota
		Offline
	)
	flags := phases.MustVocabulary([]phases.FlagDef{{Flag: Online, Name: "Online"}, {Flag: Offline, Name: "Offline"}},
		phases.Clause{False: Online | Offline})
	set := machine.MustCompileSet(phases.Itinerary{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Freeze", Step: "Copy", Guard: phases.Guard{All: Online}},
		{Name: "CopyFiles", Step: "Copy"},
		{Name: "Thaw", Step: "Copy", Guard: phases.Guard{All: Online | Offline}},
	}})

	for _, f := range verify.Check(set, verify.Options{}) {
		fmt.Println(f.Severity, f.Rule, f.Phase, f.Assignment)
		fmt.Println(" ", f.Reproduce)
	}
	// Output:
	// warning phase-never-runs Thaw [Online Offline]
	//   plan -i Backup --flags Online,Offline --explain
	// warning guard-contradicts-relations Thaw [Online Offline]
	//   plan -i Backup --flags Online,Offline --explain
}

// A redundant flag is removed from a file; its comments stay.
func ExampleSource_Fix() {
	source, err := verify.Load(strings.NewReader(`flags: [{name: HasVolumes}, {name: HasSnapshots}]
relations: [["!HasSnapshots", HasVolumes]] # a snapshot is of a volume
itineraries:
- name: Backup
  phases:
  - {name: Copy, step: Copy, all: [HasVolumes]}
  - {name: Clean, step: Copy, all: [HasVolumes, HasSnapshots]} # snapshots go
`), "backup.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := machine.CompileSet(source.File().Itineraries...)
	if err != nil {
		fmt.Println(err)
		return
	}

	text, fixed, err := source.Fix(verify.Check(set, verify.Options{Source: source}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fixed[0].Flag, "of", fixed[0].Phase)
	fmt.Println(strings.Split(string(text), "\n")[6])
	// Output:
	// HasVolumes of Clean
	//   - {name: Clean, step: Copy, all: [HasSnapshots]} # snapshots go
}

// A finding that is intended is suppressed with a reason. The other findings fail a
// test.
func ExampleFailing() {
	set := machine.MustCompileSet(phases.Itinerary{Name: "Backup", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{
		{Name: "Copy files", Step: "Copy"},
		{Name: "Check files", Step: "Check"},
	}})

	findings := verify.Check(set, verify.Options{Suppressions: []phases.Suppression{
		{Rule: verify.NameNotURLSafe, Phase: "Copy files", Reason: "the first release used this name"},
	}})
	for _, f := range verify.Failing(findings, verify.Warning) {
		fmt.Println(f.Rule, f.Phase)
	}
	// Output:
	// name-not-url-safe Check files
}

// The next release renames a phase. A run that is recorded in the phase can be resumed
// only if the phase has its old name under formerly.
func ExampleCompat() {
	release := func(name string, phase phases.Phase) *verify.Release {
		r, err := verify.NewRelease(name, machine.MustCompile(phases.Itinerary{
			Name: "Backup", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{phase, {Name: "Clean", Step: "Clean"}},
		}))
		if err != nil {
			panic(err)
		}
		return r
	}
	old := release("v1", phases.Phase{Name: "Copy", Step: "Copy"})
	for _, next := range []*verify.Release{
		release("v2", phases.Phase{Name: "CopyFiles", Step: "Copy"}),
		release("v3", phases.Phase{Name: "CopyFiles", Step: "Copy", Formerly: []string{"Copy"}}),
	} {
		fmt.Println("upgrade to", next.Name())
		for _, b := range verify.Compat(old, next, verify.CompatOptions{}).Breaks {
			if b.Direction == verify.Upgrade && b.Severity() == verify.Error {
				fmt.Println(" ", b.Text)
				fmt.Println("  fix:", b.Suggestion)
			}
		}
	}
	// Output:
	// upgrade to v2
	//   v2 has no phase Copy in Backup, so a run that is recorded there cannot be resumed
	//   fix: {name: CopyFiles, formerly: [Copy]}
	// upgrade to v3
}

// A file accepts one of its findings. The finding is still returned, with the reason.
func ExampleLoad() {
	source, err := verify.Load(strings.NewReader(`
itineraries:
- name: Backup
  phases:
  - {name: Copy files, step: Copy}
  - {name: Check files, step: Check}
suppress:
- {rule: name-not-url-safe, itinerary: Backup, phase: Copy files, reason: the first release used this name}
`), "backup.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := machine.CompileSet(source.File().Itineraries...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range verify.Check(set, verify.Options{Source: source}) {
		fmt.Printf("%v, %s: %q\n", f.Place, f.Phase, f.Suppressed)
	}
	// Output:
	// backup.yaml:5:5, Copy files: "the first release used this name"
	// backup.yaml:6:5, Check files: ""
}

// A break that is intended is accepted until a day.
func ExampleLoadAcceptances() {
	acceptances, err := verify.LoadAcceptances(strings.NewReader(`
accept:
- fingerprint: phase-gone/upgrade/Final/phase=EnsureQuiesced
  reason: no migration is in flight when this release is rolled out
  expires: 2027-03-31
`), "accept.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range acceptances {
		fmt.Println(a.Fingerprint, "until", a.Expires.Format("January 2, 2006"))
	}
	// Output:
	// phase-gone/upgrade/Final/phase=EnsureQuiesced until March 31, 2027
}
