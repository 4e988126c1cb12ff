package controller

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// metrics are the metrics of one reconciler. Reconcilers that share a registerer differ
// by the label controller. The values of labels are names of controllers and
// definitions, never of objects, so their number is bounded.
type metrics struct {
	phases           *prometheus.CounterVec
	duration         prometheus.ObserverVec
	errors           *prometheus.CounterVec
	evaluations      *prometheus.CounterVec
	evaluationErrors *prometheus.CounterVec
	leftBehind       *prometheus.CounterVec
	replans          *prometheus.CounterVec
	runs             *prometheus.CounterVec
	conflicts        *prometheus.CounterVec
}

const (
	metricNamespace = "dynamic_pipeline"
	labelController = "controller"
)

// durations are the buckets, from a second, which is the precision of a state's times,
// to a day.
var durations = []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600}

func newMetrics(to prometheus.Registerer, controller string) (*metrics, error) {
	m := &metrics{}
	var problems []error
	its := prometheus.Labels{labelController: controller}
	counter := func(vec **prometheus.CounterVec, name, help string, labels ...string) {
		all, err := register(to, prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: metricNamespace, Name: name, Help: help},
			append(labels, labelController)))
		*vec = all.MustCurryWith(its) // it has the label
		problems = append(problems, err)
	}
	counter(&m.phases, "phases_total", "Phases that ended, by result: done or failed.", "itinerary", "phase", "result")
	counter(&m.errors, "phase_errors_total", "Calls of handlers that ended in an error and are retried.", "itinerary", "phase")
	counter(&m.evaluations, "flag_evaluations_total", "Flags that were evaluated.", "itinerary", "flag")
	counter(&m.evaluationErrors, "flag_evaluation_errors_total", "Flags whose evaluation ended in an error.", "itinerary", "flag")
	counter(&m.leftBehind, "flag_sources_left_behind_total", "Sources of flags that did not return although their context was done.",
		"itinerary", "flag")
	counter(&m.replans, "replans_total", "Times that the remaining steps changed during a run.", "itinerary")
	counter(&m.runs, "runs_total", "Runs that are done, by their last itinerary and result.", "itinerary", "result")
	counter(&m.conflicts, "write_conflicts_total", "Writes that conflicted with another client's, by outcome: merged or dropped.", "result")
	all, err := register(to, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: metricNamespace, Name: "phase_duration_seconds", Buckets: durations,
		Help: "Time from the entry of a phase to its end.",
	}, []string{"itinerary", "phase", labelController}))
	m.duration = all.MustCurryWith(its)
	return m, errors.Join(append(problems, err)...)
}

// register registers a collector, or returns the one that another reconciler has
// registered. Without a registerer, the collector is not visible.
func register[C prometheus.Collector](to prometheus.Registerer, c C) (C, error) {
	if to == nil {
		return c, nil
	}
	err := to.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if there, ok := already.ExistingCollector.(C); ok {
			return there, nil
		}
	}
	return c, err
}

// happened counts events that count even if no write follows.
func (m *metrics) happened(e runner.Event) {
	switch e := e.(type) {
	case runner.FlagEvaluated:
		m.evaluations.WithLabelValues(e.Itinerary, e.Flag).Inc()
		if e.Err != nil {
			m.evaluationErrors.WithLabelValues(e.Itinerary, e.Flag).Inc()
		}
		if e.LeftBehind {
			m.leftBehind.WithLabelValues(e.Itinerary, e.Flag).Inc()
		}
	case runner.PhaseRetried:
		if e.Kind == runner.RetryHandler { // flags are counted one by one
			m.errors.WithLabelValues(e.Itinerary, e.Phase).Inc()
		}
	}
}

// written counts events after their write. A failed phase has no PhaseExited event,
// even if it was passed by.
func (m *metrics) written(e runner.Event) {
	switch e := e.(type) {
	case runner.PhaseExited:
		m.phases.WithLabelValues(e.Itinerary, e.Phase, "done").Inc()
		m.duration.WithLabelValues(e.Itinerary, e.Phase).Observe(e.Took.Seconds())
	case runner.PhaseFailed:
		m.phases.WithLabelValues(e.Itinerary, e.Phase, "failed").Inc()
		m.duration.WithLabelValues(e.Itinerary, e.Phase).Observe(e.Took.Seconds())
	case runner.PipelineReplanned:
		m.replans.WithLabelValues(e.Itinerary).Inc()
	case runner.RunFinished:
		m.runs.WithLabelValues(e.Itinerary, string(e.Result)).Inc()
	}
}
