package machinetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// key identifies a state. Two states with one key have the same future. Times are relative to the
// state's own clock. Unless the exploration is exact, a key ignores flags that nothing ahead reads
// and completed steps that nothing ahead can enter.
type key [16]byte

// keyed is an object that writes its own key: without the run's state, and only with those of its
// flags for which keep returns true.
type keyed interface {
	writeKey(b []byte, keep func(flag string) bool) []byte
}

func (o *Object) writeKey(b []byte, keep func(string) bool) []byte {
	b = text(text(b, o.Itinerary), o.Token)
	for _, is := range []bool{o.Paused, o.FromFailed} {
		if is {
			b = append(b, 1)
		}
		b = append(b, 0)
	}
	for _, name := range o.True {
		if keep(name) {
			b = text(b, name)
		}
	}
	return append(b, 0)
}

// text appends a string so that different lists of strings append different bytes.
func text(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s))+1)
	return append(b, s...)
}

// key returns the key of a state, and sets its place.
func (w *explorer[T, W]) key(it *item[T]) (k key, err error) {
	s, err := w.engine.read(it.object)
	if err != nil {
		return k, err
	}
	it.place = place{s.Itinerary, placeOf(s)}
	selected := w.engine.selects(it.object)
	ahead := w.future.everything
	if !w.Exact && !(s.Done && w.engine.options.Token != nil) { // another run may follow a done one
		ahead = w.future.from(s, selected)
	}
	keep := func(name string) bool {
		flag, ok := w.flags.Lookup(name)
		return ok && ahead.flags.Has(flag)
	}

	b := make([]byte, 0, 1024)
	o, ok := any(it.object).(keyed)
	b = w.writeState(b, s, it.now, ahead, keep, !ok)
	if ok {
		b = o.writeKey(b, keep)
	} else {
		object, err := copyOf(it.object)
		if err == nil {
			err = w.engine.options.Storage.Write(context.Background(), object, runner.State{})
		}
		for n := 1; n < w.engine.setup.Items && err == nil; n++ { // the times of the other runs are relative, too
			var other runner.State
			object = w.engine.setup.Item(object, n)
			if other, err = w.engine.read(object); err != nil {
				break
			}
			b = w.writeState(b, other, it.now, w.future.everything, func(string) bool { return true }, false)
			err = w.engine.options.Storage.Write(context.Background(), object, runner.State{})
		}
		if err != nil {
			return k, setupError("the object cannot be compared: %v", err)
		}
		rest, err := encode(object)
		if err != nil {
			return k, setupError("the object cannot be compared: %v", err)
		}
		b = text(b, relative(rest, it.now, w.horizon))
	}
	b = text(b, relative(it.world, it.now, w.horizon))
	b = binary.AppendUvarint(b, uint64(it.failures))
	b = binary.AppendUvarint(b, uint64(it.crashes))
	b = binary.AppendUvarint(b, it.edits)
	b = binary.AppendUvarint(b, it.others())
	b = binary.AppendUvarint(b, uint64(it.drifted&ahead.flags))
	if it.partial {
		b = append(b, 1)
	}
	sum := sha256.Sum256(b)
	return key(sum[:16]), nil
}

var timestamp = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]{1,16}"`)

// relative returns a JSON text with times relative to now. Beyond the horizon, age makes no
// difference; otherwise a run that waits forever would reach new states without end.
func relative(text []byte, now time.Time, horizon time.Duration) string {
	return string(timestamp.ReplaceAllFunc(text, func(quoted []byte) []byte {
		t, err := time.Parse(time.RFC3339Nano, string(quoted[1:len(quoted)-1]))
		if err != nil {
			return quoted
		}
		return []byte(max(t.Sub(now), -horizon).String())
	}))
}

// age appends how long ago t was, up to the horizon.
func age(b []byte, t *metav1.Time, now time.Time, horizon time.Duration) []byte {
	if t == nil {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), int64(min(now.Sub(t.Time), horizon)))
}

// maxAttempts is the number of attempts beyond which more make no difference: backoffs have reached
// their maximum by then.
const maxAttempts = 32

