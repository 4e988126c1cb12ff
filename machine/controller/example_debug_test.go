package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// runs keeps what the runs of backups do and have done, and pages shows it.
var (
	runs  = debug.Must(debug.NewRecorder(debug.Options{Itineraries: backup}))
	pages = debug.Must(debug.NewHandler(runs, debug.HandlerOptions{Title: "Backups"}))
)

// NewManager makes a manager that serves the pages beside its metrics.
func NewManager(config *rest.Config) (manager.Manager, error) {
	return manager.New(config, manager.Options{
		Metrics: server.Options{
			ExtraHandlers: map[string]http.Handler{"/debug/pipeline/": pages},
		},
	})
}

// NewBackups makes a reconciler whose runs are recorded.
func NewBackups(c client.Client) (*controller.Reconciler[*Backup], error) {
	return controller.New(controller.Options[*Backup]{
		Client:            c,
		New:               func() *Backup { return &Backup{} },
		StatusSubresource: true,
		Runs:              runs,
		Runner: runner.Options[*Backup]{
			Itineraries: backup,
			Storage:     runner.NewStatusStorage(func(b *Backup) *runner.State { return &b.Status.State }),
			Select:      func(context.Context, *Backup) (string, error) { return "Backup", nil },
			Sources: func(_ context.Context, b *Backup) (*phases.Sources, error) {
				return phases.NewSources(flags, phases.SourceOf(HasVolumes, phases.TruthOf(len(b.Spec.Volumes) > 0)))
			},
			Phases:      map[string]runner.Phase[*Backup]{"Snapshot": {Handler: runner.HandlerFunc[*Backup](Snapshot)}},
			PassThrough: true,
		},
	})
}

func Example_watchingRuns() {
	b := &Backup{Spec: BackupSpec{Volumes: []string{"data", "logs"}}}
	b.Namespace, b.Name = "shop", "nightly"
	c := fake.NewClientBuilder().WithScheme(watchedScheme()).WithObjects(b).WithStatusSubresource(b).Build()
	backups, err := NewBackups(c)
	for range 5 { // as often as the manager would until it waits
		if err == nil {
			_, err = backups.Reconcile(context.Background(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(b)})
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	show(pages)
	// Output: nightly: step 2 of 3, Volumes: Waiting in phase Snapshot: 1 of 2 volumes
}

// An object that has many runs is recorded in the same way.
func Example_watchingItems() {
	p := &Plan{Spec: PlanSpec{VMs: []string{"mail", "web"}}}
	p.Namespace, p.Name = "vms", "east"
	c := fake.NewClientBuilder().WithScheme(watchedScheme()).WithObjects(p).WithStatusSubresource(p).Build()
	runs := debug.Must(debug.NewRecorder(debug.Options{Itineraries: migration}))
	plans, err := controller.New(controller.Options[*Plan]{
		Client:            c,
		New:               func() *Plan { return &Plan{} },
		StatusSubresource: true,
		Runs:              runs,
		List: controller.NewList(controller.ListOptions[*Plan, VM]{
			Items: VMs,
			Key:   func(vm *VM) string { return vm.Name },
			Runner: runner.Options[PlanVM]{
				Itineraries: migration,
				Storage:     runner.NewStatusStorage(func(i PlanVM) *runner.State { return &i.Item.State }),
				Select:      func(context.Context, PlanVM) (string, error) { return "Migrate", nil },
				Sources:     func(context.Context, PlanVM) (*phases.Sources, error) { return phases.NewSources(flags) },
				Handler:     runner.VisitFunc[PlanVM](Work),
			},
		}),
	})
	if err == nil {
		_, err = plans.Reconcile(context.Background(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	show(debug.Must(debug.NewHandler(runs, debug.HandlerOptions{Title: "Virtual machines"})))
	// Output:
	// east/mail: step 1 of 2, DiskTransfer: Working in phase CopyDisks
	// east/web: step 1 of 2, DiskTransfer: Working in phase CopyDisks
}

func watchedScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(schema.GroupVersion{Group: "example.com", Version: "v1"}, &Backup{}, &Plan{})
	return scheme
}

// show prints the list of runs, which clients can have as JSON.
func show(pages http.Handler) {
	request := httptest.NewRequest(http.MethodGet, "/debug/pipeline/", nil)
	request.Header.Set("Accept", "application/json")
	response := httptest.NewRecorder()
	pages.ServeHTTP(response, request)
	var list struct {
		Items []struct{ Name, Item, Step, Phase, Activity, Progress, Why string }
	}
	if err := json.Unmarshal(response.Body.Bytes(), &list); err != nil {
		fmt.Println(err)
	}
	for _, i := range list.Items {
		line := fmt.Sprintf("%s: %s, %s: %s in phase %s: %s", path.Join(i.Name, i.Item), i.Progress, i.Step, i.Activity, i.Phase, i.Why)
		fmt.Println(strings.TrimSuffix(line, ": "))
	}
}
