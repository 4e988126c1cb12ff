package controller

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// runGauges remembers what the runs of a reconciler do, for the gauges, in some 100
// bytes for each run until its object is gone. A nil runGauges remembers nothing.
type runGauges struct {
	controller string
	now        func() time.Time

	mu sync.Mutex
	of map[types.NamespacedName][]runGauge
}

// runGauge describes what a run does.
type runGauge struct {
	item, itinerary string
	activity        runner.Activity
	// since is when the activity began, and deadline is when the phase fails; zero if
	// unknown. A paused or stopped run has no deadline.
	since, deadline time.Time
}

// newRunGauges returns the gauges of a reconciler, and registers their collector.
// Without a registerer it returns nil.
func newRunGauges(to prometheus.Registerer, controller string, now func() time.Time) (*runGauges, error) {
	if to == nil {
		return nil, nil
	}
	g := &runGauges{controller: controller, now: now, of: map[types.NamespacedName][]runGauge{}}
	all, err := register(to, newRunCollector())
	if err != nil {
		return nil, err
	}
	all.add(g)
	return g, nil
}

// set replaces what is remembered of the runs of an object. Since users can write any
// itinerary into a state, an unknown one counts under the empty name.
func (g *runGauges) set(object types.NamespacedName, runs []*run, known func(itinerary string) bool) {
	if g == nil {
		return
	}
	now := g.now()
	is := make([]runGauge, len(runs))
	for i, r := range runs {
		s := r.out.State.Status(now)
		is[i] = runGauge{item: r.item, activity: s.Activity, since: s.Since}
		if known(s.Itinerary) {
			is[i].itinerary = s.Itinerary
		}
		if s.Activity != runner.ActivityPaused && s.Activity != runner.ActivityStopped {
			is[i].deadline = s.Deadline
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.of[object]
	for i, r := range runs {
		problem := r.problem()
		if problem == nil {
			continue
		}
		stop := isTerminal(problem)
		if !r.unwritable() && !(stop && r.out.State.Stopped == nil) {
			continue // the state has it
		}
		before := runGauge{}
		if i < len(was) && was[i].item == r.item {
			before = was[i]
		}
		is[i].hold(before, stop, now)
	}
	g.of[object] = is
}

// hold records that no run of an object continues, since the object cannot be read or
// written. stop reports that it is not retried.
func (g *runGauges) hold(object types.NamespacedName, stop bool) {
	if g == nil {
		return
	}
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.of[object]) == 0 {
		g.of[object] = []runGauge{{}}
	}
	for i, was := range g.of[object] {
		if was.activity != runner.ActivityDone {
			g.of[object][i].hold(was, stop, now)
		}
	}
}

// hold records that the run does not continue, for a reason that its state does not
// have. If was has the same activity, its start is kept.
func (r *runGauge) hold(was runGauge, stop bool, now time.Time) {
	r.activity, r.since, r.deadline = runner.ActivityRetrying, now, time.Time{}
	if stop {
		r.activity = runner.ActivityStopped
	}
	if was.activity == r.activity {
		r.since = was.since
	}
}

// forget drops the runs of an object that is gone.
func (g *runGauges) forget(object types.NamespacedName) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.of, object)
}

// series are the labels of a gauge.
type series struct {
	controller, itinerary string
	activity              runner.Activity
}

// sums are the values of gauges.
type sums struct {
	runs    int
	oldest  time.Duration
	overdue int
}

// sum adds what the runs do now to all.
func (g *runGauges) sum(all map[series]*sums) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, runs := range g.of {
		for _, r := range runs {
			key := series{g.controller, r.itinerary, r.activity}
			if all[key] == nil {
				all[key] = &sums{}
			}
			of := all[key]
			of.runs++
			if !r.since.IsZero() {
				of.oldest = max(of.oldest, now.Sub(r.since))
			}
			if !r.deadline.IsZero() && !now.Before(r.deadline) {
				of.overdue++
			}
		}
	}
}

// runCollector collects the gauges of all reconcilers that share a registerer. Their
// values are computed when they are collected.
type runCollector struct {
	runs, oldest, overdue *prometheus.Desc

	mu sync.Mutex
	of []*runGauges
}

func newRunCollector() *runCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(metricNamespace, "", name), help,
			append([]string{labelController, "itinerary"}, labels...), nil)
	}
	var activities []string
	for _, a := range runner.Activities() {
		activities = append(activities, string(a))
	}
	return &runCollector{
		runs:    desc("runs", "Runs by current activity: "+strings.Join(activities, ", ")+".", "activity"),
		oldest:  desc("oldest_activity_seconds", "Longest time for which a run that is not done has had its current activity.", "activity"),
		overdue: desc("runs_overdue", "Runs in a phase that has not failed although its deadline has passed. Those that are paused or stopped do not count."),
	}
}

func (c *runCollector) add(g *runGauges) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = append(c.of, g)
}

// Describe implements [prometheus.Collector].
func (c *runCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.runs
	to <- c.oldest
	to <- c.overdue
}

// Collect implements [prometheus.Collector].
func (c *runCollector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	of := c.of[:len(c.of):len(c.of)] // c.of only grows
	c.mu.Unlock()
	all := map[series]*sums{}
	for _, g := range of {
		g.sum(all)
	}
	overdue := map[[2]string]int{}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...) // all names are valid UTF-8
	}
	for key, is := range all {
		overdue[[2]string{key.controller, key.itinerary}] += is.overdue
		gauge(c.runs, float64(is.runs), key.controller, key.itinerary, string(key.activity))
		if is.oldest > 0 && key.activity != runner.ActivityDone {
			gauge(c.oldest, is.oldest.Seconds(), key.controller, key.itinerary, string(key.activity))
		}
	}
	for key, n := range overdue {
		gauge(c.overdue, float64(n), key[0], key[1])
	}
}
