package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// pagesPath is the path of the pages in the example.
const pagesPath = "/debug/pipeline/"

// While a migration runs, the metrics server of a manager serves the pages of
// runs only to clients with the right of the manifest.
func TestPagesNeedRight(t *testing.T) {
	t.Parallel()
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			runs, pages := g.pages()
			o := g.options()
			o.Metrics = example.Metrics(freeAddress(t), pages)
			release := g.world.Hold(g.namespace, "shop-initialbackup")
			defer release()
			g.plan("shop", richest[0].plan)
			g.migrate("shop", richest[0].spec)
			g.runAs(g.controllerAccess(), o, example.Parts{}, example.Settings{Name: "example", Concurrency: 4, Runs: runs})
			g.until("shop", in("InitialBackupCreated"))

			b := &browser{fixture: g, client: insecure(t, true), root: "https://" + o.Metrics.BindAddress + pagesPath}
			b.serves()
			viewer, operator, stranger := g.account("viewer"), g.account("operator"), g.account("stranger")
			g.bind("viewer", "run-viewer-of-"+g.namespace)
			g.create(&rbacv1.ClusterRole{
				ObjectMeta: metav1.ObjectMeta{Name: "operator-of-" + g.namespace},
				Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"*"}, Verbs: []string{"*"}}},
			})
			g.bind("operator", "operator-of-"+g.namespace)

			run := "run?name=" + url.QueryEscape(g.namespace+"/shop")
			stream := strings.Replace(run, "run", "events", 1)
			for _, page := range []string{"", run, "itineraries", "itinerary?name=Final", "graph?itinerary=Final&format=svg", stream} {
				assert.Equal(t, http.StatusUnauthorized, b.status(http.MethodGet, page, ""), "%q without a token", page)
				// controller-runtime treats the token as an error of the
				// authentication itself.
				code := b.status(http.MethodGet, page, "forged")
				assert.Equal(t, http.StatusInternalServerError, code, "%q with a forged token", page)
				assert.Equal(t, http.StatusForbidden, b.status(http.MethodGet, page, stranger), "%q without rights", page)
				if page != stream {
					assert.Equal(t, http.StatusOK, b.status(http.MethodGet, page, viewer), "%q with rights", page)
				}
			}
			assert.Equal(t, http.StatusForbidden, b.status(http.MethodGet, "../../metrics", viewer),
				"the right to see runs does not include metrics")
			redirect, _ := b.request(http.MethodGet, "../pipeline", "", "")
			assert.Equal(t, pagesPath, redirect.Header.Get("Location"), "the mux adds the slash, without authentication")
			// The metrics server uses the method as the verb.
			assert.Equal(t, http.StatusForbidden, b.status(http.MethodHead, "", viewer))
			assert.Equal(t, http.StatusForbidden, b.status(http.MethodPost, "", viewer))
			assert.Equal(t, http.StatusOK, b.status(http.MethodHead, "", operator))
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				response, _ := b.request(method, run, operator, "")
				assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, method)
				assert.Equal(t, "GET, HEAD", response.Header.Get("Allow"), method)
			}

			b.showsShop(run, viewer)

			// The migration continues, and watching clients receive an event.
			events := b.stream(stream, viewer)
			require.NoError(t, events.Err())
			release()
			require.True(t, events.next(), "the stream has an event: %v", events.Err())
			g.done("shop")
			require.Eventually(t, func() bool { return b.list(viewer)["shop"].Result == "Succeeded" }, timeout, tick)

			// The migration is deleted, and its page is gone.
			require.NoError(t, g.client.Delete(g.ctx, g.make(g.meta("shop"), mtc.MigrationSpec{})))
			require.Eventually(t, func() bool { _, there := b.list(viewer)["shop"]; return !there }, timeout, tick)
			assert.Equal(t, http.StatusNotFound, b.status(http.MethodGet, run, viewer))
		})
	}
}

