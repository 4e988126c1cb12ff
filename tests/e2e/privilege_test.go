package e2e

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// right is a right that a rule grants or a request needs.
type right struct{ group, resource, verb string }

// needs returns the rights that a request needs. Discovery needs none.
func needs(r *http.Request) []right {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var n right
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		n.group, parts = parts[1], parts[3:]
	default:
		return nil
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	n.resource = parts[0]
	named := len(parts) > 1
	if len(parts) > 2 {
		n.resource += "/" + parts[2]
	}
	switch r.Method {
	case http.MethodGet:
		n.verb = "list"
		if named {
			n.verb = "get"
		} else if r.URL.Query().Has("watch") {
			n.verb = "watch"
			if r.URL.Query().Has("sendInitialEvents") {
				// A list as a stream; older API servers receive a list
				// request.
				return []right{n, {n.group, n.resource, "list"}}
			}
		}
	case http.MethodDelete:
		n.verb = "deletecollection"
		if named {
			n.verb = "delete"
		}
	default:
		n.verb = map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch"}[r.Method]
	}
	return []right{n}
}

// The controllers of both kinds run with the rights of the manifest alone, and
// need each of them.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	used := map[right]bool{}
	var refused []string
	var mu sync.Mutex
	var allowed []right
	for _, r := range both {
		g := newFixture(t, common, r)
		allowed = g.applyManifest()
		config, err := g.As(g.namespace, "migration-controller")
		require.NoError(t, err)
		g.mayNot(config)

		proxy, transport := proxyTo(t, config)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			for _, n := range needs(r) {
				used[n] = true
			}
			mu.Unlock()
			answer := &status{ResponseWriter: w}
			proxy.ServeHTTP(answer, r)
			mu.Lock()
			defer mu.Unlock()
			if answer.code == http.StatusForbidden {
				refused = append(refused, r.Method+" "+r.URL.String())
			}
		}))
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
			transport.CloseIdleConnections()
		})

		g.record(itineraries)
		o := g.options()
		o.LeaderElection, o.LeaderElectionID, o.LeaderElectionNamespace = true, "migration-controller", g.namespace
		stop := g.runAs(&rest.Config{Host: server.URL, QPS: -1}, o, example.Parts{
			Around: func(_ context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
				switch {
				case m.GetName() == "fails" && at.Phase == "StageBackupCreated":
					return runner.Fail("told to fail"), nil
				case at.Phase == "Started": // another client writes, to cause a conflict
					g.edit(m.GetName(), `{"metadata":{"labels":{"touched":"yes"}}}`)
				}
				return phase()
			},
		}, example.Settings{Name: "example", Concurrency: 4})
		names := []string{"fails", "goes-back"}
		for _, c := range richest {
			names = append(names, c.name)
			g.plan(c.name, c.plan)
			g.migrate(c.name, c.spec)
		}
		g.plan("fails", richest[0].plan)
		g.migrate("fails", richest[0].spec)
		g.plan("goes-back", richest[1].plan)
		g.migrate("goes-back", mtc.MigrationSpec{Rollback: true})
		for _, name := range names {
			g.done(name)
		}
		require.Eventually(t, func() bool {
			var events eventsv1.EventList
			require.NoError(t, g.client.List(g.ctx, &events, client.InNamespace(g.namespace)))
			return len(events.Items) > len(names)
		}, timeout, tick, "events are there")
		stop()
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Empty(t, refused, "refused requests")
	for _, a := range allowed {
		assert.True(t, used[a], "the manifest allows %s of %s.%s, and no request needs it", a.verb, a.resource, a.group)
		delete(used, a)
	}
	assert.Empty(t, used, "used rights that are not in the manifest")
}

// status records the status code of a response.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets a proxy flush the response.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// applyManifest applies the manifest to the fixture's namespace, and returns
// its rights.
func (g *fixture) applyManifest() (allowed []right) {
	g.Helper()
	b, err := os.ReadFile("example/manifests/rbac.yaml")
	require.NoError(g, err)
	b = bytes.ReplaceAll(b, []byte("openshift-migration"), []byte(g.namespace))
	for _, document := range bytes.Split(b, []byte("\n---\n")) {
		u := &unstructured.Unstructured{}
		require.NoError(g, yaml.UnmarshalStrict(document, &u.Object))
		require.NoError(g, g.client.Create(g.ctx, u))
		var role rbacv1.Role
		require.NoError(g, yaml.Unmarshal(document, &role))
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					allowed = append(allowed, right{rule.APIGroups[0], resource, verb})
				}
			}
		}
	}
	return allowed
}

// mayNot checks that the controller lacks rights that it does not need.
func (g *fixture) mayNot(access *rest.Config) {
	g.Helper()
	c, err := client.New(access, client.Options{Scheme: g.client.Scheme()})
	require.NoError(g, err)
	elsewhere := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}}}
	elsewhere.Namespace, elsewhere.Name = withImages, "a"
	for what, err := range map[string]error{
		"read secrets":           c.List(g.ctx, &corev1.SecretList{}, client.InNamespace(g.namespace)),
		"make pods elsewhere":    c.Create(g.ctx, elsewhere),
		"delete migrations":      c.Delete(g.ctx, g.make(g.meta("any"), mtc.MigrationSpec{})),
		"read migrations of all": c.List(g.ctx, &api.MigMigrationList{}),
		"complete others' tasks": c.Status().Update(g.ctx, &api.Task{ObjectMeta: g.meta("any")}),
		"write clusters":         c.Create(g.ctx, &api.MigCluster{ObjectMeta: g.meta("any")}),
	} {
		assert.True(g, apierrors.IsForbidden(err), "it may %s: %v", what, err)
	}
}
