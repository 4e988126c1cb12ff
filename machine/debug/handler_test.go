package debug_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/debugtest"
	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// dozen records a dozen runs, and the run of an item.
func dozen(f *debugtest.Fixture) {
	f.T.Helper()
	all := f.Dozen()
	item := debugtest.Final("vms", mtc.PhaseEnsureInitialBackup, "3 of 5 volumes are copied")
	item.Name.Item = "vm-4"
	f.Drive(item)
	f.Repeat(all["shop"], 1, time.Second) // its next attempt is in the future
}

// get requests a page.
func get(h http.Handler, path, accept string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(text)
}

const payments = "/run?name=openshift-migration/payments"

var paths = map[string]string{
	"list":          "/",
	"list-failing":  "/?failing=true&sort=name",
	"run":           payments,
	"run-moment":    payments + "&moment=12",
	"run-retrying":  "/run?name=openshift-migration/shop",
	"run-failed":    "/run?name=openshift-migration/billing",
	"run-stopped":   "/run?name=openshift-migration/crm",
	"run-unknown":   "/run?name=openshift-migration/wiki",
	"itineraries":   "/itineraries",
	"itinerary":     "/itinerary?name=Final",
	"itinerary-set": "/itinerary?name=Final&set=DirectImage,EnableImage,HasISs&turn=IndirectImage%3Dtrue",
	"error":         "/run?name=openshift-migration/payment",
}

func TestPagesAsTextAndJSON(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	for name, path := range paths {
		for ending, accept := range map[string]string{"txt": "text/plain", "json": "application/json"} {
			t.Run(name+"."+ending, func(t *testing.T) {
				r := get(h, path, accept)
				assert.Equal(t, accept+"; charset=utf-8", r.Header.Get("Content-Type"))
				got := body(t, r)
				if ending == "json" {
					var page struct{ APIVersion, Kind string }
					require.NoError(t, json.Unmarshal([]byte(got), &page))
					assert.Equal(t, debug.APIVersion, page.APIVersion)
					assert.NotEmpty(t, page.Kind)
				}
				goldentest.Compare(t, filepath.Join("testdata", "pages", name+"."+ending), got)
			})
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		accept []string
		want   string
	}{
		{nil, "text/html"},
		{[]string{""}, "text/html"},
		{[]string{"*/*"}, "text/html"},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "text/html"},
		{[]string{"application/json"}, "application/json"},
		{[]string{"Application/JSON; charset=utf-8"}, "application/json"},
		{[]string{"application/*"}, "application/json"},
		{[]string{"text/*"}, "text/html"},
		{[]string{"text/plain"}, "text/plain"},
		{[]string{"text/html;q=0.2, text/plain;q=0.9, application/json;q=0.5"}, "text/plain"},
		{[]string{"text/html;q=0, */*"}, "application/json"},
		{[]string{"text/*;q=0.3, text/plain;q=0.8, application/json;q=0.7"}, "text/plain"},
		{[]string{"image/png", "text/plain"}, "text/plain"},
		{[]string{"image/png"}, ""},
		{[]string{"application/json;q=0"}, ""},
		{[]string{"application/json;q=high"}, ""},
		{[]string{"text/html;q=NaN"}, ""},
		{[]string{";;;"}, ""},
		{[]string{strings.Repeat("image/png,", 100) + "text/plain"}, ""},
	} {
		assert.Equal(t, c.want, debug.Negotiate(c.accept...), "%q", c.accept)
	}
}

func TestHeadersOfAllResponses(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	all := []string{"/missing", "/?nothing=1", "/graph?itinerary=Final", "/history?name=openshift-migration/payments"}
	for _, name := range debug.Assets() {
		all = append(all, "/"+name)
	}
	for _, path := range paths {
		all = append(all, path)
	}
	for _, path := range all {
		r := get(h, path, "")
		policy := r.Header.Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
			"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
		} {
			assert.Contains(t, policy, part, path)
		}
		assert.NotContains(t, policy, "unsafe", path)
		assert.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-referrer", r.Header.Get("Referrer-Policy"), path)
		if strings.Contains(r.Header.Get("Content-Type"), "text/html") {
			assert.Equal(t, "Accept", r.Header.Get("Vary"), path)
			assert.Equal(t, "no-store", r.Header.Get("Cache-Control"), path)
		}
	}
}

