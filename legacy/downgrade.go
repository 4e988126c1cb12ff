package legacy

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Downgrade makes the old form of the present status. The status is JSON: an
// object, null, or nothing at all; the remainder is what [Adapter.Upgrade]
// gave, or nil.
//
// If nothing has happened since the upgrade, the old form is the original:
// byte for byte once that is compacted, as far as phase and pipeline are
// concerned. All else in the status is as it is now.
//
// If the migration has gone on, the steps that have started, their times
// and the phase are the present ones, under the names of before the upgrade.
// What the remainder remembers comes back only if the present does not
// contradict it: a skipped step that is not in the pipeline now; a step not
// started, if it can still start.
//
// The result is not longer than a small multiple of the status and the
// remainder, and time and memory are linear in these, whatever they hold.
//
// Without a remainder steps get the names that upstream has today,
// and the phase Created is empty again; the names of all other phases stay. A
// remainder that is broken, of another version, or of another status is
// ignored, with a [*RemainderError] among the warnings.
//
// No two entries of the result have one name, unless the original had them.
//
// The error is a [*StatusError].
func (a *Adapter) Downgrade(status, remainder []byte) (Downgraded, error) {
	if len(status) == 0 {
		return Downgraded{}, nil
	}
	s, err := parseStatus(status)
	if err != nil {
		return Downgraded{}, err
	}
	var out Downgraded
	then := downgrade(s, nil)
	if len(remainder) > 0 {
		if was, err := a.back(s, remainder); err != nil {
			out.Warnings = append(out.Warnings, err)
		} else {
			then = was
		}
	}
	out.Status = then.text()
	return out, nil
}

// downgrade does what needs no remainder. The phases that have another name in
// the old form than today are in was.
func downgrade(s *status, was map[string]string) *status {
	if s.null() {
		return s
	}
	phase := s.phaseText
	if then := phaseThen(s.phase, was); then != s.phase {
		phase = quote(then)
	}
	entries := make([]*entry, len(s.entries))
	for i, e := range s.entries {
		if then := phaseThen(e.phase, was); then != e.phase {
			e = e.with(change{name: "phase", value: quote(then)})
		}
		entries[i] = renamed(e)
	}
	return s.with(phase, unite(entries))
}

func phaseThen(phase string, was map[string]string) string {
	if then, ok := was[phase]; ok {
		return then
	}
	if phase == mtc.PhaseCreated {
		return ""
	}
	return phase
}

// renamed returns the entry under its old name.
func renamed(e *entry) *entry {
	if then := stepThen(e.name); then != e.name {
		return e.with(change{name: "name", value: quote(then)})
	}
	return e
}

// back makes the old form with a remainder. The error is a [*RemainderError].
func (a *Adapter) back(s *status, raw []byte) (*status, error) {
	r, err := parseRemainder(raw)
	if err != nil {
		return nil, err
	}
	if r.sum == s.sum() {
		return a.restore(s, r)
	}
	return a.carry(s, r)
}

var errForeign = &RemainderError{Problem: "belongs to another status"}

// restore gives the original back, of a status that has not changed.
func (a *Adapter) restore(s *status, r *remainder) (*status, error) {
	if s.null() || r.pipeline && !s.listed {
		return nil, errForeign
	}
	phase, entries := s.phaseText, s.entries
	if r.phaseChanged {
		phase = r.phase
	}
	if r.pipeline {
		entries = nil
		present := byName(s.entries)
		for _, item := range r.items {
			e := item.was
			if e == nil {
				e = present[item.name]
			}
			if e == nil {
				return nil, errForeign
			}
			entries = append(entries, e)
		}
	}
	was := s.with(phase, entries)
	// Whoever made this remainder: nothing that happened gets lost by it.
	again, now := a.upgrade(was), a.upgrade(s)
	if again.phase != now.phase || !sameStarted(again.entries, now.entries) {
		return nil, errForeign
	}
	return was, nil
}

