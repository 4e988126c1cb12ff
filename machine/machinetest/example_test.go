package machinetest_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// printer stands in for the *testing.T of a test: it prints the reports.
type printer struct{}

// quiet is a TB that prints nothing.
type quiet struct{ printer }

func (quiet) Errorf(string, ...any) {}

func (printer) Helper()                           {}
func (printer) Logf(format string, args ...any)   { fmt.Printf(format+"\n", args...) }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printer) FailNow()                          { panic("the example fails") }

var t printer

// A backup whose upload fails. The setup, with its handlers and its cluster in memory, is in
// backup_test.go.
func Example() {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("HasVolumes"), machinetest.Fail("Upload", "no space left"))
	life.WantPhases("Backup", "Validate", "Snapshot", "Upload")
	life.WantItinerary("CleanUp")
	life.WantResult(phases.Failed)
	life.WantFailures("Backup/Upload: no space left")
	life.WantMessages("Prepare: Completed", "Volumes: Completed", "Upload: Failed", "CleanUp: Completed")
	fmt.Println("snapshots left:", len(life.World().Snapshots))
	// Output:
	// snapshots left: 0
}

// Explore every life of the backup controller, with a bug in an itinerary: CleanUp does not turn
// traffic on again.
func ExampleExplore() {
	s := setup()
	s.Options = func(c *Cluster) runner.Options[*Backup] {
		all := itineraries()
		drop(&all[1], "StartTraffic")
		return optionsOf(c, machine.MustCompileSet(all...))
	}
	r := machinetest.Explore(t, machinetest.Exploration[*Backup, Cluster]{Setup: s, Settled: []string{"StartTraffic"}})
	fmt.Println(r.Inconclusive)
	// Output:
	// traffic is never off at the end, in itinerary CleanUp: the invariant does not hold: the backup is done, and traffic is off
	//   1. flags: TrafficOff
	//   2. Backup: Validate
	//   3. Validate fails
	//   4. CleanUp: Report, the end
	//   life.Run(machinetest.Flags("TrafficOff"), machinetest.Fail("Validate", "injected").In("Backup"))
	// false
}

// Walk through random lives of the backup controller with the same bug. However long the script was
// that broke, only the necessary lines remain.
func ExampleWalk() {
	s := setup()
	s.Options = func(c *Cluster) runner.Options[*Backup] {
		all := itineraries()
		drop(&all[1], "StartTraffic")
		return optionsOf(c, machine.MustCompileSet(all...))
	}
	report := machinetest.Walk(quiet{}, machinetest.Walks[*Backup, Cluster]{
		Setup: s, Seed: 3, Lives: 20, Settled: []string{"StartTraffic"},
	})
	fmt.Println(report.Found[0].Break)
	for _, line := range report.Found[0].Script {
		fmt.Println(line)
	}
	// Output:
	// traffic is never off at the end, in itinerary CleanUp: the invariant does not hold: the backup is done, and traffic is off
	// machinetest.Flags("HasVolumes", "Quiesce")
	// machinetest.Fail("Snapshot", "injected")
}

// See what one life covers, and what it does not.
func ExampleCoverage() {
	coverage := machinetest.NewCoverage()
	s := setup()
	s.Coverage = coverage
	machinetest.New(t, s).Run(machinetest.Flags("HasVolumes"))
	covered, possible, _ := coverage.Covered("Backup", machinetest.CoverTransitions)
	fmt.Printf("transitions: %d of %d\n", covered, possible)
	fmt.Println(coverage.Missing("Backup", machinetest.CoverPhases))
	// Output:
	// transitions: 5 of 11
	// [StopTraffic StartTraffic]
}

// Test itineraries alone, before there is any handler.
func ExampleNewScripted() {
	life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...),
		Itinerary:   "Backup",
		OnFail:      map[string]string{"Backup": "CleanUp"},
		OnCancel:    map[string]string{"Backup": "CleanUp"},
	}))
	life.Run(machinetest.Flags("Quiesce"), machinetest.Decide("StopTraffic", "TrafficOff"), machinetest.Edit("Upload", "cancel"))
	life.WantPhases("Backup", "Validate", "StopTraffic", "Upload")
	life.WantSteps("Prepare", "Upload", "CleanUp")
	for _, s := range life.State().Pipeline {
		fmt.Printf("%s: %s\n", s.Name, s.Message)
	}
	// Output:
	// Prepare: Completed
	// Upload: Canceled
	// CleanUp: Completed
}

// Print what happened, in order. Golden compares it with a file.
func ExampleLife_Transcript() {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("Quiesce"), machinetest.CrashBefore("Upload"))
	for line := range strings.Lines(life.Transcript()) {
		if !strings.Contains(line, "steps") {
			fmt.Print(line)
		}
	}
	// Output:
	//       0s  flag     HasVolumes is no
	//       0s  flag     Quiesce is yes
	//       0s  flag     TrafficOff is no
	//       0s  begin    Backup
	//       0s  enter    Validate (Prepare)
	//       0s  call     Validate: done
	//       0s  enter    StopTraffic (Prepare)
	//       0s  call     StopTraffic: done
	//       0s  flag     TrafficOff is yes
	//       0s  enter    Upload (Upload)
	//       0s  call     Upload: done
	//       0s  enter    StartTraffic (Finish)
	//       0s  script   machinetest.CrashBefore("Upload")
	//       0s  call     Upload: done
	//       0s  enter    StartTraffic (Finish)
	//       0s  call     StartTraffic: done
	//       0s  enter    Report (Finish)
	//       0s  call     Report: done
	//       0s  done     Succeeded, in Backup
}