func TestErrorsHaveTheRequestedForm(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	long := strings.Repeat("x", 2000)
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"/missing":                          {404, `there is no page "missing" here`},
		"/run":                              {400, "the parameter name is missing"},
		"/run?name=x":                       {404, `there is no run "x"`},
		"/run?nam=x":                        {400, `there is no parameter "nam" here; did you mean "name"?`},
		"/?q=" + long:                       {400, "the parameter q has 2000 bytes; the limit is 1024"},
		"/?q=a&q=b":                         {400, "the parameter q is given 2 times; give it at most once"},
		"/?q=%ff":                           {400, "the parameter q is not valid UTF-8"},
		"/?q=%zz":                           {400, "the query cannot be read"},
		"/?sort=nam":                        {400, `the parameter sort does not take "nam"; did you mean "name"?`},
		"/?result=good":                     {400, `the parameter result does not take "good"; it takes Succeeded, Failed, Canceled or RolledBack`},
		"/?activity=ok":                     {400, `the parameter activity does not take "ok"`},
		"/?" + strings.Repeat("q=x&", 3000): {400, "the query has 12000 bytes; the limit is 8192"},
		"/itinerary":                        {400, "the parameter name is missing"},
		"/itinerary?name=Finale":            {404, `did you mean "Final"?`},
		"/itinerary?name=Final&set=HasPV":   {400, `did you mean "HasPVs"?`},
		"/itinerary?name=Final&set=HasPVs&unset=HasPVs":              {400, "flag HasPVs has two values"},
		"/itinerary?name=Final&turn=HasPVs":                          {400, "the parameter turn takes"},
		"/itinerary?name=Final&" + strings.Repeat("set=HasPVs&", 65): {400, "the parameter set is given 65 times"},
		payments + "&moment=0":                                       {400, `the parameter moment does not take "0"`},
		payments + "&moment=1000":                                    {400, `the moments 1 to 23 are recorded`},
		"/graph":                                                     {400, "give the name of a run"},
		"/graph?itinerary=Final&moment=2":                            {400, "item and moment apply to a run"},
		"/graph?name=openshift-migration/crm&set=Quiesce":            {400, "set, unset and unknown apply to an itinerary"},
		"/graph?itinerary=Final&format=png":                          {400, `the parameter format does not take "png"`},
		"/graph?name=openshift-migration/crm":                        {404, "Nothing can be planned"},
		"/history?name=openshift-migration/payment":                  {404, `did you mean "openshift-migration/payments"`},
		"/run?name=openshift-migration/vms&item=vm-5":                {404, `did you mean "openshift-migration/vms[vm-4]"`},
	} {
		for _, accept := range []string{"", "application/json", "text/plain"} {
			r := get(h, path, accept)
			text := html.UnescapeString(body(t, r))
			assert.Equal(t, want.status, r.StatusCode, "%.60s %s", path, accept)
			if accept == "application/json" {
				var e struct {
					Kind, Message string
					Status        int
				}
				require.NoError(t, json.Unmarshal([]byte(text), &e))
				assert.Equal(t, "Error", e.Kind)
				assert.Equal(t, want.status, e.Status)
				text = e.Message
			}
			if accept != "" {
				assert.Contains(t, text, want.message, "%.60s %s", path, accept)
			}
			assert.Less(t, len(text), 6000, "an error echoes only the beginning of a long value")
		}
	}
	r := get(h, "/", "image/png")
	assert.Equal(t, 406, r.StatusCode)
	assert.Equal(t, "406 Not Acceptable: this page is available as text/html, application/json, text/plain; accept one of these\n",
		body(t, r))
}

