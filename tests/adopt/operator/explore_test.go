package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

// machines holds the servers of one cluster, and the state of their agents.
type machines struct {
	Servers   map[string]*api.Server
	Collation bool // as in agents
	Indexed   map[string]bool
}

// add adds a server.
func (m *machines) add(name string, spec api.ServerSpec) {
	m.Servers[name] = &api.Server{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1", Generation: 1}, Spec: spec}
}

// elapse lets the agents carry out the specs of their servers.
func (m *machines) elapse(time.Time) {
	a := agents{collation: m.Collation, indexed: m.Indexed}
	for _, s := range m.Servers {
		s.Status = a.statusOf(s, m.Servers[s.Spec.Source])
	}
}

// writable returns the primaries that accept writes.
func (m *machines) writable() (all []*api.Server) {
	for _, s := range m.Servers {
		if s.Spec.Role == api.Primary && s.Spec.Writable {
			all = append(all, s)
		}
	}
	return all
}

// inMemory is a manager, and its clients, for machines.
type inMemory struct {
	ctrl.Manager
	client.Client
	*machines
}

func (m inMemory) GetClient() client.Client    { return m }
func (m inMemory) GetAPIReader() client.Reader { return m }

func (m inMemory) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for _, name := range slices.Sorted(maps.Keys(m.Servers)) {
		all := list.(*api.ServerList)
		all.Items = append(all.Items, *m.Servers[name].DeepCopy())
	}
	return nil
}

func (m inMemory) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	m.Servers[key.Name].DeepCopyInto(o.(*api.Server))
	return nil
}

func (m inMemory) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	name := o.GetName()
	if name == "" {
		return errors.New("a server needs a name")
	}
	if m.Servers[name] != nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "servers"}, name)
	}
	m.add(name, o.(*api.Server).Spec)
	return m.Get(context.Background(), client.ObjectKeyFromObject(o), o)
}

func (m inMemory) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	s := m.Servers[o.GetName()]
	if spec := o.(*api.Server).Spec; spec != s.Spec {
		s.Spec, s.Status.ObservedGeneration = spec, 0 // not carried out yet
	}
	return m.Get(context.Background(), client.ObjectKeyFromObject(o), o)
}

func (m inMemory) Delete(_ context.Context, o client.Object, _ ...client.DeleteOption) error {
	delete(m.Servers, o.GetName())
	return nil
}

// setFlag changes the input of a flag's source, before an upgrade begins.
func setFlag(u *api.Upgrade, m *machines, flag string, value bool) error {
	switch flag {
	case "WantsBackup":
		u.Spec.Backup = value
	case "CollationChanged":
		m.Collation = value
	case "ReplicasMissing":
		for n := range 2 {
			name := fmt.Sprintf("shop-v16-%d", n)
			if delete(m.Servers, name); value {
				m.add(name, api.ServerSpec{Version: 16, Role: api.Replica, Source: "shop-v16"})
			}
		}
	}
	return nil
}

// invariants hold at each moment of an upgrade, or at its end.
var invariants = []machinetest.Invariant[*api.Upgrade, machines]{
	{Name: "at most one primary accepts writes", Check: func(s machinetest.Snapshot[*api.Upgrade, machines]) error {
		if n := len(s.World.writable()); n > 1 {
			return fmt.Errorf("%d primaries accept writes", n)
		}
		return nil
	}},
	{Name: "a primary accepts writes at the end", Check: func(s machinetest.Snapshot[*api.Upgrade, machines]) error {
		if !s.State.Done {
			return nil
		}
		switch all := s.World.writable(); {
		case len(all) == 0:
			return errors.New("no primary accepts writes")
		case s.State.Result == phases.Succeeded && all[0].Spec.Version != s.Object.Spec.Version:
			return fmt.Errorf("server %s of the old version accepts writes", all[0].Name)
		}
		return nil
	}},
	{Name: "no rollback once clients use the new primary", Check: func(s machinetest.Snapshot[*api.Upgrade, machines]) error {
		for _, primary := range s.World.writable() {
			if primary.Spec.Version == s.Object.Spec.Version && s.State.Itinerary == "Rollback" {
				return fmt.Errorf("rolled back although %s accepts writes", primary.Name)
			}
		}
		return nil
	}},
}

// The exploration runs the operator's own handlers, with all flags, and a
// failure, a crash and a cancel at every moment.
func TestExploreUpgrades(t *testing.T) {
	world := machines{Servers: map[string]*api.Server{}, Indexed: map[string]bool{}}
	world.add("shop-v16", api.ServerSpec{Version: 16, Role: api.Primary, Writable: true})
	report := machinetest.Explore(t, machinetest.Exploration[*api.Upgrade, machines]{
		Setup: machinetest.Setup[*api.Upgrade, machines]{
			Options: func(m *machines) runner.Options[*api.Upgrade] { return worker{inMemory{machines: m}}.options() },
			Object:  &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: api.UpgradeSpec{Version: 17}},
			World:   world,
			SetFlag: setFlag, Elapse: (*machines).elapse, Invariants: invariants, Resync: time.Hour,
			Edits: map[string]func(*api.Upgrade){"cancel": func(u *api.Upgrade) { u.Spec.Canceled = true }},
		},
		Fixed: []string{"!HasNewServers", "WantsBackup"}, Edits: []string{"cancel"},
		// The state of the servers settles the flags that these decide.
		Settled: []string{"CreatePrimary", "Reindex", "RebuildReplica", "AcceptWrites", "RemoveNewServers"},
		// No other phase makes up for writes that cannot be resumed. From
		// AcceptWrites on there is no rollback: a failure stops the run.
		NeverFails: []string{"ResumeWrites", "AcceptWrites", "RemoveOldServers"},
	})
	if !t.Failed() { // or Explore has reported it
		t.Log(report)
	}
}
