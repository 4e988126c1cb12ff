package machinetest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A small backup controller, as an embedder would write it: flags, itineraries, a custom resource,
// an outside world, sources and handlers.

const (
	HasVolumes phases.Flags = 1 << iota
	Quiesce
	TrafficOff
)

var flags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: HasVolumes, Name: "HasVolumes", Description: "the application has volumes"},
	{Flag: Quiesce, Name: "Quiesce", Description: "the user wants traffic off while the snapshot is taken"},
	{Flag: TrafficOff, Name: "TrafficOff", Description: "clients are cut off from the application"},
})

func itineraries() []phases.Itinerary {
	return []phases.Itinerary{
		{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
			{Name: "Validate", Step: "Prepare"},
			{Name: "StopTraffic", Step: "Prepare", Guard: phases.Guard{All: Quiesce}, Decides: TrafficOff},
			{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: HasVolumes}, Description: "Taking a snapshot"},
			{Name: "Upload", Step: "Upload"},
			{Name: "StartTraffic", Step: "Finish", Guard: phases.Guard{All: TrafficOff}, Decides: TrafficOff},
			{Name: "Report", Step: "Finish"},
		}},
		{Name: "CleanUp", Vocabulary: flags, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
			{Name: "StartTraffic", Step: "CleanUp", Decides: TrafficOff},
			{Name: "DeleteSnapshot", Step: "CleanUp", Guard: phases.Guard{All: HasVolumes}},
			{Name: "Report", Step: "CleanUp"},
		}},
	}
}

// Backup is the custom resource.
type Backup struct {
	Spec   Spec   `json:"spec"`
	Status Status `json:"status"`
}

