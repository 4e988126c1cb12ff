// Command operator upgrades clusters of PostgreSQL servers to another major
// version. It creates a new primary beside the old one, then its replicas one by
// one, and moves the clients at the end. Until then, the upgrade can be rolled
// back.
//
// It is an example of an operator on machine/controller: see README.md. It is
// not meant to be used with real databases.
package main

import (
	"context"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

func main() {
	ctrl.SetLogger(zap.New())
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{})
	utilruntime.Must(err)
	utilruntime.Must(api.AddToScheme(mgr.GetScheme()))
	utilruntime.Must(addToManager(mgr))
	utilruntime.Must(mgr.AddMetricsServerExtraHandler("/debug/pipeline/", pages))
	utilruntime.Must(mgr.Start(ctrl.SetupSignalHandler()))
}

// runs records the upgrades, and pages shows them.
var runs = debug.Must(debug.NewRecorder(debug.Options{Itineraries: itineraries}))
var pages = debug.Must(debug.NewHandler(runs, debug.HandlerOptions{Title: "Upgrades"}))

// worker does the work of upgrades. It reads past the cache of its manager,
// because a phase must see the writes of the one before.
type worker struct{ ctrl.Manager }

// addToManager adds the controller of upgrades to a manager.
func addToManager(mgr ctrl.Manager) error {
	return controller.AddToManager(mgr, controller.Options[*api.Upgrade]{
		New: func() *api.Upgrade { return &api.Upgrade{} }, StatusSubresource: true,
		Conditions: controller.NewConditions((*api.Upgrade).Conditions),
		Recorder:   controller.NewEventsRecorder(mgr.GetEventRecorder("upgrade")),
		Runs:       runs, Runner: worker{mgr}.options(),
	}, func(b *ctrl.Builder) { b.Watches(&api.Server{}, controller.EnqueueByLabel(api.Cluster)) })
}

// options returns the options of the runner.
func (w worker) options() runner.Options[*api.Upgrade] {
	return runner.Options[*api.Upgrade]{
		Itineraries: itineraries, Select: selectItinerary, Sources: w.sources, Handler: w,
		Storage: runner.NewStatusStorage((*api.Upgrade).State),
		Token: func(_ context.Context, u *api.Upgrade) (string, runner.RunFrom, error) {
			return u.Spec.Attempt, runner.FromStart, nil
		},
		Phases: map[string]runner.Phase[*api.Upgrade]{"CatchUp": {Deadline: 10 * time.Minute}},
	}
}

// selectItinerary returns the itinerary that an upgrade asks for. From the phase
// AcceptWrites on, an upgrade is no longer rolled back.
func selectItinerary(_ context.Context, u *api.Upgrade) (string, error) {
	s := u.Status
	late := s.Phase == "AcceptWrites" || s.Phase == "RemoveOldServers" // no way back
	if late || s.Done && s.Itinerary == "Upgrade" || !u.Spec.Canceled && s.FailedPhases == 0 {
		return "Upgrade", nil
	}
	return "Rollback", nil
}
