package controller_test

import (
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
)

// promQL are the words of the query language in the alerts, and the labels that
// a scrape adds.
var promQL = strings.Fields("sum by rate increase last_over_time offset or and unless on namespace job")

var (
	quotedText = regexp.MustCompile(`"[^"]*"`)
	duration   = regexp.MustCompile(`\b\d+[smhd]\b`)
	word       = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	metricDesc = regexp.MustCompile(`fqName: "([^"]*)".*variableLabels: \{([^}]*)\}`)
)

// Every word of an alert's expression is one of the query language, a metric
// that a registry has with a reconciler in it, or a label of such a metric.
func TestAlertsUseMetricsThatAreRegistered(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := controller.New(w.options)
	require.NoError(t, err)
	labels := metricLabels(w.registry)
	require.Len(t, labels, 9)
	// controller-runtime has a registry of its own.
	all, ok := ctrlmetrics.Registry.(prometheus.Collector)
	require.True(t, ok)
	for name, of := range metricLabels(all) {
		labels[name] = of
	}

	text, err := os.ReadFile("alerts.yaml")
	require.NoError(t, err)
	var alerts struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &alerts))
	require.NotEmpty(t, alerts.Spec.Groups)
	for _, rule := range alerts.Spec.Groups[0].Rules {
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

// metricLabels returns the names of all metrics of a registry, with their
// labels. Gathering would miss those that nothing has been counted for.
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