// showsShop checks the pages of the migration shop, in all formats.
func (b *browser) showsShop(run, viewer string) {
	b.Helper()
	item := b.list(viewer)["shop"]
	assert.Equal(b, mtc.Final, item.Itinerary)
	assert.Equal(b, "InitialBackupCreated", item.Phase)
	assert.Equal(b, "Waiting", item.Activity)
	for accept, want := range map[string]string{"text/plain": "\n", "text/html": "<!doctype html>", "": "<!doctype html>"} {
		for _, page := range []string{"", run} {
			response, body := b.request(http.MethodGet, page, viewer, accept)
			assert.Equal(b, http.StatusOK, response.StatusCode)
			assert.Contains(b, strings.ToLower(body), want)
			for _, word := range []string{"shop", "InitialBackupCreated", mtc.Final} {
				assert.Contains(b, body, word, "%q as %q", page, accept)
			}
		}
	}
}

// The pages work on any mux, with and without a stripped prefix, and without
// authentication.
func TestPagesOnMux(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, withSubresource)
	g.record(itineraries)
	runs, pages := g.pages()
	mux := http.NewServeMux()
	mux.Handle(pagesPath, pages)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", pages))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g.runAs(g.Config, g.options(), example.Parts{}, example.Settings{Name: "example", Concurrency: 4, Runs: runs})
	release := g.world.Hold(g.namespace, "shop-initialbackup")
	defer release()
	g.plan("shop", richest[0].plan)
	g.migrate("shop", richest[0].spec)
	g.until("shop", in("InitialBackupCreated"))
	for _, root := range []string{pagesPath, "/stripped/"} {
		b := &browser{fixture: g, client: insecure(t, false), root: server.URL + root}
		assert.Equal(t, "InitialBackupCreated", b.list("")["shop"].Phase, root)
		assert.Equal(t, http.StatusOK, b.status(http.MethodHead, "", ""))
		assert.Equal(t, http.StatusMethodNotAllowed, b.status(http.MethodPost, "", ""))
		assert.Equal(t, http.StatusOK, b.status(http.MethodGet, "itineraries", ""))
	}
	release()
	g.done("shop")
}

// A controller ends on a signal while its pages are watched. A new one knows
// only what the objects hold.
func TestControllerEndsWhileWatched(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, asMTC)
	g.record(itineraries)
	access := g.controllerAccess()
	viewer := g.account("viewer")
	g.bind("viewer", "run-viewer-of-"+g.namespace)
	release := g.world.Hold(g.namespace, "shop-initialbackup")
	defer release()
	g.plan("shop", richest[0].plan)
	g.migrate("shop", richest[0].spec)
	for range 2 {
		address := freeAddress(t)
		p := g.spawn(access, "-metrics-address", address)
		b := &browser{fixture: g, client: insecure(t, false), root: "https://" + address + pagesPath}
		b.serves()
		waits := func() bool { return b.list(viewer)["shop"].Phase == "InitialBackupCreated" }
		require.Eventually(t, waits, timeout, tick, "the list must show the state of the object")
		var streams []*stream
		for range 50 {
			streams = append(streams, b.stream("events", viewer))
		}
		assert.Equal(t, http.StatusServiceUnavailable, b.status(http.MethodGet, "events", viewer), "one stream too many")
		p.end()
		for _, s := range streams {
			for s.next() { // the migration waits, so there may be an event
			}
			assert.NoError(t, s.Err(), "the stream must end without an error")
		}
	}
}

// end ends the process with SIGTERM. The process must exit with code 0.
func (p *process) end() {
	p.g.Helper()
	p.gone = true
	require.NoError(p.g, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(p.g, <-p.exited, p.log)
}

// pages returns a recorder of the runs of the example, and their pages.
func (g *fixture) pages() (*debug.Recorder, http.Handler) {
	g.Helper()
	runs, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
	require.NoError(g, err)
	pages, err := debug.NewHandler(runs, debug.HandlerOptions{Title: "Migrations"})
	require.NoError(g, err)
	return runs, pages
}

// controllerAccess returns the access of the controller's service account with
// the rights of the manifests, including those of its metrics server.
func (g *fixture) controllerAccess() *rest.Config {
	g.Helper()
	g.applyManifest()
	b, err := os.ReadFile("example/manifests/debug.yaml")
	require.NoError(g, err)
	b = bytes.ReplaceAll(b, []byte("openshift-migration"), []byte(g.namespace))
	for _, document := range bytes.Split(b, []byte("\n---\n")) {
		u := &unstructured.Unstructured{}
		require.NoError(g, yaml.UnmarshalStrict(document, &u.Object))
		g.create(u)
	}
	access, err := g.As(g.namespace, "migration-controller")
	require.NoError(g, err)
	return access
}

// account creates a service account, and returns a token of it.
func (g *fixture) account(name string) (token string) {
	g.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: g.meta(name)}
	g.create(account)
	request := &authenticationv1.TokenRequest{}
	require.NoError(g, g.client.SubResource("token").Create(g.ctx, account, request))
	require.NotEmpty(g, request.Status.Token)
	return request.Status.Token
}

