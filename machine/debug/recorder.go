package debug

import (
	"container/list"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Options are the options of [NewRecorder].
type Options struct {
	// Itineraries are the itineraries of the runs. Required.
	Itineraries *machine.Set
	// MaxRuns and MaxEvents are the maximum numbers of recorded runs, and of events of
	// each run. Zero means [DefaultMaxRuns] and [DefaultMaxEvents]; a negative number is
	// invalid.
	MaxRuns, MaxEvents int
	// MaxRunSize and MaxSize bound the memory of one run, and of all runs together, in
	// bytes. MaxRunSize must be at least [MinRunSize], and MaxSize at least MaxRunSize.
	// Zero means [DefaultMaxRunSize] and [DefaultMaxSize]; the default of MaxSize is
	// MaxRunSize if that is larger.
	MaxRunSize, MaxSize int
	// Now is the clock. If nil, it is [time.Now].
	Now func() time.Time
}

// The default bounds, and MinRunSize, the smallest valid MaxRunSize.
const (
	DefaultMaxRuns    = 1000
	DefaultMaxEvents  = 200
	DefaultMaxRunSize = 16 << 10
	DefaultMaxSize    = 16 << 20
	MinRunSize        = 8 << 10
)

// OptionsError lists everything that is missing or wrong in the options.
type OptionsError struct {
	// Problems describes each problem.
	Problems []string
}

func (e *OptionsError) Error() string { return "recorder options: " + strings.Join(e.Problems, "; ") }

// check sets defaults and validates the options.
func (o *Options) check() error {
	var problems []string
	if o.Itineraries == nil || len(o.Itineraries.Names()) == 0 {
		problems = append(problems, "Itineraries are missing; set those that the runs are in")
	}
	bound := func(name string, n *int, least, otherwise int) {
		if *n == 0 {
			*n = otherwise
		} else if *n < least {
			problems = append(problems, fmt.Sprintf("%s is %d; it must be at least %d", name, *n, least))
		}
	}
	bound("MaxRuns", &o.MaxRuns, 1, DefaultMaxRuns)
	bound("MaxEvents", &o.MaxEvents, 1, DefaultMaxEvents)
	bound("MaxRunSize", &o.MaxRunSize, MinRunSize, DefaultMaxRunSize)
	bound("MaxSize", &o.MaxSize, o.MaxRunSize, max(DefaultMaxSize, o.MaxRunSize))
	if problems != nil {
		return &OptionsError{problems}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Recorder keeps a bounded history of runs. It is safe for concurrent use.
//
// The bounds of [Options] apply to what is kept: the latest state of each run, with its
// texts, lists and the allocator's rounding, the history before it, the times of flag
// evaluations, names, and table entries. Texts of the itineraries are shared and not
// counted. Within a run, the oldest moments and events are dropped first. Among runs,
// done runs are dropped first, and of these the one last seen longest ago. A state that
// takes more than three quarters of MaxRunSize is recorded with texts cut, and with fewer
// names if these alone take more ([Moment].Cut).
type Recorder struct {
	o     Options
	words *words

	mu      sync.Mutex
	encoder encoder
	runs    map[Name]*history
	byKey   map[runKey]*history
	// live and done are the histories in the order in which they were last seen, oldest
	// first.
	live, done *list.List
	size       int
	dropped    int
	watchers   watchers
}

// NewRecorder returns a recorder. The error is an [*OptionsError].
func NewRecorder(o Options) (*Recorder, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	w := newWords(o.Itineraries)
	return &Recorder{
		o: o, words: w, encoder: encoder{words: w},
		runs: map[Name]*history{}, byKey: map[runKey]*history{}, live: list.New(), done: list.New(),
		watchers: watchers{of: map[Name][]chan struct{}{}},
	}, nil
}

// Record records a run as it was read from an object. paused reports whether a pause
// holds the run. A run whose name is longer than 1 KiB is not recorded.
func (r *Recorder) Record(n Name, s runner.State, paused bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.get(n, now); h != nil {
		h.seen, h.unwritten = now, false
		r.pause(h, &s, paused, now)
		if h.record(&r.encoder, &s, paused, now, r.o.MaxRunSize) {
			r.watchers.changed(n)
		}
		r.settle(h)
	}
}

// observe records an event of a run of an observer.
func (r *Recorder) observe(observer any, n Name, e runner.Event) {
	now := r.now()
	reconciled, is := e.(runner.RunReconciled)
	if is {
		r.mu.Lock()
		defer r.mu.Unlock()
		if h := r.get(n, now); h != nil {
			r.reconciled(observer, h, &reconciled, now)
		}
		return
	}
	entry := newEntry(e)
	entry.at = now
	if entry.kind == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.get(n, now)
	if h == nil || entry.kind == flagEvaluated && !h.evaluated(r.words, &entry) {
		return
	}
	if entry.kind == phaseRetried {
		h.attempts = entry.numbers[0]
	}
	h.happened(&r.encoder, entry, r.o.MaxRunSize, r.o.MaxEvents)
	r.count(h)
}

// reconciled records the end of a reconcile. It is cheap if nothing has changed.
func (r *Recorder) reconciled(observer any, h *history, e *runner.RunReconciled, now time.Time) {
	if key := (runKey{observer, e.Key}); key != h.key && e.Key != "" && len(e.Key) <= maxName {
		if r.byKey[h.key] == h {
			delete(r.byKey, h.key)
		}
		h.key = runKey{observer, strings.Clone(e.Key)}
		r.byKey[h.key] = h
	}
	next := time.Time{}
	if e.Requeue {
		next = now.Add(e.RequeueAfter)
	}
	changed := h.log.fresh >= 0 || !next.Equal(h.next)
	h.seen, h.next = now, next
	if e.State.Retry == nil {
		h.attempts = 0
	}
	r.pause(h, e.State, e.Paused, now)
	if e.Changed || h.unwritten || h.moments == 0 || e.Paused != h.paused || !h.isAt(e.State) {
		changed = h.record(&r.encoder, e.State, e.Paused, now, r.o.MaxRunSize) || changed
		h.unwritten = e.Changed
	}
	h.log.unchanged()
	r.settle(h)
	if changed {
		r.watchers.changed(h.name)
	}
}

// pause records that a pause began or ended since the moment before. If a run is paused
// when first seen, its state records when the pause began.
func (r *Recorder) pause(h *history, s *runner.State, paused bool, now time.Time) {
	switch {
	case paused == h.paused:
	case paused:
		if h.moments == 0 && !s.PausedSince.IsZero() {
			now = s.PausedSince.UTC()
		}
		n := entry{kind: runPaused, at: now, count: 1, texts: [4]string{cut(s.Phase, maxText)}}
		h.happened(&r.encoder, n, r.o.MaxRunSize, r.o.MaxEvents)
	default:
		n := entry{kind: runResumed, at: now, count: 1}
		if since := h.state.PausedSince; !since.IsZero() {
			n.numbers[0] = int64(max(now.Sub(since.Time), 0))
		}
		h.happenedFirst(&r.encoder, n, r.o.MaxRunSize, r.o.MaxEvents)
	}
}

// get returns the history of a run, creating it if necessary; nil if the name is too
// long.
func (r *Recorder) get(n Name, now time.Time) *history {
	if h := r.runs[n]; h != nil {
		return h
	}
	if n.len() > maxName {
		return nil
	}
	n = Name{strings.Clone(n.Namespace), strings.Clone(n.Name), strings.Clone(n.Item)}
	h := &history{name: n, base: now.Unix(), seen: now, log: emptyLog()}
	h.place = r.live.PushBack(h)
	r.runs[n] = h
	return h
}

// count updates the size of a history, and drops runs if all together take too much.
func (r *Recorder) count(h *history) {
	r.size -= h.size
	h.count(r.o.MaxRunSize)
	r.size += h.size
	for len(r.runs) > r.o.MaxRuns || r.size > r.o.MaxSize {
		oldest := r.done.Front()
		if oldest == nil {
			oldest = r.live.Front()
		}
		r.forget(oldest.Value.(*history))
		r.dropped++
	}
}

// settle moves a history to its place after it was seen.
func (r *Recorder) settle(h *history) {
	if done := h.state.Done; done == h.isDone {
		r.list(h).MoveToBack(h.place)
	} else {
		r.list(h).Remove(h.place)
		h.isDone = done
		h.place = r.list(h).PushBack(h)
	}
	r.count(h)
}

// list returns the list that a history belongs to.
func (r *Recorder) list(h *history) *list.List {
	if h.isDone {
		return r.done
	}
	return r.live
}

func (r *Recorder) remove(h *history) {
	delete(r.runs, h.name)
	if r.byKey[h.key] == h {
		delete(r.byKey, h.key)
	}
	r.list(h).Remove(h.place)
	r.size -= h.size
}

// now reads the clock.
func (r *Recorder) now() time.Time { return r.o.Now().UTC().Round(0) }

// Forget drops a run whose object is gone. It does nothing if the run is not recorded.
func (r *Recorder) Forget(n Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(r.runs[n])
}

// forgetKey drops a run by its key.
func (r *Recorder) forgetKey(key runKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(r.byKey[key])
}

func (r *Recorder) forget(h *history) {
	if h != nil {
		r.remove(h)
		r.watchers.changed(h.name)
	}
}

// Plan returns the plan from a moment, or nil if its itinerary or phase is unknown.
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

// Runs returns each run with its latest moment but without events, sorted by name, and
// how often the bounds have dropped a run.
func (r *Recorder) Runs() (runs []Run, dropped int) {
	r.mu.Lock()
	all := make([]*history, 0, len(r.runs))
	for _, h := range r.runs {
		all = append(all, h)
	}
	dropped = r.dropped
	r.mu.Unlock()
	slices.SortFunc(all, func(a, b *history) int { return a.name.compare(b.name) })
	runs = make([]Run, 0, len(all))
	for _, h := range all { // so a reconcile waits for at most one run
		r.mu.Lock()
		if h.moments > 0 && r.runs[h.name] == h {
			runs = append(runs, h.latest())
		}
		r.mu.Unlock()
	}
	return runs, dropped
}

// Lookup returns a run with its history, and reports whether a run of that name is
// recorded.
func (r *Recorder) Lookup(n Name) (Run, bool) {
	r.mu.Lock()
	h := r.runs[n]
	if h == nil || h.moments == 0 {
		r.mu.Unlock()
		return Run{}, false
	}
	c := *h
	h.state.DeepCopyInto(&c.state)
	c.log.buf, c.flags = slices.Clone(h.log.buf), slices.Clone(h.flags)
	r.mu.Unlock()
	return c.read(r.words), true
}