// carry makes the old form of a status that has gone on, with what the
// remainder remembers from before.
func (a *Adapter) carry(s *status, r *remainder) (*status, error) {
	then := a.phaseNames(r.itinerary, r.phaseWas)
	then.created = then.created && r.phaseChanged
	was := make(map[string]string)
	if r.phaseChanged && r.itinerary == s.itinerary {
		was[then.now(r.phaseWas)] = r.phaseWas
	}
	out := downgrade(s, was)
	if r.phaseChanged && r.phase == nil && out.phase == "" {
		out = out.with(nil, out.entries) // as it was: without one
	}
	c := carrying{
		Adapter: a, now: s, entries: out.entries, itemNames: make([]string, len(r.items)),
		namesThen: then, namesNow: a.phaseNames(s.itinerary, s.phase),
		// A step not started can start only while the itinerary is the same
		// and not done.
		ahead: r.itinerary == s.itinerary && s.phase != mtc.PhaseCompleted,
	}
	if err := c.fit(r.items); err != nil {
		return nil, err
	}
	return out.with(out.phaseText, c.united(r.items)), nil
}

// carrying is the pipeline of one carry.
type carrying struct {
	*Adapter
	now                 *status
	entries             []*entry // in the old form, under unique names
	itemNames           []string // of the remembered entries, in the old form
	namesThen, namesNow phaseNames
	ahead               bool
}

// fit checks that the steps which had started are still there, as they must
// be, and gives those that have not changed since their former text.
func (c *carrying) fit(items []item) error {
	were := make(map[string][]*entry)
	named := make(map[string]bool) // an entry of the step was as upgrading left it
	for i, item := range items {
		name := stepThen(item.name)
		c.itemNames[i] = name
		if item.was == nil {
			named[name] = true
		} else if item.was.ran() || !item.was.skipped {
			were[name] = append(were[name], item.was)
		}
	}
	index := make(map[string]int, len(c.entries))
	for i, e := range c.entries {
		index[e.name] = i
	}
	current := make(map[string][]*entry, len(c.now.entries)) // all that the present status has of a step
	for _, e := range c.now.entries {
		e = c.upgradeEntry(e, c.namesNow)
		current[e.name] = append(current[e.name], e)
	}
	for name, group := range were {
		at, there := index[name]
		ran := started(group)
		fits := there && (named[name] || slices.ContainsFunc(ran, func(e *entry) bool { return simultaneous(e.started, c.entries[at].started) }))
		if len(ran) > 0 && !fits {
			return errForeign
		}
		if there && len(group) == 1 && !named[name] {
			if up := c.upgradeEntry(group[0], c.namesThen); unchanged(up, current[up.name]) {
				c.entries[at] = renamed(group[0])
			}
		}
	}
	return nil
}

// unchanged reports whether all that the present status has of a step is just as
// upgrading made it.
func unchanged(up *entry, now []*entry) bool {
	return !slices.ContainsFunc(now, func(e *entry) bool { return !e.same(up) })
}

// link is an entry of the pipeline that is being put together. What is brought
// back stands in the gap behind a present entry.
type link struct {
	entry *entry
	gap   int // counts the present entries up to this one
	next  *link
}

// united are the present entries and those remembered that do not contradict
// them, each behind the one that was before it. No remembered one has started:
// see fit.
func (c *carrying) united(items []item) []*entry {
	front := new(link)
	at, lastRan := front, front
	links := make(map[string]*link, len(c.entries))
	for i, e := range c.entries {
		at.next = &link{entry: e, gap: i + 1}
		at = at.next
		links[e.name] = at
		if e.ran() {
			lastRan = at
		}
	}
	passed := 0 // of the remembered entries, those before the last that has started
	for i, name := range c.itemNames {
		if l := links[name]; l != nil && l.entry.ran() {
			passed = i
		}
	}
	at = front
	total := len(c.entries)
	for i, item := range items {
		name := c.itemNames[i]
		if l := links[name]; l != nil {
			at = l
			continue
		}
		if item.was == nil {
			continue
		}
		if !item.was.skipped {
			if !c.ahead || i < passed {
				continue
			}
			if at.gap < lastRan.gap {
				at = lastRan
			}
		}
		at.next = &link{entry: renamed(item.was), gap: at.gap, next: at.next}
		at = at.next
		links[name] = at
		total++
	}
	entries := make([]*entry, 0, total)
	for l := front.next; l != nil; l = l.next {
		entries = append(entries, l.entry)
	}
	return entries
}
