package legacy

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Downgrade makes the old form of the present status. The status is JSON: an
// object, null, or nothing at all; the remainder is what [Adapter.Upgrade]
// gave, or nil.
//
// Where nothing has happened since the upgrade, the old form is the original:
// byte for byte once that is compacted, as far as phase and pipeline are
// concerned. All else in the status is as it is now.
//
// Where the migration has gone on, the steps that have started, their times
// and the phase are the present ones, under the names of before the upgrade.
// What the remainder remembers comes back only where the present does not
// contradict it: a skipped step that is not in the pipeline now; a step not
// started, if it can still start.
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
	if s.object == nil {
		return s
	}
	phase := s.value("phase")
	if then := phaseThen(s.phase, was); then != s.phase {
		phase = quote(then)
	}
	entries := make([]*entry, len(s.entries))
	for i, e := range s.entries {
		if then := phaseThen(e.phase, was); then != e.phase {
			e = e.set("phase", then)
		}
		entries[i] = renamed(e)
	}
	return s.make(phase, unite(entries))
}

func phaseThen(phase string, was map[string]string) string {
	if then, ok := was[phase]; ok {
		return then
	}
	if phase == mtc.Created {
		return ""
	}
	return phase
}

// renamed returns the entry under its old name.
func renamed(e *entry) *entry {
	if then := stepThen(e.name); then != e.name {
		return e.set("name", then)
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
	phase, entries := s.value("phase"), s.entries
	if r.phaseChanged {
		phase = r.phase
	}
	if r.pipeline {
		entries = nil
		for _, item := range r.items {
			e := item.was
			if e == nil {
				e = find(s.entries, item.name)
			}
			if e == nil {
				return nil, errForeign
			}
			entries = append(entries, e)
		}
	}
	if s.object == nil || r.pipeline && !s.listed {
		return nil, errForeign
	}
	was := s.make(phase, entries)
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
	then := a.phaseNames(r.itinerary, r.phaseWas())
	then.created = then.created && r.phaseChanged
	was := make(map[string]string)
	if r.phaseChanged && r.itinerary == s.itinerary {
		was[then.now(r.phaseWas())] = r.phaseWas()
	}
	out := downgrade(s, was)
	if r.phaseChanged && r.phase == nil && out.phase == "" {
		out = out.make(nil, out.entries) // as it was: without one
	}
	c := carrying{
		Adapter: a, now: s, entries: out.entries, itemNames: make([]string, len(r.items)),
		namesThen: then, namesNow: a.phaseNames(s.itinerary, s.phase),
		// A step not started can start only while the itinerary is the same
		// and not done.
		ahead: r.itinerary == s.itinerary && s.phase != mtc.Completed,
	}
	if err := c.fit(r.items); err != nil {
		return nil, err
	}
	for i := range r.items {
		c.carry(r.items, i)
	}
	return out.make(out.value("phase"), c.entries), nil
}

// carrying is the pipeline of one carry.
type carrying struct {
	*Adapter
	now                 *status
	entries             []*entry // in the old form, under unique names
	itemNames           []string // of the remembered entries, in the old form
	namesThen, namesNow phaseNames
	ahead               bool
	at                  int // where the next remembered entry goes
}

// fit checks that the steps which had started are still there, as they must
// be, and gives those that have not changed since their former text.
func (c *carrying) fit(items []item) error {
	were := make(map[string][]*entry)
	for i, item := range items {
		name := stepThen(item.name)
		c.itemNames[i] = name
		if item.was != nil && (item.was.ran() || !item.was.skipped) {
			were[name] = append(were[name], item.was)
		}
	}
	for name, group := range were {
		at := index(c.entries, name)
		ran := started(group)
		if len(ran) > 0 && (at < 0 || !slices.ContainsFunc(ran, func(e *entry) bool { return simultaneous(e.started, c.entries[at].started) })) {
			return errForeign
		}
		if at >= 0 && len(group) == 1 && c.unchanged(group[0]) {
			c.entries[at] = renamed(group[0])
		}
	}
	return nil
}

// unchanged says whether all that the present status has of a step is just as
// upgrading made it.
func (c *carrying) unchanged(was *entry) bool {
	up := c.upgradeEntry(was, c.namesThen)
	return !slices.ContainsFunc(c.now.entries, func(e *entry) bool {
		now := c.upgradeEntry(e, c.namesNow)
		return now.name == up.name && !same(now.raw, up.raw)
	})
}

// carry brings a remembered entry back, where it does not contradict the
// present: behind the one that was before it.
func (c *carrying) carry(items []item, i int) {
	if at := index(c.entries, c.itemNames[i]); at >= 0 {
		c.at = at + 1
		return
	}
	e := items[i].was
	if e == nil {
		return
	}
	if !e.skipped {
		if !c.ahead || c.passed(i) {
			return
		}
		for at := range c.entries {
			if c.entries[at].ran() {
				c.at = max(c.at, at+1)
			}
		}
	}
	c.entries = slices.Insert(c.entries, c.at, renamed(e))
	c.at++
}

// passed says whether a step has started that was listed behind entry i.
func (c *carrying) passed(i int) bool {
	for _, name := range c.itemNames[i+1:] {
		if e := find(c.entries, name); e != nil && e.ran() {
			return true
		}
	}
	return false
}