// evaluateEvery is how often the runner evaluates unknown flags on which nothing depends yet.
const evaluateEvery = time.Minute

// writeState appends the parts of a state that change what happens next, with times relative to
// now. It omits what only counts or reports, such as the visit number, which grows without end in a
// loop. The time at which the phase was entered counts only if the phase has a deadline, unless an
// embedder's functions may read the times and reasons in the state.
func (w *explorer[T, W]) writeState(b []byte, s runner.State, now time.Time, a ahead, keep func(string) bool, embedders bool) []byte {
	b = text(text(b, s.Itinerary), s.Phase)
	b = text(text(text(b, s.Step), s.Choice), s.Facts.Hash)
	if s.NotBefore != nil {
		b = binary.AppendVarint(append(b, 1), int64(max(s.NotBefore.Sub(now), 0)))
	}
	for _, names := range [][]string{s.Facts.True, s.Facts.False} {
		for _, name := range names {
			if keep(name) {
				b = text(b, name)
			}
		}
		b = append(b, 0)
	}
	if d := w.engine.deadline(s.Itinerary, s.Phase); s.Entered != nil && d > 0 {
		until := now
		if s.PausedSince != nil { // the deadline is held
			until = s.PausedSince.Time
		}
		worked := until.Sub(s.Entered.Time) - time.Duration(s.PausedSeconds)*time.Second
		b = binary.AppendVarint(b, int64(min(worked, d+time.Second))) // past the deadline, age makes no difference
	}
	b = append(b, 0)
	var set byte
	for i, is := range []bool{
		s.WorkDone, s.PhaseFailed(), s.Stopped != nil, s.PausedSince != nil,
		s.WaitingSince != nil, s.FailedPhases > 0, s.Retry != nil, s.Done,
	} {
		if is {
			set |= 1 << i
		}
	}
	b = append(b, set)
	if s.Retry != nil {
		b = text(binary.AppendUvarint(b, uint64(min(s.Retry.Attempts, maxAttempts))), string(s.Retry.Kind))
		b = binary.AppendVarint(text(b, strings.Join(s.Retry.Flags, "\n")), int64(max(s.Retry.Next.Sub(now), 0)))
	}
	b = age(b, s.FlagsEvaluated, now, evaluateEvery)
	b = text(text(b, string(s.Result)), s.SwitchHeld)
	if w.engine.options.Token != nil { // another run may follow
		if s.Token != nil {
			b = text(b, *s.Token)
		}
		b = append(b, 0)
		if s.FailedAt != nil {
			b = text(text(text(b, s.FailedAt.Itinerary), s.FailedAt.Phase), s.FailedAt.Step)
			b = binary.AppendVarint(b, s.FailedAt.Steps)
		}
	}
	for _, f := range s.Failures {
		b = text(text(b, f.Itinerary), f.Phase)
		if embedders {
			b = text(age(b, &f.At, now, w.horizon), strings.Join(f.Reasons, "\n"))
		}
	}
	b = append(b, 0)
	if embedders {
		b = age(age(b, s.Entered, now, w.horizon), s.WaitingSince, now, w.horizon)
		for _, l := range s.Switches {
			b = text(text(text(text(b, l.From), l.Phase), l.To), string(l.Reason))
		}
	}
	b = append(b, 0)
	for i := range s.Pipeline {
		step := &s.Pipeline[i]
		if step.Completed != nil && a.steps != nil && !slices.Contains(a.steps, step.Name) {
			continue
		}
		b = text(text(text(b, step.Name), step.Phase), step.Message)
		flags := byte(1)
		for bit, set := range []bool{step.Started != nil, step.Completed != nil, step.Failed} {
			if set {
				flags |= 2 << bit
			}
		}
		b = append(b, flags)
	}
	return append(b, 0)
}

// ahead holds what can still matter from a state on.
type ahead struct {
	flags   phases.Flags // read by a guard, or tied by a relation to one that is also decided
	decided phases.Flags // by a phase
	steps   []string     // nil means all
}

// future knows what lies ahead of each state of the itineraries.
type future struct {
	set        *machine.Set
	switches   map[string][]string
	everything ahead
	byIndex    map[string][]ahead // by itinerary and first index
}