func TestOnlyGetAndHead(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", strings.NewReader("x")))
		assert.Equal(t, 405, w.Code, method)
		assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"), method)
	}
	for _, path := range []string{"/", payments, "/itineraries", "/" + debug.Assets()[0], "/events", "/graph?itinerary=Final"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, nil))
		assert.Equal(t, 200, w.Code, path)
		assert.Zero(t, w.Body.Len(), path)
	}
}

func TestAssetsAreCachedForever(t *testing.T) {
	h := debugtest.New(t, debug.Options{}).Handler(debug.HandlerOptions{})
	page := body(t, get(h, "/", ""))
	for _, name := range debug.Assets() {
		assert.Contains(t, page, `"`+name+`"`, "the page links its assets")
		r := get(h, "/"+name, "")
		assert.Equal(t, 200, r.StatusCode)
		assert.Contains(t, r.Header.Get("Cache-Control"), "immutable")
		again := httptest.NewRequest(http.MethodGet, "/"+name, nil)
		again.Header.Set("If-None-Match", r.Header.Get("ETag"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, again)
		assert.Equal(t, 304, w.Code)
		assert.Zero(t, w.Body.Len())
	}
}

var links = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// Wherever the handler is mounted, each link of each page leads to another page, and to
// no other host.
func TestLinksWorkUnderAnyPath(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	whole := http.NewServeMux()
	whole.Handle("/debug/pipeline/", h)
	stripped := http.NewServeMux()
	stripped.Handle("/a/b/c/", http.StripPrefix("/a/b/c", h))
	for root, mux := range map[string]http.Handler{"/": h, "/debug/pipeline/": whole, "/a/b/c/": stripped} {
		base, err := url.Parse("http://example.com" + root)
		require.NoError(t, err)
		seen := map[string]bool{}
		next := []*url.URL{base}
		for len(next) > 0 && len(seen) < testscale.Of(150, 40) {
			u := next[0]
			next = next[1:]
			u.Fragment = ""
			if seen[u.String()] {
				continue
			}
			seen[u.String()] = true
			require.Equal(t, "example.com", u.Host)
			require.True(t, strings.HasPrefix(u.Path, root), "%s leaves %s", u, root)
			r := get(mux, u.RequestURI(), "")
			if strings.HasSuffix(u.Path, "/run") && u.RawQuery == "" || strings.HasSuffix(u.Path, "/itinerary") && u.RawQuery == "" {
				continue // a form action without its fields
			}
			if strings.Contains(u.String(), "crm") && strings.Contains(u.Path, "graph") {
				continue
			}
			require.Equal(t, 200, r.StatusCode, u)
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
				continue
			}
			for _, m := range links.FindAllStringSubmatch(body(t, r), -1) {
				to, err := u.Parse(html.UnescapeString(m[1]))
				require.NoError(t, err)
				next = append(next, to)
			}
		}
		assert.Greater(t, len(seen), testscale.Of(100, 30), root)
	}
}

// A page has no inline script or style, because its policy forbids them.
func TestPagesObeyTheirPolicy(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	inline := regexp.MustCompile(`(?i)<style|<script(?: [^>]*)?>[^<]|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<iframe|<object|<embed|<base`)
	for name, path := range paths {
		page := body(t, get(h, path, ""))
		assert.Empty(t, inline.FindString(page), name)
		assert.Equal(t, 1, strings.Count(page, "<script"), name)
	}
}