// bind binds a service account to a role that lets it get pages. It returns
// once the API server applies the binding: a metrics server caches a refusal
// for half a minute.
func (g *fixture) bind(account, role string) {
	g.Helper()
	g.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: g.namespace, Name: account}},
	})
	require.Eventually(g, func() bool {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:                  "system:serviceaccount:" + g.namespace + ":" + account,
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: pagesPath, Verb: "get"},
		}}
		require.NoError(g, g.client.Create(g.ctx, review))
		return review.Status.Allowed
	}, timeout, tick)
}

// freeAddress returns a free address to listen on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// insecure returns a client that accepts any certificate and does not follow
// redirects.
func insecure(t *testing.T, http2 bool) *http.Client {
	c := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: http2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// browser requests pages.
type browser struct {
	*fixture
	client *http.Client
	root   string
}

// serves waits until the server listens.
func (b *browser) serves() {
	b.Helper()
	require.Eventually(b, func() bool {
		response, err := b.client.Get(b.root)
		if err != nil {
			return false
		}
		return assert.NoError(b, response.Body.Close())
	}, timeout, tick, "nothing listens at %s", b.root)
}

func (b *browser) open(method, page, token, accept string) *http.Response {
	b.Helper()
	root, err := url.Parse(b.root)
	require.NoError(b, err)
	at, err := root.Parse(page)
	require.NoError(b, err)
	request, err := http.NewRequestWithContext(b.ctx, method, at.String(), nil)
	require.NoError(b, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := b.client.Do(request)
	require.NoError(b, err)
	return response
}

func (b *browser) request(method, page, token, accept string) (*http.Response, string) {
	b.Helper()
	response := b.open(method, page, token, accept)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	return response, string(body)
}

func (b *browser) status(method, page, token string) int {
	b.Helper()
	response, _ := b.request(method, page, token, "")
	return response.StatusCode
}

// listed is a run in the list.
type listed struct{ Namespace, Name, Itinerary, Phase, Activity, Result string }

// list returns the runs of the list by the names of their objects.
func (b *browser) list(token string) map[string]listed {
	b.Helper()
	response, body := b.request(http.MethodGet, "", token, "application/json")
	require.Equal(b, http.StatusOK, response.StatusCode, body)
	var list struct {
		APIVersion, Kind string
		Items            []listed
	}
	require.NoError(b, json.Unmarshal([]byte(body), &list))
	require.Equal(b, "RunList of debug.pipeline.konveyor.io/v1alpha1", list.Kind+" of "+list.APIVersion)
	runs := map[string]listed{}
	for _, item := range list.Items {
		assert.Equal(b, b.namespace, item.Namespace)
		runs[item.Name] = item
	}
	return runs
}

// stream is a stream of events.
type stream struct{ *bufio.Scanner }

// stream opens a stream.
func (b *browser) stream(page, token string) *stream {
	b.Helper()
	response := b.open(http.MethodGet, page, token, "")
	b.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(b, http.StatusOK, response.StatusCode)
	s := &stream{bufio.NewScanner(response.Body)}
	require.True(b, s.Scan(), "the stream is open: %v", s.Err())
	return s
}

// next waits for an event, and reports whether there is one. It returns false
// at the end.
func (s *stream) next() bool {
	for s.Scan() {
		if strings.HasPrefix(s.Text(), "data:") {
			return true
		}
	}
	return false
}
