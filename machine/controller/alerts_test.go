package controller_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// promQL lists the words of the query language in the alerts, and the labels that a
// scrape adds.
var promQL = strings.Fields("sum max by rate increase last_over_time offset or and unless on namespace job")

var (
	quotedText = regexp.MustCompile(`"[^"]*"`)
	duration   = regexp.MustCompile(`\b\d+[smhd]\b`)
	word       = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	matcher    = regexp.MustCompile(`(\w+)\{(\w+)=~?"(.*?)"\}`)
	metricDesc = regexp.MustCompile(`fqName: "([^"]*)".*variableLabels: \{([^}]*)\}`)
)

// All words of an alert's expression are words of the query language, metrics that a
// registry has with a reconciler in it, or labels of such metrics.
func TestAlertsUseRegisteredMetrics(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := controller.New(w.options)
	require.NoError(t, err)
	labels := metricLabels(w.registry)
	require.Len(t, labels, 12)
	// controller-runtime has its own registry.
	all, ok := ctrlmetrics.Registry.(prometheus.Collector)
	require.True(t, ok)
	for name, of := range metricLabels(all) {
		labels[name] = of
	}

	for _, rule := range readAlerts(t) {
		t.Run(rule.Alert, func(t *testing.T) {
			words := word.FindAllString(duration.ReplaceAllString(quotedText.ReplaceAllString(rule.Expr, ""), ""), -1)
			known := slices.Clone(promQL)
			metrics := 0
			for _, word := range words {
				if of, ok := labels[word]; ok {
					known = append(append(known, word), of...)
					metrics++
				}
			}
			assert.NotZero(t, metrics)
			assert.Subset(t, known, words)
		})
	}
}

// Every series that an alert selects by a label is counted by a reconciler when a phase
// and the run fail, and when a write is dropped.
func TestAlertsSelectCountedSeries(t *testing.T) {
	w := newWorld(t, subresource)
	w.handlers["Refresh"] = func(ctx context.Context, _ *Move) (runner.Result, error) {
		// Another replica does the same and is faster.
		delete(w.handlers, "Refresh")
		other, err := controller.New(w.options)
		if err == nil {
			_, err = other.Reconcile(ctx, request)
		}
		return runner.Done(), err
	}
	w.handlers["Attach"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("no"), nil }
	w.end()

	families, err := w.registry.Gather()
	require.NoError(t, err)
	var counted []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				counted = append(counted, fmt.Sprintf("%s{%s=%q}", f.GetName(), l.GetName(), l.GetValue()))
			}
		}
	}
	for _, activity := range runner.Activities() { // see TestGaugesOfRun and others
		counted = append(counted, fmt.Sprintf("dynamic_pipeline_runs{activity=%q}", activity),
			fmt.Sprintf("dynamic_pipeline_oldest_activity_seconds{activity=%q}", activity))
	}
	var selected []string
	for _, rule := range readAlerts(t) {
		for _, m := range matcher.FindAllStringSubmatch(rule.Expr, -1) {
			for _, value := range strings.Split(m[3], "|") {
				selected = append(selected, fmt.Sprintf("%s{%s=%q}", m[1], m[2], value))
			}
		}
	}
	assert.NotEmpty(t, selected)
	assert.Subset(t, counted, selected)
}

// alert holds what the tests read of an alert.
type alert struct{ Alert, Expr string }

func readAlerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile("alerts.yaml")
	require.NoError(t, err)
	var rule struct {
		Spec struct {
			Groups []struct{ Rules []alert }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &rule))
	require.Len(t, rule.Spec.Groups, 1)
	require.NotEmpty(t, rule.Spec.Groups[0].Rules)
	return rule.Spec.Groups[0].Rules
}

// metricLabels returns the names of all metrics of a registry, with their labels.
// Gathering would miss those that have no count yet.
func metricLabels(registry prometheus.Collector) map[string][]string {
	descs := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descs)
		close(descs)
	}()
	labels := map[string][]string{}
	for d := range descs {
		if m := metricDesc.FindStringSubmatch(d.String()); m != nil {
			labels[m[1]] = strings.Split(m[2], ",")
		}
	}
	return labels
}