func TestHostileNamesAndMessagesAreText(t *testing.T) {
	hostile := []string{
		`<script>alert(1)</script>`, `"onload="alert(1)`, `'><img src=x onerror=alert(1)>`, "a\x1b[31mred\x00\x07", "\u202egnp.exe",
		"{{.}}", `javascript:alert(1)`, "../../etc/passwd", "a/b?c=d&e#f", "line\nbreak\r\n", "\xff\xfe", strings.Repeat("long", 500), "%2e%2e", " ", "]]>", "-->",
	}
	f := debugtest.New(t, debug.Options{})
	for i, text := range hostile {
		m := debugtest.Final(text, mtc.PhaseEnsureInitialBackup, text, text)
		m.Name = debug.Name{Namespace: text, Name: fmt.Sprint(text, i), Item: text}
		f.Repeat(m, 25, time.Second)
		m.State.Failures = append(m.State.Failures, runner.Failure{Itinerary: text, Phase: text, Reasons: []string{text}})
		m.State.Switches = append(m.State.Switches, runner.Switch{From: text, To: text, Phase: text})
		m.State.Facts.True = append(m.State.Facts.True, text)
		f.Recorder.Record(m.Name, m.State, false)
		m.State.Itinerary, m.State.Phase = text, text
		m.Name.Item += "2"
		f.Recorder.Record(m.Name, m.State, false)
	}
	h := f.Handler(debug.HandlerOptions{Title: hostile[0]})
	values := regexp.MustCompile(`="[^"]*"`) // quotes inside are escaped
	tags := regexp.MustCompile(`(?i)<script>|<img|<[^>]*\sonload=|<[^>]*\sonerror=|href="javascript`)
	control := regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
	check := func(path string) {
		t.Helper()
		for _, accept := range []string{"", "text/plain", "application/json"} {
			r := get(h, path, accept)
			text := body(t, r)
			require.Equal(t, 200, r.StatusCode, "%.80q %s: %.200s", path, accept, text)
			if accept == "" {
				assert.Empty(t, tags.FindString(values.ReplaceAllString(text, `=""`)), "%.80q", path)
			}
			if accept != "application/json" {
				assert.Empty(t, control.FindString(text), "%.80q %s", path, accept)
			} else {
				assert.True(t, json.Valid([]byte(text)), "%.80q", path)
			}
		}
	}
	check("/")
	list := body(t, get(h, "/", ""))
	n := 0
	for _, m := range links.FindAllStringSubmatch(list, -1) {
		if link := html.UnescapeString(m[1]); strings.HasPrefix(link, "run?") {
			if len(link) > 3000 || strings.Contains(link, "%FF") || strings.Contains(link, "%EF%BF%BD") {
				continue // refused as a parameter
			}
			check("/" + link)
			n++
		}
	}
	assert.Greater(t, n, 20)
}

func TestNameSurvivesItsLink(t *testing.T) {
	for _, n := range []debug.Name{
		{Namespace: "a", Name: "b"}, {Name: "b"}, {Name: "a/b"}, {Namespace: "a", Name: "b/c", Item: "d[e]/f"}, {Name: "/"}, {Namespace: "a/b%2F", Name: "%2F"},
	} {
		assert.Equal(t, n, debug.ParseName(n.Object(), n.Item))
	}
}

func TestControlsHaveLabels(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	controls := regexp.MustCompile(`<(?:input|select)[^>]*>`)
	id := regexp.MustCompile(` id="([^"]+)"`)
	ids := regexp.MustCompile(`\sid="([^"]+)"`)
	for name, path := range paths {
		page := body(t, get(h, path, ""))
		for _, control := range controls.FindAllString(page, -1) {
			if strings.Contains(control, `type="hidden"`) {
				continue
			}
			m := id.FindStringSubmatch(control)
			require.NotNil(t, m, "%s: %s", name, control)
			assert.Contains(t, page, `<label for="`+m[1]+`"`, name)
		}
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(page, -1) {
			assert.False(t, seen[m[1]], "%s: id %s twice", name, m[1])
			seen[m[1]] = true
		}
		assert.Equal(t, 1, strings.Count(page, "<h1"), name)
		assert.Equal(t, 1, strings.Count(page, "<main"), name)
	}
}

