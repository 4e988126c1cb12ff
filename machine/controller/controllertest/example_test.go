package controllertest_test

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
)

// printer replaces the *testing.T of a test.
type printer struct{ failed bool }

func (*printer) Helper()                         {}
func (*printer) Logf(format string, args ...any) {}
func (*printer) FailNow()                        { panic("the example fails") }
func (p *printer) Errorf(format string, args ...any) {
	p.failed = true
	fmt.Printf(format+"\n", args...)
}

// A backup is crashed after each request, and meets a conflict with another client at
// each write.
func ExampleSweep() {
	t := &printer{} // in a test, its *testing.T
	controllertest.Sweep(t, controllertest.Setup[*Backup]{
		Begin: begin(true, BackupSpec{Volumes: []string{"data"}}), // a fake client, with the backup in it
		New: func(env controllertest.Env) (reconcile.Reconciler, error) {
			return controller.New(controller.Options[*Backup]{
				Client: env.Client, Reader: env.Reader, StatusSubresource: true,
				New:        func() *Backup { return &Backup{} },
				Conditions: controller.NewConditions(conditionsOf),
				Runner:     controllertest.Bind(env, runnerOptions(env.Client, inStatus)), // the options of production
			})
		},
		Itineraries: itineraries,
		States:      controllertest.InObject(inStatus),
		Conditions:  func(b *Backup) []metav1.Condition { return b.Status.Conditions },
		Elapse:      completeSnapshots, // the agent that handlers wait for
		Kinds:       []controllertest.Kind{controllertest.CrashAfter, controllertest.Conflict},
	})
	fmt.Println("failed:", t.failed)
	// Output: failed: false
}

// One request meets one fault, in a test written by hand.
func ExampleNewInjector() {
	server, backup, _ := begin(true, BackupSpec{})()
	injector := controllertest.NewInjector(server, controllertest.Fault{
		Kind: controllertest.CrashAfter, Verb: "patch", Object: "Backup", Subresource: "status", Nth: 1,
	})
	r, _ := controller.New(controller.Options[*Backup]{
		Client: injector.Client(), Reader: injector.Reader(), StatusSubresource: true,
		New: func() *Backup { return &Backup{} }, Runner: runnerOptions(injector.Client(), inStatus),
	})
	_, err := r.Reconcile(ctx, requestOf(backup))
	fmt.Println(err)
	fmt.Println("crashed:", injector.Crashed())
	injector.Restart()
	_ = server.Get(ctx, requestOf(backup).NamespacedName, backup)
	fmt.Println("phase:", backup.Status.State.Phase)
	// Output:
	// patch Backup/status apps/shop: injected fault: the controller has crashed
	// crashed: true
	// phase: Prepare
}
