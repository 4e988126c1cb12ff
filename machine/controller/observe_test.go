package controller_test

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

func TestMetrics(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errDown }
	_, err = w.reconcile()
	require.NoError(t, err)
	delete(w.handlers, "Refresh")
	w.flagErr = errDown
	_, err = w.reconcile()
	require.NoError(t, err)
	w.flagErr, w.volumes = nil, false
	w.handlers["Attach"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("no"), nil }
	w.end()

	got := w.counted()
	assert.Equal(t, []string{
		"flag_evaluation_errors_total{controller=move flag=Volumes itinerary=Move} 1",
		"flag_evaluations_total{controller=move flag=Volumes itinerary=Move} 3",
		"phase_duration_seconds{controller=move itinerary=CleanUp phase=Report} 1 in 1s",
		"phase_duration_seconds{controller=move itinerary=Move phase=Attach} 1 in 1s",
		"phase_duration_seconds{controller=move itinerary=Move phase=Refresh} 1 in 3s",
		"phase_errors_total{controller=move itinerary=Move phase=Refresh} 1",
		"phases_total{controller=move itinerary=CleanUp phase=Report result=done} 1",
		"phases_total{controller=move itinerary=Move phase=Attach result=failed} 1",
		"phases_total{controller=move itinerary=Move phase=Refresh result=done} 1",
		"replans_total{controller=move itinerary=Move} 1",
		"runs_overdue{controller=move itinerary=CleanUp} 0",
		"runs_total{controller=move itinerary=CleanUp result=Failed} 1",
		"runs{activity=Done controller=move itinerary=CleanUp} 1",
	}, got)
	assert.Contains(t, w.events, "Normal Replanned: removed: Data")
}

// counted returns all metrics, as "name{labels} value", in order.
func (w *world) counted() (all []string) {
	w.t.Helper()
	return metricsOf(w.t, w.registry)
}

func metricsOf(t testing.TB, from prometheus.Gatherer) (got []string) {
	t.Helper()
	families, err := from.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := fmt.Sprint(m.GetCounter().GetValue() + m.GetGauge().GetValue())
			if h := m.GetHistogram(); h != nil {
				value = fmt.Sprintf("%d in %gs", h.GetSampleCount(), h.GetSampleSum())
			}
			got = append(got, fmt.Sprintf("%s{%s} %s", strings.TrimPrefix(f.GetName(), "dynamic_pipeline_"), strings.Join(labels, " "),
				value))
		}
	}
	sort.Strings(got)
	return got
}

func TestRegistererOfTwoReconcilers(t *testing.T) {
	w := newWorld(t, subresource)
	w.end()
	other := newWorld(t, plain)
	other.registry, other.options.Metrics = w.registry, w.registry
	other.end()
	assert.EqualValues(t, 2, w.count("runs_total"))
	assert.Contains(t, w.counted(), "runs{activity=Done controller=move itinerary=Move} 2", "controllers of one name share a count")
	named := newWorld(t, subresource)
	named.registry, named.options.Metrics, named.options.Name = w.registry, w.registry, "another"
	named.end()
	for controller, n := range map[string]int{"move": 2, "another": 1} {
		assert.Contains(t, w.counted(), fmt.Sprintf("runs{activity=Done controller=%s itinerary=Move} %d", controller, n))
		assert.Contains(t, w.counted(), fmt.Sprintf("runs_total{controller=%s itinerary=Move result=Succeeded} %d", controller, n))
	}

	wrapped := newWorld(t, plain)
	wrapped.options.Metrics = prometheus.WrapRegistererWith(prometheus.Labels{"team": "a"}, wrapped.registry)
	wrapped.restart()
	wrapped.restart()
	wrapped.end()
	assert.EqualValues(t, 1, wrapped.count("runs_total"))

	taken := newWorld(t, plain)
	taken.registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "dynamic_pipeline_phases_total"}))
	_, err := controller.New(taken.options)
	require.ErrorContains(t, err, "dynamic_pipeline_phases_total")

	none := newWorld(t, plain)
	none.options.Metrics, none.options.Recorder, none.options.Conditions = nil, nil, nil
	assert.Equal(t, 4, none.end())
	assert.Empty(t, none.conditions())
}

func TestSpans(t *testing.T) {
	w := newWorld(t, subresource)
	seen := &spans{}
	w.options.TracerProvider = seen
	p := w.options.Runner.Phases["Attach"]
	w.options.Runner.PhasesByItinerary = map[string]map[string]runner.Phase[*Move]{"Move": {"Attach": p}}
	_, err := w.reconcile()
	require.NoError(t, err)
	w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errDown }
	_, err = w.reconcile()
	require.NoError(t, err)
	delete(w.handlers, "Refresh")
	w.end()
	assert.Equal(t, []string{
		`reconcile run [shop Move  Refresh]`,
		`reconcile run > phase Refresh [Move Refresh] error`,
		`reconcile run [shop Move Refresh Refresh] error`,
		`reconcile run > phase Refresh [Move Refresh]`,
		`reconcile run [shop Move Refresh Copy]`,
		`reconcile run > phase Copy [Move Copy]`,
		`reconcile run [shop Move Copy Attach]`,
		`reconcile run > phase Attach [Move Attach]`,
		`reconcile run [shop Move Attach ]`,
	}, seen.ended)
}

// spans is a TracerProvider that records the spans that have ended.
type spans struct {
	noop.TracerProvider
	ended []string
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{all: s} }

type tracer struct {
	noop.Tracer
	all *spans
}

func (t tracer) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &span{all: t.all, name: name}
	if above, ok := trace.SpanFromContext(ctx).(*span); ok {
		s.name = above.name + " > " + name
	}
	c := trace.NewSpanStartConfig(o...)
	s.SetAttributes(c.Attributes()...)
	return trace.ContextWithSpan(ctx, s), s
}

type span struct {
	noop.Span
	all    *spans
	name   string
	values []string
	failed string
}

func (s *span) SetStatus(c codes.Code, _ string) { s.failed = " " + strings.ToLower(c.String()) }
func (s *span) SetAttributes(all ...attribute.KeyValue) {
	for _, a := range all {
		if a.Value.Type() == attribute.STRING && a.Key != "k8s.namespace.name" {
			s.values = append(s.values, a.Value.AsString())
		}
	}
}
func (s *span) End(...trace.SpanEndOption) {
	s.all.ended = append(s.all.ended, fmt.Sprintf("%s [%s]%s", s.name, strings.Join(s.values, " "), s.failed))
}

func TestObserversForgetObjectsThatAreGone(t *testing.T) {
	w := newWorld(t, subresource)
	runs := moves{}
	w.options.Runner.Observers = []runner.Observer[*Move]{runs}
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, moves{request.String(): true}, runs)
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, runs)
}

// moves is an observer that remembers runs by their keys.
type moves map[string]bool

func (m moves) Observe(_ context.Context, _ *Move, e runner.Event) {
	if e, ok := e.(runner.RunReconciled); ok {
		m[e.Key] = true
	}
}

func (m moves) Forget(key string) { delete(m, key) }
