package legacy

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var errForeign = &RemainderError{Problem: "belongs to another status"}

// back returns the old form, using a remainder. The error is a [*RemainderError].
func (s *adapting) back(raw []byte) (*status, error) {
	r, err := parseRemainder(raw)
	if err != nil {
		return nil, err
	}
	if r.sum == s.sum() {
		return s.restore(r)
	}
	return s.carry(r)
}

// restore returns the original of a status that has not changed since the upgrade.
func (s *adapting) restore(r *remainder) (*status, error) {
	if s.null() || r.pipeline && !s.listed {
		return nil, errForeign
	}
	phase, entries := s.phaseText, s.entries
	if r.phaseChanged {
		phase = r.phase
	}
	if r.pipeline {
		entries = make([]*entry, 0, len(r.items))
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
	// Users can edit the remainder. Whatever it holds, the phase and the started
	// steps must survive, so upgrade those again and compare.
	again := s.adapting(was)
	samePhase := again.names.now(was.phase) == s.names.now(s.phase)
	if !samePhase || !slices.EqualFunc(unite(again.started()), unite(s.started()), (*entry).same) {
		return nil, errForeign
	}
	return was, nil
}

// carry returns the old form of a status that has changed since the upgrade,
// completed by the entries of the remainder.
func (s *adapting) carry(r *remainder) (*status, error) {
	then := s.phaseNames(r.itinerary, r.phaseWas)
	then.created = then.created && r.phaseChanged
	was := make(map[string]string)
	if r.phaseChanged && r.itinerary == s.itinerary {
		was[then.now(r.phaseWas)] = r.phaseWas
	}
	out := downgrade(s.status, was)
	phase := out.phaseText
	if r.phaseChanged && r.phase == nil && out.phase == "" {
		phase = nil // the original had none
	}
	if err := s.fit(out.entries, r.items, then); err != nil {
		return nil, err
	}
	// A step not started can still start only if the itinerary is the same and
	// the migration is not done.
	open := r.itinerary == s.itinerary && s.phase != mtc.PhaseCompleted
	return out.with(phase, united(out.entries, r.items, open)), nil
}

// fit checks that the steps that had started are still present, and restores the
// original text of those that have not changed. The present entries are in the
// old form and have unique names; then are the phase names at the upgrade.
func (s *adapting) fit(present []*entry, items []item, then phaseNames) error {
	were := make(map[string][]*entry)
	named := make(map[string]bool) // steps with an entry that the upgrade left as it was
	for _, item := range items {
		if name := stepThen(item.name); item.was == nil {
			named[name] = true
		} else if item.was.ran() || !item.was.skipped {
			were[name] = append(were[name], item.was)
		}
	}
	index := make(map[string]int, len(present))
	for i, e := range present {
		index[e.name] = i
	}
	current := make(map[string][]*entry, len(s.entries)) // the present entries of each step
	for i := range s.entries {
		e := s.form(i)
		current[e.name] = append(current[e.name], e)
	}
	for name, group := range were {
		at, there := index[name]
		ran := started(group)
		fits := there && (named[name] || slices.ContainsFunc(ran, func(e *entry) bool {
			return simultaneous(e.started, present[at].started)
		}))
		if len(ran) > 0 && !fits {
			return errForeign
		}
		if there && len(group) == 1 && !named[name] {
			up := s.upgradeEntry(group[0], then)
			if !slices.ContainsFunc(current[up.name], func(e *entry) bool { return !e.same(up) }) {
				present[at] = group[0].renamed(name)
			}
		}
	}
	return nil
}

// united returns the present entries and the items that do not contradict them,
// each behind its former predecessor. No item that it adds has started; see fit.
// If open, steps not started can still start.
func united(present []*entry, items []item, open bool) []*entry {
	// A restored entry goes into a gap: gap 0 precedes all present entries, gap
	// i+1 follows entry i.
	gaps := make(map[string]int, len(present))
	lastRan := 0
	for i, e := range present {
		gaps[e.name] = i + 1
		if e.ran() {
			lastRan = i + 1
		}
	}
	passed := 0 // index of the last item whose step has started
	for i, item := range items {
		if gap, there := gaps[stepThen(item.name)]; there && present[gap-1].ran() {
			passed = i
		}
	}
	back := make([][]*entry, len(present)+1)
	total, gap := len(present), 0
	for i, item := range items {
		name := stepThen(item.name)
		if at, there := gaps[name]; there {
			gap = at
			continue
		}
		if item.was == nil || !item.was.skipped && (!open || i < passed) {
			continue
		}
		if !item.was.skipped {
			gap = max(gap, lastRan)
		}
		back[gap] = append(back[gap], item.was.renamed(name))
		gaps[name] = gap
		total++
	}
	entries := append(make([]*entry, 0, total), back[0]...)
	for i, e := range present {
		entries = append(append(entries, e), back[i+1]...)
	}
	return entries
}
