package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/world"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/plane"
)

const crds = "example/manifests/crds"

// common is the control plane that all tests share, except those that kill
// one. A world runs around its controllers.
var common *site

// site is a control plane with a world around it.
type site struct {
	*plane.Plane
	client client.WithWatch
	world  *world.World
	stop   func() error
}

// Namespaces on the source cluster: one has an image stream, the other has none.
const (
	withImages    = "app-with-images"
	withoutImages = "app-without-images"
)

// start starts a site, and logs the steps that take long.
func start(ctx context.Context) (*site, error) {
	logf := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	p, err := plane.Start(ctx, crds, logf)
	if err != nil {
		return nil, err
	}
	s := &site{Plane: p, stop: p.Stop}
	scheme := example.Scheme()
	for _, add := range []func(*runtime.Scheme) error{authenticationv1.AddToScheme, authorizationv1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return s, err
		}
	}
	if s.client, err = client.NewWithWatch(p.Config, client.Options{Scheme: scheme}); err != nil {
		return s, err
	}
	for _, name := range []string{withImages, withoutImages} {
		if err := s.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return s, err
		}
	}
	stream := &unstructured.Unstructured{}
	stream.SetGroupVersionKind(api.Images.WithKind("ImageStream"))
	stream.SetNamespace(withImages)
	stream.SetName("app")
	if err := s.client.Create(ctx, stream); err != nil {
		return s, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w, wait, err := world.Start(ctx, p.Config, example.Scheme())
	if err != nil {
		cancel()
		return s, err
	}
	s.world, s.stop = w, func() error { cancel(); wait(); return p.Stop() }
	return s, nil
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	ctrllog.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	begin := time.Now()
	var err error
	common, err = start(context.Background())
	if common != nil {
		defer func() {
			err := common.stop()
			if err == nil && code == 0 {
				common.client = nil
				err = goleak.Find(goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
					goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the control plane:", err)
		return 1
	}
	fmt.Fprintf(os.Stderr, "the control plane is up after %s\n", time.Since(begin).Round(100*time.Millisecond))
	return m.Run()
}
