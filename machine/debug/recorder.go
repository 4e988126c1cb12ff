package debug

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Options are the options of [NewRecorder].
type Options struct {
	// Itineraries are those that the runs are in.
	Itineraries *machine.Set
	// MaxRuns, MaxEvents, MaxRunSize and MaxSize bound the history: the number of
	// runs, the events of each, and the bytes of one run and of all. Zero means
	// 1,000 runs, 200 events, 16 KiB and 16 MiB.
	MaxRuns, MaxEvents, MaxRunSize, MaxSize int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Recorder keeps a bounded history of runs. It is safe for concurrent use.
type Recorder struct {
	o Options

	mu       sync.Mutex
	runs     map[Name]*run
	byKey    map[runKey]*run
	dropped  int
	watchers watchers
}

type run struct {
	Run
	key runKey
}

// NewRecorder makes a recorder.
func NewRecorder(o Options) (*Recorder, error) {
	for name, n := range map[string]*int{"MaxRuns": &o.MaxRuns, "MaxEvents": &o.MaxEvents, "MaxRunSize": &o.MaxRunSize, "MaxSize": &o.MaxSize} {
		if *n < 0 {
			return nil, fmt.Errorf("recorder options: %s is %d; it must not be negative", name, *n)
		}
	}
	if o.Itineraries == nil {
		return nil, errors.New("recorder options: Itineraries are missing")
	}
	if o.MaxRuns == 0 {
		o.MaxRuns = 1000
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = 200
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Recorder{o: o, runs: map[Name]*run{}, byKey: map[runKey]*run{}, watchers: watchers{of: map[Name][]chan struct{}{}}}, nil
}

// get returns the run of that name, a new one if there is none.
func (r *Recorder) get(n Name) *run {
	if r.runs[n] == nil {
		r.runs[n] = &run{Run: Run{Name: n, Evaluated: map[string]time.Time{}}}
	}
	return r.runs[n]
}

func (r *Recorder) observe(o any, n Name, e runner.Event) {
	now := r.o.Now().UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	run := r.get(n)
	switch e := e.(type) {
	case runner.RunReconciled:
		if e.Key != "" {
			run.key = runKey{o, e.Key}
			r.byKey[run.key] = run
		}
		run.Next = time.Time{}
		if e.Requeue {
			run.Next = now.Add(e.RequeueAfter)
		}
		r.record(run, *e.State, e.Paused, now)
	case runner.FlagEvaluated:
		run.Evaluated[e.Flag] = now
		run.add(e, now, r.o.MaxEvents)
	default:
		run.add(e, now, r.o.MaxEvents)
	}
}

func (r *run) add(e runner.Event, now time.Time, most int) {
	kind, text := describe(e)
	if n := len(r.Events); n > 0 && r.Events[n-1].Kind == kind && r.Events[n-1].Text == text {
		r.Events[n-1].Count++
		r.Events[n-1].Last = now
		return
	}
	r.Events = append(r.Events, Event{At: now, Kind: kind, Text: text, Count: 1, Last: now, Moment: len(r.Moments) + r.DroppedMoments})
	if len(r.Events) > most {
		r.Events = slices.Delete(r.Events, 0, 1)
		r.DroppedEvents++
	}
}

// maxMoments is the number of moments that are kept.
const maxMoments = 200

func (r *Recorder) record(run *run, s runner.State, paused bool, now time.Time) {
	run.Seen = now
	defer r.watchers.changed(run.Name)
	if n := len(run.Moments); n > 0 && run.Moments[n-1].Paused == paused && equality.Semantic.DeepEqual(run.Moments[n-1].State, s) {
		return
	}
	run.Moments = append(run.Moments, Moment{At: now, State: *s.DeepCopy(), Paused: paused})
	if len(run.Moments) > maxMoments {
		run.Moments = slices.Delete(run.Moments, 0, 1)
		run.DroppedMoments++
	}
	for len(r.runs) > r.o.MaxRuns {
		oldest := run
		for _, o := range r.runs {
			if o.Seen.Before(oldest.Seen) {
				oldest = o
			}
		}
		r.drop(oldest)
		r.dropped++
	}
}

// Record records a run as it was read from an object.
func (r *Recorder) Record(n Name, s runner.State, paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(r.get(n), s, paused, r.o.Now().UTC())
}

// Forget drops a run whose object is gone.
func (r *Recorder) Forget(n Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(r.runs[n])
}

func (r *Recorder) forgetKey(key runKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(r.byKey[key])
}

func (r *Recorder) forget(run *run) {
	if run != nil {
		r.drop(run)
		r.watchers.changed(run.Name)
	}
}

func (r *Recorder) drop(run *run) {
	delete(r.runs, run.Name)
	delete(r.byKey, run.key)
}

// Plan plans from a moment; nil if its itinerary or phase is not known.
func (r *Recorder) Plan(m Moment) *machine.Plan {
	if _, err := r.o.Itineraries.Graph(m.State.Itinerary); err != nil {
		return nil
	}
	resumed, err := r.o.Itineraries.Resume(m.State.Checkpoint, m.State.Itinerary)
	if err != nil {
		return nil
	}
	return resumed.Plan()
}

// Runs returns each run with its latest moment and without events, in the order of
// their names, and how many runs the bounds have dropped.
func (r *Recorder) Runs() (runs []Run, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		if len(run.Moments) == 0 {
			continue
		}
		out := run.Run
		out.Events, out.Evaluated = nil, nil
		last := run.Last()
		last.State = *last.State.DeepCopy()
		out.Moments = []Moment{last}
		runs = append(runs, out)
	}
	slices.SortFunc(runs, func(a, b Run) int { return a.Name.compare(b.Name) })
	return runs, r.dropped
}

// Lookup returns a run with its history, and whether there is one of that name.
func (r *Recorder) Lookup(n Name) (Run, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := r.runs[n]
	if run == nil || len(run.Moments) == 0 {
		return Run{}, false
	}
	out := run.Run
	out.Moments = slices.Clone(out.Moments)
	for i := range out.Moments {
		out.Moments[i].State = *out.Moments[i].State.DeepCopy()
	}
	out.Events = slices.Clone(out.Events)
	for i := range out.Events {
		e := &out.Events[i]
		e.Moment = max(min(e.Moment-run.DroppedMoments, len(out.Moments)-1), -1)
	}
	out.Evaluated = maps.Clone(out.Evaluated)
	return out, true
}
