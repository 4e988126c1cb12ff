package mtc_test

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Types of an embedder, like mig-controller's, with the fields that determine flags.
type (
	MigMigration struct {
		Name, Namespace string
		Spec            struct{ Stage, QuiescePods, Verify, Canceled, Rollback, MigrateState bool }
		Status          struct {
			StagedConditions
			Phase, Itinerary string
			Errors           []string
		}
	}
	MigPlan struct {
		Spec struct {
			Namespaces                                                   []string
			PersistentVolumes                                            []struct{ Name, Action, CopyMethod string }
			Hooks                                                        []struct{ Phase string }
			IndirectImageMigration, IndirectVolumeMigration, LiveMigrate bool
		}
		Status struct {
			StagedConditions
			ExcludedResources []string
		}
	}
	MigCluster struct{ Spec struct{ URL string } }

	// StagedConditions drops, at the end of a reconcile, each condition that is
	// neither durable nor staged during that reconcile.
	StagedConditions struct {
		Staging bool
		List    []struct {
			Type, Status, Reason string
			Staged, Durable      bool
		}
	}
)

// find returns the status and reason of a condition. During a reconcile that stages
// conditions, only those that will stay count.
func (c StagedConditions) find(conditionType string) (status, reason string) {
	for _, one := range c.List {
		if one.Type == conditionType && (one.Staged || one.Durable || !c.Staging) {
			return one.Status, one.Reason
		}
	}
	return "", ""
}

// migration and objects convert the embedder's types field by field.
func migration(m *MigMigration) *mtc.Migration {
	return &mtc.Migration{
		Metadata: mtc.Ref{Name: m.Name, Namespace: m.Namespace},
		Spec: mtc.MigrationSpec{
			Stage: m.Spec.Stage, QuiescePods: m.Spec.QuiescePods, Verify: m.Spec.Verify,
			Canceled: m.Spec.Canceled, Rollback: m.Spec.Rollback, MigrateState: m.Spec.MigrateState,
		},
		Status: mtc.MigrationStatus{
			Phase: m.Status.Phase, Itinerary: m.Status.Itinerary, Errors: m.Status.Errors,
			Conditions: mtc.ConditionsFrom(m.Status.find),
		},
	}
}

func objects(m *MigMigration, p *MigPlan, source, destination *MigCluster, disableImageCopy bool) mtc.Objects {
	plan := &mtc.Plan{
		Spec: mtc.PlanSpec{
			Namespaces: p.Spec.Namespaces, LiveMigrate: p.Spec.LiveMigrate,
			IndirectImage: p.Spec.IndirectImageMigration, IndirectVolume: p.Spec.IndirectVolumeMigration,
		},
		Status: mtc.PlanStatus{ExcludedResources: p.Status.ExcludedResources, Conditions: mtc.ConditionsFrom(p.Status.find)},
	}
	for _, v := range p.Spec.PersistentVolumes {
		selection := mtc.Selection{Action: v.Action, CopyMethod: v.CopyMethod}
		plan.Spec.Volumes = append(plan.Spec.Volumes, mtc.Volume{Name: v.Name, Selection: selection})
	}
	for _, h := range p.Spec.Hooks {
		plan.Spec.Hooks = append(plan.Spec.Hooks, mtc.Hook{Phase: h.Phase})
	}
	return mtc.Objects{
		Migration: migration(m), Plan: plan,
		Source:           &mtc.Cluster{Spec: mtc.ClusterSpec{URL: source.Spec.URL}},
		Destination:      &mtc.Cluster{Spec: mtc.ClusterSpec{URL: destination.Spec.URL}},
		DisableImageCopy: disableImageCopy, // a setting of the controller
	}
}

// Objects are filled from an embedder's Go types, without JSON. The condition
// StagePodsCreated counts until the reconcile begins to stage conditions.
func Example_ownTypes() {
	m, p, source, destination := &MigMigration{}, &MigPlan{}, &MigCluster{}, &MigCluster{}
	m.Status.List = append(m.Status.List, struct {
		Type, Status, Reason string
		Staged, Durable      bool
	}{Type: "StagePodsCreated", Status: "True"})
	source.Spec.URL = "https://api.source.example.com:6443"

	for _, staging := range []bool{false, true} {
		m.Status.Staging = staging
		sources, err := mtc.Sources(objects(m, p, source, destination, true))
		if err != nil {
			fmt.Println(err)
			return
		}
		evaluation := sources.Evaluate(context.Background(), phases.Request{Read: mtc.HasStagePods | mtc.EnableImage | mtc.EnableVolume})
		fmt.Println(mtc.Select(migration(m)), mtc.Vocabulary().Names(evaluation.Facts.True()))
	}
	// Output:
	// Final [HasStagePods EnableVolume]
	// Final [EnableVolume]
}
