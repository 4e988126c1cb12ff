package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/meter"
)

type options struct {
	kind, namespace, selector, source, report, metrics, measure string
	elect                                                       bool
	concurrency, maxPhases                                      int
}

func main() {
	var o options
	flag.StringVar(&o.kind, "kind", "mtc", "the custom resource: mtc or variant")
	flag.StringVar(&o.namespace, "namespace", "default", "the namespace of the migrations to run")
	flag.StringVar(&o.selector, "selector", "", "run only migrations with these labels, so that replicas can share the work")
	flag.StringVar(&o.source, "source-kubeconfig", "", "kubeconfig of the source cluster; empty means the same cluster")
	flag.BoolVar(&o.elect, "leader-elect", false, "run only while no other replica runs")
	flag.IntVar(&o.concurrency, "concurrency", 4, "number of migrations that are reconciled concurrently")
	flag.IntVar(&o.maxPhases, "max-phases", 1, "maximum number of phases that are left in one reconcile")
	flag.StringVar(&o.metrics, "metrics-address", "0", "address that serves metrics and the pages of runs; 0 means none")
	flag.StringVar(&o.report, "report", "", "URL that receives a report of each call of a phase, for tests")
	flag.StringVar(&o.measure, "measure", "", "unix socket that serves the cost of reconciles; disables the pages of runs")
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
	config.QPS = -1 // the API server's priority and fairness suffices
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
	settings := managerOptions(o, selector)
	settings.Metrics = example.Metrics(o.metrics, pages)
	var m *meter.Meter
	if o.measure != "" {
		m = meter.New(maxMeasured)
		settings.NewClient = m.NewClient
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
	if m != nil {
		s.Runs = nil
		if err := measured(mgr, m, o, &p, &s); err != nil {
			return err
		}
	}
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

// managerOptions returns the options of a manager of the migrations that the
// selector matches.
func managerOptions(o options, selector labels.Selector) ctrl.Options {
	return ctrl.Options{
		Scheme:                  example.Scheme(),
		HealthProbeBindAddress:  "0",
		LeaderElection:          o.elect,
		LeaderElectionID:        "migration-controller",
		LeaderElectionNamespace: o.namespace,
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{o.namespace: {}},
			ByObject: map[client.Object]cache.ByObject{
				&api.MigMigration{}: {Label: selector},
				&api.Migration{}:    {Label: selector},
			},
		},
	}
}

// maxMeasured is the number of reconciles for which a meter allocates memory
// at the start.
const maxMeasured = 1 << 19

// measured measures reconciles and their API calls, and serves the figures on
// a unix socket.
func measured(mgr manager.Manager, m *meter.Meter, o options, p *example.Parts, s *example.Settings) error {
	runs := client.ObjectList(&api.MigMigrationList{})
	if o.kind == "variant" {
		runs = &api.MigrationList{}
	}
	live, err := client.NewWithWatch(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	p.Live, s.Measure = m.Client(live, true), m.Reconciler
	images := p.ImageStreams
	p.ImageStreams = mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (has bool, err error) {
		err = m.Call(ctx, func() error { has, err = images.HasImageStreams(ctx, namespaces); return err })
		return has, err
	})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: m.Handler(func(ctx context.Context) (meter.Memory, error) {
		return meter.MemoryOf(ctx, mgr.GetCache(), runs, &api.MigPlanList{}, &api.TaskList{}, &corev1.PodList{})
	})}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		listener, err := net.Listen("unix", o.measure)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}))
}