type Spec struct {
	Name     string `json:"name"`
	Volumes  bool   `json:"volumes,omitempty"`
	Quiesce  bool   `json:"quiesce,omitempty"`
	Canceled bool   `json:"canceled,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
	// Again requests a new run, FromFailed one that begins in the phase that failed.
	Again      string `json:"again,omitempty"`
	FromFailed bool   `json:"fromFailed,omitempty"`
}

type Status struct {
	State    runner.State `json:"state"`
	Failed   bool         `json:"failed,omitempty"`
	Snapshot string       `json:"snapshot,omitempty"`
}

// Cluster is the world outside the custom resource.
type Cluster struct {
	TrafficOff bool `json:"trafficOff,omitempty"`
	// Snapshots maps each snapshot to whether it is ready.
	Snapshots map[string]bool `json:"snapshots,omitempty"`
	Uploaded  []string        `json:"uploaded,omitempty"`
}

// Elapse is what the cluster does by itself: requested snapshots become ready.
func (c *Cluster) Elapse(time.Time) {
	for name := range c.Snapshots {
		c.Snapshots[name] = true
	}
}

// Controller has the handlers of the backup controller.
type Controller struct{ cluster *Cluster }

func (c Controller) StopTraffic(context.Context, *Backup) (runner.Result, error) {
	c.cluster.TrafficOff = true
	return runner.Done(), nil
}

func (c Controller) StartTraffic(context.Context, *Backup) (runner.Result, error) {
	c.cluster.TrafficOff = false
	return runner.Done(), nil
}

func (c Controller) Snapshot(_ context.Context, b *Backup) (runner.Result, error) {
	name := b.Spec.Name + "-snapshot"
	if ready, ok := c.cluster.Snapshots[name]; !ok {
		if c.cluster.Snapshots == nil {
			c.cluster.Snapshots = make(map[string]bool)
		}
		c.cluster.Snapshots[name] = false
		return runner.Wait(5*time.Second, "Waiting for the snapshot"), nil
	} else if !ready {
		return runner.Wait(5*time.Second, "Waiting for the snapshot"), nil
	}
	b.Status.Snapshot = name
	return runner.Done(), nil
}

func (c Controller) DeleteSnapshot(_ context.Context, b *Backup) (runner.Result, error) {
	delete(c.cluster.Snapshots, b.Spec.Name+"-snapshot")
	if len(c.cluster.Snapshots) == 0 {
		c.cluster.Snapshots = nil
	}
	return runner.Done(), nil
}

func (c Controller) Upload(_ context.Context, b *Backup) (runner.Result, error) {
	for _, name := range c.cluster.Uploaded {
		if name == b.Spec.Name {
			return runner.Done(), nil
		}
	}
	c.cluster.Uploaded = append(c.cluster.Uploaded, b.Spec.Name)
	return runner.Done(), nil
}

func (c Controller) sources(_ context.Context, b *Backup) (*phases.Sources, error) {
	answer := func(f func() bool) func(context.Context, phases.Facts) (phases.Truth, error) {
		return func(context.Context, phases.Facts) (phases.Truth, error) { return phases.TruthOf(f()), nil }
	}
	return phases.NewSources(flags,
		phases.Source{Flag: HasVolumes, Evaluate: answer(func() bool { return b.Spec.Volumes })},
		phases.Source{Flag: Quiesce, Evaluate: answer(func() bool { return b.Spec.Quiesce })},
		phases.Source{Flag: TrafficOff, Slow: true, Evaluate: answer(func() bool { return c.cluster.TrafficOff })})
}

// options returns the options that the controller passes to runner.New. A test passes a world in
// memory.
func options(cluster *Cluster) runner.Options[*Backup] {
	return optionsOf(cluster, machine.MustCompileSet(itineraries()...))
}

func optionsOf(cluster *Cluster, set *machine.Set) runner.Options[*Backup] {
	c := Controller{cluster}
	handler := func(h runner.HandlerFunc[*Backup]) runner.Phase[*Backup] { return runner.Phase[*Backup]{Handler: h} }
	return runner.Options[*Backup]{
		Itineraries: set,
		Select: func(_ context.Context, b *Backup) (string, error) {
			if b.Spec.Canceled || b.Status.Failed {
				return "CleanUp", nil
			}
			return "Backup", nil
		},
		Sources: c.sources,
		Storage: runner.Storage[*Backup]{
			Read:  func(_ context.Context, b *Backup) (runner.State, error) { return b.Status.State, nil },
			Write: func(_ context.Context, b *Backup, s runner.State) error { b.Status.State = s; return nil },
		},
		OnFail: func(_ context.Context, b *Backup, _ runner.Failure) error { b.Status.Failed = true; return nil },
		Paused: func(_ context.Context, b *Backup) (bool, error) { return b.Spec.Paused, nil },
		Phases: map[string]runner.Phase[*Backup]{
			"StopTraffic":    handler(c.StopTraffic),
			"StartTraffic":   handler(c.StartTraffic),
			"Snapshot":       {Handler: runner.HandlerFunc[*Backup](c.Snapshot), Deadline: 10 * time.Minute},
			"Upload":         handler(c.Upload),
			"DeleteSnapshot": handler(c.DeleteSnapshot),
		},
		PassThrough: true,
	}
}

// setup describes the controller under test.
func setup() machinetest.Setup[*Backup, Cluster] {
	return machinetest.Setup[*Backup, Cluster]{
		Options: options,
		Object:  &Backup{Spec: Spec{Name: "shop", Volumes: true}},
		Elapse:  (*Cluster).Elapse,
		SetFlag: func(b *Backup, c *Cluster, flag string, value bool) error {
			switch flag {
			case "HasVolumes":
				b.Spec.Volumes = value
			case "Quiesce":
				b.Spec.Quiesce = value
			case "TrafficOff":
				c.TrafficOff = value
			default:
				return fmt.Errorf("there is no flag %s", flag)
			}
			return nil
		},
		Edits: map[string]func(*Backup){
			"cancel": func(b *Backup) { b.Spec.Canceled = true },
			"pause":  func(b *Backup) { b.Spec.Paused = true },
			"resume": func(b *Backup) { b.Spec.Paused = false },
		},
		Invariants: []machinetest.Invariant[*Backup, Cluster]{{
			Name: "traffic is never off at the end",
			Check: func(s machinetest.Snapshot[*Backup, Cluster]) error {
				if s.State.Done && s.World.TrafficOff {
					return errors.New("the backup is done, and traffic is off")
				}
				return nil
			},
		}},
	}
}