// Check a moment in the middle of a life.
func ExampleLife_Check() {
	life := machinetest.New(t, setup())
	life.Check("Upload", func(s machinetest.Snapshot[*Backup, Cluster]) error {
		if !s.World.TrafficOff {
			return fmt.Errorf("traffic is on during the upload")
		}
		fmt.Println("at Upload:", s.State.Pipeline.Current().Name)
		return nil
	})
	life.Run(machinetest.Flags("Quiesce"))
	// Output:
	// at Upload: Upload
}

// Combine faults of handlers, sources, writes and the clock in one life.
func ExampleLine() {
	life := machinetest.New(t, setup())
	life.Run(
		machinetest.Flags("HasVolumes", "Quiesce"),
		machinetest.FlagErr(machinetest.Start, "HasVolumes", "no route to host").Times(2),
		machinetest.Err("StopTraffic", "conflict"),
		machinetest.HangIn("Validate"),
		machinetest.Conflict("Snapshot").Call(2),
		machinetest.Clock("Upload", -time.Hour),
		machinetest.LoseWrite("Upload"),
		machinetest.CrashAfter("StartTraffic"),
	)
	life.WantPhases("Backup", "Validate", "StopTraffic", "Snapshot", "Upload", "Upload", "StartTraffic", "StartTraffic", "Report")
	fmt.Println("uploaded:", life.World().Uploaded, "traffic off:", life.World().TrafficOff)
	// Output:
	// uploaded: [shop] traffic off: false
}

// Garden is the custom resource of a small controller, and Soil its world.
type Garden struct {
	Dry   bool         `json:"dry"`
	State runner.State `json:"state"`
}

type Soil struct{ Watered int }

// A complete setup: a controller that waters a garden if it is dry. In production the handler would
// call a pump; here it works on the soil in memory.
func ExampleSetup() {
	const Dry phases.Flags = 1
	flags := phases.MustVocabulary([]phases.FlagDef{{Flag: Dry, Name: "Dry"}})
	set := machine.MustCompileSet(phases.Itinerary{Name: "Care", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Water", Step: "Water", Guard: phases.Guard{All: Dry}},
		{Name: "Report", Step: "Report"},
	}})
	setup := machinetest.Setup[*Garden, Soil]{
		Object: &Garden{},
		Options: func(soil *Soil) runner.Options[*Garden] {
			return runner.Options[*Garden]{
				Itineraries: set,
				Select:      func(context.Context, *Garden) (string, error) { return "Care", nil },
				Sources: func(_ context.Context, g *Garden) (*phases.Sources, error) {
					return phases.NewSources(flags, phases.Source{Flag: Dry, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
						return phases.TruthOf(g.Dry), nil
					}})
				},
				Storage: runner.Storage[*Garden]{
					Read:  func(_ context.Context, g *Garden) (runner.State, error) { return g.State, nil },
					Write: func(_ context.Context, g *Garden, s runner.State) error { g.State = s; return nil },
				},
				Phases: map[string]runner.Phase[*Garden]{
					"Water": {Handler: runner.HandlerFunc[*Garden](func(context.Context, *Garden) (runner.Result, error) {
						soil.Watered = 1
						return runner.Done(), nil
					})},
				},
				PassThrough: true,
			}
		},
		SetFlag: func(g *Garden, _ *Soil, _ string, value bool) error {
			g.Dry = value
			return nil
		},
	}
	life := machinetest.New(t, setup)
	life.Run(machinetest.Flags("Dry"))
	life.WantPhases("Care", "Water", "Report")
	fmt.Println("watered:", life.World().Watered)
	// Output:
	// watered: 1
}

// Let a fake hang, like a request that gets no answer. The deadline of the phase ends it, after ten
// minutes on the clock and at once in real time. A minute later it ends the last call of the
// handler in the same way.
func ExampleHang() {
	s := setup()
	s.Options = func(c *Cluster) runner.Options[*Backup] {
		o := options(c)
		o.Phases["Snapshot"] = runner.Phase[*Backup]{Deadline: 10 * time.Minute, Handler: runner.HandlerFunc[*Backup](
			func(ctx context.Context, _ *Backup) (runner.Result, error) {
				return runner.Result{}, machinetest.Hang(ctx)
			})}
		return o
	}
	life := machinetest.New(t, s)
	life.Run()
	failure := life.State().Failures[0]
	fmt.Println(strings.Join(failure.Reasons, "; "))
	fmt.Println("after", failure.At.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
	// Output:
	// phase Snapshot was not done within 10 min; the last error: context deadline exceeded
	// after 11m1s
}
