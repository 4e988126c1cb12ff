package controller_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// VMs returns the items of a plan, and makes those that its status lacks.
func VMs(p *Plan) (items []*VM) {
	there := map[string]VM{}
	for _, vm := range p.Status.VMs {
		there[vm.Name] = vm
	}
	p.Status.VMs = make([]VM, len(p.Spec.VMs))
	for i, name := range p.Spec.VMs {
		p.Status.VMs[i] = there[name]
		p.Status.VMs[i].Name = name
		items = append(items, &p.Status.VMs[i])
	}
	return items
}

// PlanVM is what handlers get: the virtual machine, and its plan.
type PlanVM = controller.Item[*Plan, VM]

var migration = machine.MustCompileSet(
	phases.Itinerary{Name: "Migrate", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "CopyDisks", Step: "DiskTransfer"},
		{Name: "CreateVM", Step: "Create"},
	}},
	phases.Itinerary{Name: "Cancel", Vocabulary: flags, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "DeleteDisks", Step: "CleanUp"},
	}},
)

// Work is the handler of all phases.
func Work(_ context.Context, i PlanVM, v runner.Visit) (runner.Result, error) {
	return runner.Done(), nil // it would use i.Item.Name and v.Phase
}

// NewPlans makes a reconciler that migrates at most ten virtual machines of a
// plan at once.
func NewPlans(c client.Client) (*controller.Reconciler[*Plan], error) {
	return controller.New(controller.Options[*Plan]{
		Client:            c,
		New:               func() *Plan { return &Plan{} },
		StatusSubresource: true,
		Conditions:        controller.NewConditions(func(p *Plan) *[]metav1.Condition { return &p.Status.Conditions }),
		List: controller.NewList(controller.ListOptions[*Plan, VM]{
			Items:     VMs,
			Key:       func(vm *VM) string { return vm.Name },
			MaxAtWork: 10,
			Summarize: func(p *Plan, s controller.Summary) { p.Status.Summary = s },
			Runner: runner.Options[PlanVM]{
				Itineraries: migration,
				Storage:     runner.NewStatusStorage(func(i PlanVM) *runner.State { return &i.Item.State }),
				Select: func(_ context.Context, i PlanVM) (string, error) {
					if slices.Contains(i.Object.Spec.Canceled, i.Item.Name) || i.Item.FailedPhases > 0 {
						return "Cancel", nil
					}
					return "Migrate", nil
				},
				Sources: func(context.Context, PlanVM) (*phases.Sources, error) { return phases.NewSources(flags) },
				Handler: runner.VisitFunc[PlanVM](Work),
			},
		}),
	})
}

func ExampleNewList() {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(schema.GroupVersion{Group: "example.com", Version: "v1"}, &Plan{})
	plan := &Plan{ObjectMeta: metav1.ObjectMeta{Namespace: "vms", Name: "east"}}
	for i := range 25 {
		plan.Spec.VMs = append(plan.Spec.VMs, fmt.Sprintf("vm-%d", i))
	}
	plan.Spec.Canceled = []string{"vm-24"}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(plan).WithStatusSubresource(plan).Build()

	plans, err := NewPlans(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	for again := true; again; {
		result, err := plans.Reconcile(context.Background(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(plan)})
		if err == nil {
			err = c.Get(context.Background(), client.ObjectKeyFromObject(plan), plan)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		again = result.RequeueAfter > 0
		time.Sleep(result.RequeueAfter)
	}
	fmt.Println(plan.Status.Summary)
	// Output: 24 succeeded, 1 canceled
}
