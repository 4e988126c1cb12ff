package debug

import (
	"container/list"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// history is what is recorded of a run: the latest moment in full, and each earlier
// moment as its difference from the next one.
type history struct {
	name Name
	key  runKey
	// base is the second that times in the log are relative to.
	base int64
	// state, at, paused and isCut describe the latest moment. weight is the memory that
	// the state takes beyond the struct itself.
	state         runner.State
	at            time.Time
	paused, isCut bool
	weight        int
	// moments and events count what was recorded. A run without moments is not shown yet.
	moments, events int
	log             log
	flags           []flag
	seen, next      time.Time
	// attempts counts the consecutive failed attempts, as of the last event.
	attempts int64
	// unwritten reports whether the latest state was recorded before it was written. That
	// write may have failed.
	unwritten bool
	// size is the memory that all this takes, as last counted.
	size int
	// place is the place in the list of live or done runs, ordered by when they were last
	// seen.
	place  *list.Element
	isDone bool
}

const (
	// historySize is the size of an empty history: itself, its place, and its entries in
	// two maps, which are at least half full.
	historySize = int(unsafe.Sizeof(history{})+unsafe.Sizeof(list.Element{})) +
		2*int(unsafe.Sizeof(Name{})+unsafe.Sizeof(runKey{})+2*unsafe.Sizeof(uintptr(0)))
	flagSize = int(unsafe.Sizeof(flag{}))
	// maxName limits the total length of the names of a run, and that of its key, in bytes.
	maxName = 1 << 10
)

func (n Name) len() int { return len(n.Namespace) + len(n.Name) + len(n.Item) }

// fixed is the minimum size of the history.
func (h *history) fixed() int { return historySize + h.name.len() + len(h.key.key) }

// room is the space for the log, in whole blocks, so a state that grows by a few bytes
// does not change it.
func (h *history) room(most int) int {
	const block = 512
	return (most - h.fixed() - h.weight - cap(h.flags)*flagSize) / block * block
}

// record makes s the latest moment if it differs from the one before, and reports whether
// it does.
func (h *history) record(e *encoder, s *runner.State, paused bool, now time.Time, most int) bool {
	limit := min(most*3/4, most-h.fixed()-phases.MaxFlags*flagSize)
	isCut := false
	changed := h.change(e, s, now, paused, isCut)
	if h.weight > limit {
		h.back(e, changed)
		isCut = true
		changed = h.change(e, cutState(e, s, limit), now, paused, isCut)
	}
	if !changed && h.moments > 0 && paused == h.paused && isCut == h.isCut {
		return false
	}
	h.moments++
	h.at, h.paused, h.isCut = now, paused, isCut
	h.log.append(tagMoment, e.buf, h.room(most))
	h.log.fresh = -1
	return true
}

// isAt reports whether s is at the same place as the latest state.
func (h *history) isAt(s *runner.State) bool {
	return s.Visit == h.state.Visit && s.Phase == h.state.Phase && s.Itinerary == h.state.Itinerary &&
		s.WorkDone == h.state.WorkDone && s.Done == h.state.Done && s.Run == h.state.Run
}

// change makes s the latest state, and leaves the record of the change in the encoder.
func (h *history) change(e *encoder, s *runner.State, now time.Time, paused, isCut bool) (changed bool) {
	e.reset(h.base)
	e.time(now)
	e.mark(paused)
	e.mark(isCut)
	changed = e.change(reflect.ValueOf(&h.state).Elem(), reflect.ValueOf(s).Elem())
	h.weight += e.weight
	return changed
}

// back undoes the change whose record is in the encoder.
func (h *history) back(e *encoder, changed bool) {
	h.weight -= e.weight
	d := &decoder{words: e.words, base: e.base, buf: e.buf}
	if d.moment(); changed {
		d.back(reflect.ValueOf(&h.state).Elem())
	}
}

// moment reads the head of the record of a moment.
func (d *decoder) moment() (m Moment) {
	m.At, m.Paused, m.Cut = d.time(), d.is(), d.is()
	return m
}

// maxCutName limits a name in a state that is cut by more than its texts.
const maxCutName = 64

// cutState returns a copy of a state that takes at most limit bytes. Texts are cut as the
// runner cuts them. If names are too long or too many, only the position of the run,
// times, counts and as many steps as fit remain.
func cutState(e *encoder, s *runner.State, limit int) *runner.State {
	s = s.DeepCopy()
	fits := func() bool {
		e.reset(0)
		e.copy(reflect.ValueOf(new(runner.State)).Elem(), reflect.ValueOf(s).Elem())
		return e.weight <= limit
	}
	for _, list := range []*[]string{&s.Facts.True, &s.Facts.False, &s.Facts.Unknown} {
		*list = (*list)[:min(len(*list), phases.MaxFlags)]
	}
	if s.Bound(fits); fits() {
		return s
	}
	s.Facts, s.Failures, s.FailedAt, s.Switches, s.Runs, s.Token = phases.Record{}, nil, nil, nil, nil, nil
	names := []*string{&s.Itinerary, &s.Phase, &s.Step, &s.Choice, &s.SwitchHeld, (*string)(&s.Result)}
	for i := range s.Pipeline {
		names = append(names, &s.Pipeline[i].Name, &s.Pipeline[i].Phase)
	}
	for _, name := range names {
		*name = cut(*name, maxCutName)
	}
	for !fits() && len(s.Pipeline) > 0 {
		n := len(s.Pipeline) / 2
		current := s.Pipeline.Current()
		isCurrent := func(step steps.Step) bool { return step.Name == current.Name }
		if current != nil && slices.IndexFunc(s.Pipeline, isCurrent) >= n {
			s.Pipeline = s.Pipeline[len(s.Pipeline)-n:]
		} else {
			s.Pipeline = s.Pipeline[:n]
		}
	}
	return s
}

// happened records an event.
func (h *history) happened(e *encoder, n entry, most, maxEvents int) {
	if h.log.last >= 0 && n.mayRepeat() {
		tag, body, _ := h.log.at(h.log.last)
		before := (&decoder{words: e.words, base: h.base, buf: body}).entry(kind(tag &^ tagBefore))
		if n.repeats(&before) {
			n.at, n.last, n.count = before.at, n.at, before.count+1
			h.log.cut()
			h.events--
		}
	}
	if n.kind == runBegun && n.texts[1] == "" { // from the start: no flag is known
		h.flags = h.flags[:0]
	}
	e.reset(h.base)
	e.entry(&n)
	h.events++
	h.log.append(byte(n.kind), e.buf, h.room(most))
	for h.log.events > maxEvents {
		h.log.drop()
	}
}

// happenedFirst records an event before the other events of the current reconcile.
func (h *history) happenedFirst(e *encoder, n entry, most, maxEvents int) {
	rest := h.log.takeFresh()
	h.happened(e, n, most, maxEvents)
	for offset := 0; offset < len(rest.buf); {
		tag, body, next := rest.at(offset)
		h.log.append(tag, body, h.room(most))
		offset = next
	}
	for h.log.events > maxEvents {
		h.log.drop()
	}
}

// evaluated records the evaluation of a flag, and reports whether it is news: its value
// has changed, or it failed in another way.
func (h *history) evaluated(w *words, n *entry) (news bool) {
	word, known := w.numbers[n.texts[0]]
	if !known {
		return true
	}
	is := flag{milli: n.at.UnixMilli(), word: uint32(word), failure: failure(n.texts[1]), value: phases.Truth(n.numbers[0])}
	for i := range h.flags {
		if was := h.flags[i]; was.word == is.word {
			h.flags[i] = is
			return was.value != is.value || was.failure != is.failure || n.numbers[1] != 0
		}
	}
	if len(h.flags) < phases.MaxFlags {
		h.flags = append(h.flags, is)
	}
	return true
}

// count updates the size of the history.
func (h *history) count(most int) {
	h.log.trim(h.room(most))
	h.size = h.fixed() + h.weight + cap(h.log.buf) + cap(h.flags)*flagSize
}

// latest returns the latest moment, without the history before it.
func (h *history) latest() Run {
	return Run{
		Name: h.name, Next: h.next, Attempts: h.attempts, Seen: h.seen,
		Moments:        []Moment{{At: h.at, State: *h.state.DeepCopy(), Paused: h.paused, Cut: h.isCut}},
		DroppedMoments: h.moments - max(h.log.moments, 1), DroppedEvents: h.events - h.log.events,
	}
}

// read returns a run with its history. h must be a copy.
func (h *history) read(w *words) Run {
	run := h.latest()
	last := run.Moments[0]
	run.Evaluated = make(map[string]time.Time, len(h.flags))
	for _, f := range h.flags {
		run.Evaluated[w.texts[f.word]] = time.UnixMilli(f.milli).UTC()
	}
	run.Moments = run.Moments[:0]
	var differences []decoder
	for offset := h.log.head; offset < len(h.log.buf); {
		tag, body, next := h.log.at(offset)
		offset = next
		d := decoder{words: w, base: h.base, buf: body}
		if tag == tagMoment {
			run.Moments = append(run.Moments, d.moment())
			differences = append(differences, d)
			continue
		}
		n := d.entry(kind(tag &^ tagBefore))
		e := Event{At: n.at, Kind: eventKinds[n.kind].name, Text: n.text(), Count: n.count, Last: n.last, Moment: len(run.Moments)}
		if tag&tagBefore != 0 {
			e.Moment--
		}
		run.Events = append(run.Events, e)
	}
	if len(run.Moments) == 0 { // the record of the latest moment was dropped
		run.Moments = append(run.Moments, last)
		for i := range run.Events {
			run.Events[i].Moment = 0
		}
	}
	newest := len(run.Moments) - 1
	run.Moments[newest].State = last.State
	for i := newest; i > 0; i-- {
		run.Moments[i].State.DeepCopyInto(&run.Moments[i-1].State)
		differences[i].back(reflect.ValueOf(&run.Moments[i-1].State).Elem())
	}
	for i := range run.Events { // events of the current reconcile; their state is not known yet
		run.Events[i].Moment = min(run.Events[i].Moment, newest)
	}
	return run
}
