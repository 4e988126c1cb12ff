// Command controller runs the example as a process of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

type options struct {
	kind, namespace, selector, source, report, metrics string
	elect                                              bool
	concurrency, maxPhases                             int
}

func main() {
	var o options
	flag.StringVar(&o.kind, "kind", "mtc", "the custom resource: mtc or variant")
	flag.StringVar(&o.namespace, "namespace", "default", "the namespace whose migrations are run")
	flag.StringVar(&o.selector, "selector", "", "run only migrations with these labels, so that replicas can share the work")
	flag.StringVar(&o.source, "source-kubeconfig", "", "how to reach the source cluster; empty: it is the same")
	flag.BoolVar(&o.elect, "leader-elect", false, "run only while no other replica does")
	flag.IntVar(&o.concurrency, "concurrency", 4, "migrations that are reconciled at the same time")
	flag.IntVar(&o.maxPhases, "max-phases", 1, "phases that may be left in one reconcile")
	flag.StringVar(&o.metrics, "metrics-address", "0", "where metrics and the pages of runs are served; 0: nowhere")
	flag.StringVar(&o.report, "report", "", "a URL that is told of each call of a phase, for tests")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1 // the API server's own priorities and fairness will do
	selector, err := labels.Parse(o.selector)
	if err != nil {
		return fmt.Errorf("-selector: %w", err)
	}
	itineraries, err := machine.CompileSet(mtc.Itineraries()...)
	if err != nil {
		return err
	}
	runs, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
	if err != nil {
		return err
	}
	pages, err := debug.NewHandler(runs, debug.HandlerOptions{Title: "Migrations"})
	if err != nil {
		return err
	}
	settings := ctrl.Options{
		Scheme:                  example.Scheme(),
		Metrics:                 example.Metrics(o.metrics, pages),
		HealthProbeBindAddress:  "0",
		LeaderElection:          o.elect,
		LeaderElectionID:        "migration-controller",
		LeaderElectionNamespace: o.namespace,
		// Another replica takes over within seconds.
		LeaseDuration: ptr.To(4 * time.Second), RenewDeadline: ptr.To(3 * time.Second), RetryPeriod: ptr.To(500 * time.Millisecond),
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{o.namespace: {}},
			ByObject: map[client.Object]cache.ByObject{
				&api.MigMigration{}: {Label: selector},
				&api.Migration{}:    {Label: selector},
			},
		},
	}
	mgr, err := ctrl.NewManager(config, settings)
	if err != nil {
		return err
	}
	source := config
	if o.source != "" {
		if source, err = clientcmd.BuildConfigFromFlags("", o.source); err != nil {
			return fmt.Errorf("-source-kubeconfig: %w", err)
		}
	}
	images, err := client.New(source, client.Options{Scheme: example.Scheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	p := example.Parts{ImageStreams: example.ImageStreams(images), MaxPhases: o.maxPhases}
	if o.report != "" {
		p.Around = example.Report(strings.TrimSuffix(o.report, "/"), fmt.Sprint(os.Getpid()))
	}
	s := example.Settings{Name: "migration", Concurrency: o.concurrency, Recorder: example.Events(mgr), Runs: runs}
	switch o.kind {
	case "mtc":
		err = example.Setup(mgr, example.MTC, p, s)
	case "variant":
		err = example.Setup(mgr, example.Variant, p, s)
	default:
		err = fmt.Errorf("-kind: %q is neither mtc nor variant", o.kind)
	}
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}
