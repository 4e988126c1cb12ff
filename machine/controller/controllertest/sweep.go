package controllertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

// Report is the result of a [Sweep].
type Report struct {
	// Requests are the requests of the life without a fault.
	Requests []Request
	// Lives counts the lives with a fault.
	Lives int
	// Failures are the lives that broke a promise.
	Failures []Failure
}

// Failure is a life that broke a promise.
type Failure struct {
	// Request is the request that met the fault, and Kind is the kind of the fault. For
	// the life without a fault, both are zero.
	Request Request
	Kind    Kind
	// Broken describes what was broken, one text each.
	Broken []string
}

// Only returns the value of [Setup].Only that plays this life alone.
func (f Failure) Only() string { return only(f.Request, f.Kind) }

func only(r Request, k Kind) string { return fmt.Sprintf("%d %s", r.N, k) }

// String returns the failure as text, with the way to reproduce it.
func (f Failure) String() string {
	text := "without a fault"
	if f.Kind != "" {
		text = fmt.Sprintf("%s at request %d, %s (alone: Only: %q)", f.Kind, f.Request.N, f.Request, f.Only())
	}
	for _, b := range f.Broken {
		text += "\n  " + strings.ReplaceAll(strings.TrimSpace(b), "\n", "\n  ")
	}
	return text
}

// maxShown is how many failures are shown; the report has all.
const maxShown = 5

// Sweep plays the life of an object under a controller without a fault, and then once
// for each request of that life and each kind of fault that fits it. After a crash it
// makes the controller again. Each life must reach the same end as the life without a
// fault, and keep the promises that the package comment lists. A broken promise fails
// the test, with the names of the request and the fault; at most five are shown, and the
// report has all. If s is invalid or one of its functions fails, Sweep calls FailNow.
func Sweep[T client.Object](t machinetest.TB, s Setup[T]) *Report {
	t.Helper()
	report, err := sweep(s)
	if err != nil {
		t.Errorf("%v", err)
		t.FailNow()
		return report
	}
	for i, f := range report.Failures {
		if i == maxShown {
			t.Errorf("%d more lives fail; the first are shown", len(report.Failures)-i)
			break
		}
		t.Errorf("%s", f)
	}
	return report
}

func sweep[T client.Object](s Setup[T]) (*Report, error) {
	report := &Report{}
	s, err := s.check()
	if err != nil {
		return report, err
	}
	baseline, err := newLife(s)
	if err != nil {
		return report, err
	}
	want, err := baseline.run()
	if err != nil {
		return report, fmt.Errorf("without a fault: %w", err)
	}
	report.Requests = baseline.injector.Requests()
	if baseline.broken != nil {
		report.Failures = append(report.Failures, Failure{Broken: baseline.broken})
	}
	known := s.Only == ""
	for _, r := range report.Requests {
		for _, k := range s.Kinds {
			if !k.fits(r) || s.Only != "" && s.Only != only(r, k) {
				continue
			}
			known = true
			broken, err := s.with(baseline, want, r, k)
			if err != nil {
				return report, err
			}
			report.Lives++
			if broken != nil {
				report.Failures = append(report.Failures, Failure{Request: r, Kind: k, Broken: broken})
			}
		}
	}
	if !known {
		return report, setupError("Only is %q, but no life has that name; the first is %q, and there are %d requests", s.Only,
			only(Request{N: 1}, s.Kinds[0]), len(report.Requests))
	}
	return report, nil
}

// with plays a life in which a request meets a fault, and returns what is broken.
func (s Setup[T]) with(baseline *life[T], want end, r Request, k Kind) ([]string, error) {
	l, err := newLife(s, Fault{Kind: k, Nth: r.N})
	if err != nil {
		return nil, err
	}
	got, err := l.run()
	if err != nil {
		return append(l.broken, err.Error()), nil
	}
	fired := l.injector.Fired()
	if len(fired) == 0 || !fired[0].like(r) {
		return nil, setupError("request %d is %s without a fault, and %s with one: "+
			"make Begin and the controller repeat the same requests in each life", r.N, r, describe(fired))
	}
	if got.stopped != want.stopped {
		l.reportf("the run is stopped: %t; without the fault: %t", got.stopped, want.stopped)
	}
	if diff := cmp.Diff(want.object, got.object); diff != "" {
		l.reportf("the object ends differently: -without +with the fault\n%s", diff)
	}
	if diff := cmp.Diff(want.outside, got.outside); diff != "" {
		l.reportf("what is outside of the object ends differently: -without +with the fault\n%s", diff)
	}
	if k == Conflict {
		l.checkTouched(fired[0])
	}
	l.checkWork(baseline.work, s.repeats(r, k))
	return l.broken, nil
}

func describe(fired []Request) string {
	if len(fired) == 0 {
		return "does not come"
	}
	return fired[0].String()
}

// repeats returns how often a fault may cause the work of one visit to be repeated:
// work is lost if its write is, or the controller crashes.
func (s Setup[T]) repeats(r Request, k Kind) int {
	switch {
	case k == StaleRead && slices.Contains(s.MayRepeat, k):
		return staleReads
	case k == StaleRead, k == Conflict && !slices.Contains(s.MayRepeat, k):
		return 0
	case !r.IsWrite() && k != Slow && !k.crashes(): // the reconcile continues, or has done nothing
		return 0
	}
	return 1
}

// checkTouched checks that the change of another client to the reconciled object is
// still there.
func (l *life[T]) checkTouched(r Request) {
	if r.Namespace != l.key.Namespace || r.Name != l.key.Name || r.Object != l.injector.request("", "", l.empty, l.key, false).Object {
		return
	}
	if l.last.GetLabels()[Touched] == "" {
		l.reportf("what another client wrote into the object is lost: the label %s", Touched)
	}
}

// checkWork compares the work that was done with that of a life without a fault.
func (l *life[T]) checkWork(without *work, repeats int) {
	var lost, often []string
	for v := range without.times {
		if l.work.times[v] == 0 {
			lost = append(lost, v.String())
		}
	}
	for v, n := range l.work.times {
		if n > 1+repeats {
			often = append(often, fmt.Sprintf("%s: %d times", v, n))
		}
	}
	slices.Sort(lost)
	slices.Sort(often)
	if lost != nil {
		l.reportf("work is not done: %s", strings.Join(lost, ", "))
	}
	if often != nil {
		l.reportf("work is done more often than the fault justifies: %s", strings.Join(often, ", "))
	}
}