func TestDownloads(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	dozen(f)
	h := f.Handler(debug.HandlerOptions{})
	for format, want := range map[string]struct{ contentType, begins, file string }{
		"svg":     {"image/svg+xml", "<svg", "openshift-migration-payments.svg"},
		"dot":     {"text/vnd.graphviz", "digraph", "openshift-migration-payments.dot"},
		"mermaid": {"text/plain", "", "openshift-migration-payments.mmd"},
		"json":    {"application/json", "{", "openshift-migration-payments.json"},
		"text":    {"text/plain", "Final", "openshift-migration-payments.txt"},
	} {
		r := get(h, "/graph?name=openshift-migration/payments&moment=12&format="+format, "")
		assert.Equal(t, want.contentType+"; charset=utf-8", r.Header.Get("Content-Type"))
		assert.Equal(t, `attachment; filename="`+want.file+`"`, r.Header.Get("Content-Disposition"))
		text := body(t, r)
		assert.True(t, strings.HasPrefix(text, want.begins), "%s: %.40s", format, text)
		assert.Contains(t, text, "EnsureCloudSecretPropagated")
	}
	var history struct {
		Kind    string
		Moments []struct {
			Moment int
			Phase  string
		}
		Events []struct{ Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(body(t, get(h, "/history?name=openshift-migration/payments", ""))), &history))
	assert.Equal(t, "RunHistory", history.Kind)
	assert.Len(t, history.Moments, 23)
	assert.Equal(t, "EnsureCloudSecretPropagated", history.Moments[11].Phase)
	assert.NotEmpty(t, history.Events)
}

func TestHandlerRefusesWrongOptions(t *testing.T) {
	_, err := debug.NewHandler(nil, debug.HandlerOptions{})
	var wrong *debug.HandlerOptionsError
	require.ErrorAs(t, err, &wrong)
	_, err = debug.NewHandler(debugtest.New(t, debug.Options{}).Recorder, debug.HandlerOptions{Title: strings.Repeat("x", 101)})
	require.ErrorAs(t, err, &wrong)
}

func BenchmarkListOf1000(b *testing.B) {
	f := debugtest.New(b, debug.Options{MaxSize: 64 << 20})
	f.Many(1000)
	h := f.Handler(debug.HandlerOptions{})
	for _, accept := range []string{"text/html", "application/json", "text/plain"} {
		b.Run(strings.ReplaceAll(accept, "/", "-"), func(b *testing.B) {
			for b.Loop() {
				r := get(h, "/", accept)
				if n := len(body(b, r)); n < 100_000 {
					b.Fatalf("%d bytes", n)
				}
			}
		})
	}
}

// The state of a retried run is not written for each attempt, so the page uses what the
// runner reports.
func TestRetriedRunIsUpToDate(t *testing.T) {
	f := debugtest.New(t, debug.Options{})
	m := debugtest.Final("shop", mtc.PhaseEnsureInitialBackup, "")
	f.Drive(m)
	m.Err = errors.New("connection refused")
	f.Repeat(m, 6, 4*time.Second)
	written := m.State.Retry.Attempts
	var page struct {
		Attempts int64
		Next     time.Time
		Events   []struct{ Text string }
	}
	r := get(f.Handler(debug.HandlerOptions{}), "/run?name="+url.QueryEscape("openshift-migration/shop"), "application/json")
	require.NoError(t, json.NewDecoder(r.Body).Decode(&page))
	assert.Greater(t, page.Attempts, written)
	assert.Contains(t, page.Events[0].Text, fmt.Sprintf("attempt %d failed", page.Attempts))
	assert.True(t, page.Next.After(m.State.Retry.Next.Time), "%s is as old as the state", page.Next)

	m.Err = nil
	f.Repeat(m, 1, time.Second)
	r = get(f.Handler(debug.HandlerOptions{}), "/run?name="+url.QueryEscape("openshift-migration/shop"), "application/json")
	page.Attempts = 0
	require.NoError(t, json.NewDecoder(r.Body).Decode(&page))
	assert.Zero(t, page.Attempts)
}