func newFuture(set *machine.Set, switches map[string][]string) *future {
	f := &future{set: set, switches: switches, everything: ahead{flags: ^phases.Flags(0)}, byIndex: make(map[string][]ahead)}
	for _, name := range set.Names() {
		others := ahead{steps: []string{}}
		for _, g := range f.reachable(name)[1:] {
			others = others.with(g, 0)
		}
		g := f.reachable(name)[0]
		for i := range g.Len() + 1 {
			from := i
			if hasJumps(g) || f.comesBack(name) {
				from = 0
			}
			f.byIndex[name] = append(f.byIndex[name], others.with(g, from).related(g.Vocabulary()))
		}
	}
	return f
}

// reachable returns the itineraries that a run in the given one can reach, beginning with that one.
func (f *future) reachable(name string) (all []*machine.Graph) {
	names := []string{name}
	for i := 0; i < len(names); i++ {
		g, err := f.set.Graph(names[i])
		if err != nil {
			continue // the runner reports the error
		}
		all = append(all, g)
		next := f.switches[names[i]]
		if f.switches == nil {
			next = f.set.Names()
		}
		for _, to := range next {
			if !slices.Contains(names, to) {
				names = append(names, to)
			}
		}
	}
	return all
}

// comesBack reports whether a run that leaves an itinerary can enter it again.
func (f *future) comesBack(name string) bool {
	for _, g := range f.reachable(name)[1:] {
		if f.switches == nil || slices.Contains(f.switches[g.Name()], name) {
			return true
		}
	}
	return false
}

// inPlay returns the flags that a run beginning in an itinerary can read, and those that relations
// tie to the ones among them that phases decide.
func (f *future) inPlay(name string) (flags phases.Flags) {
	all := ahead{}
	for _, g := range f.reachable(name) {
		all = all.with(g, 0).related(g.Vocabulary())
	}
	return all.flags
}

// from returns what lies ahead of a state if the object selects the given itinerary.
func (f *future) from(s runner.State, selected string) ahead {
	if s.Done {
		return ahead{steps: []string{}}
	}
	if f.byIndex[selected] == nil {
		return f.everything
	}
	if s.Itinerary == "" {
		return f.byIndex[selected][0]
	}
	g, err := f.set.Graph(s.Itinerary)
	if err != nil {
		return f.everything
	}
	at := 0
	if s.Phase != "" {
		if at, err = g.Lookup(s.Phase); err != nil {
			return f.everything
		}
	}
	a := f.byIndex[s.Itinerary][at]
	if selected != s.Itinerary { // a switch is due, and may be revoked
		b := f.byIndex[selected][0]
		a.flags |= b.flags
		a.steps = slices.Concat(a.steps, b.steps)
	}
	return a
}

func hasJumps(g *machine.Graph) bool {
	for i := range g.Len() {
		if len(g.Phase(i).Jumps) > 0 {
			return true
		}
	}
	return false
}

// with adds the flags and steps of a graph's phases from an index on.
func (a ahead) with(g *machine.Graph, from int) ahead {
	a.steps = slices.Clone(a.steps)
	for i := from; i < g.Len(); i++ {
		p := g.Phase(i)
		a.flags |= p.Guard.Reads()
		a.decided |= g.Decides(i)
		for _, j := range p.Jumps {
			a.flags |= j.Guard.Reads()
		}
		a.steps = append(a.steps, p.Step)
		for _, s := range p.Steps {
			a.flags |= s.Guard.Reads()
			a.steps = append(a.steps, s.Step)
		}
	}
	slices.Sort(a.steps)
	a.steps = slices.Compact(a.steps)
	return a
}

// related adds the flags that a relation ties to a flag that is both decided and read ahead, since
// they limit its values.
func (a ahead) related(v *phases.Vocabulary) ahead {
	for was := ^a.flags; was != a.flags; {
		was = a.flags
		for _, c := range v.Relations() {
			if a.decided&a.flags&(c.True|c.False) != 0 {
				a.flags |= c.True | c.False
			}
		}
	}
	return a
}
