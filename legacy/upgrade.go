package legacy

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// skippedMessage is what upstream writes into the steps that it skips.
const skippedMessage = "Skipped"

// Upgrade makes the current form of a status. The status is JSON: an object,
// null, or nothing at all.
//
// Steps and phases get the names of today. An empty or absent phase becomes
// Created where an itinerary is recorded, since upstream does not write an
// empty one; without either, the migration has not begun and has no phase yet.
// A phase that the recorded itinerary does not have stays as it is. Skipped
// steps that did not start are dropped; one that started after all, as the
// Cleanup of a cancelled migration, reads Completed or Failed. Two entries for
// one step, written by two releases, become one. Started steps keep their
// order, and those that have not started follow them.
//
// With now, the steps not started become those that are still to come: from
// the recorded phase on, or, where now selects another itinerary than the
// recorded one, from the start of that. As for [machine.Set.Resume], a phase
// recorded without an itinerary is one of the selected itinerary; it may have
// a former name there, and keeps it in the status. A status without a
// pipeline, or of a migration that has not begun, gets none. A phase to plan
// from that the selected itinerary does not have leaves the steps as they are,
// with a [*NotPlannedError] among the warnings. Without now they stay as well.
//
// A status in the current form comes back as it is, without a remainder.
//
// The error is a [*StatusError], or a [*phases.UnknownItineraryError] where
// now names an itinerary that the adapter does not have.
func (a *Adapter) Upgrade(status []byte, now *Selected) (Upgraded, error) {
	return a.UpgradeAgain(status, nil, now)
}

// UpgradeAgain is [Adapter.Upgrade] for a status that was upgraded before, and
// has a remainder of that: one that another controller wrote to meanwhile, or
// one whose steps are to be planned anew. The new remainder leads back to
// where the old one did. An old one that does not fit is ignored, with a
// [*RemainderError] among the warnings.
func (a *Adapter) UpgradeAgain(status, remainder []byte, now *Selected) (Upgraded, error) {
	if len(status) == 0 {
		return Upgraded{}, nil
	}
	s, err := parseStatus(status)
	if err != nil {
		return Upgraded{}, err
	}
	origin := s
	var out Upgraded
	if len(remainder) > 0 {
		if then, err := a.back(s, remainder); err != nil {
			out.Warnings = append(out.Warnings, err)
		} else {
			origin = then
		}
	}
	up := a.upgrade(s)
	if now != nil {
		planned, warning, err := a.plan(up, *now)
		if err != nil {
			return Upgraded{}, err
		}
		if warning != nil {
			out.Warnings = append(out.Warnings, warning)
		}
		up = planned
	}
	out.Status = up.text()
	if string(out.Status) != string(s.text()) {
		out.Remainder = remember(origin, up)
	}
	return out, nil
}

// upgrade does all that does not need to know what is selected now.
func (a *Adapter) upgrade(s *status) *status {
	if s.object == nil {
		return s
	}
	names := a.phaseNames(s.itinerary, s.phase)
	phase := s.value("phase")
	if now := names.now(s.phase); now != s.phase {
		phase = quote(now)
	}
	var entries []*entry
	for _, e := range s.entries {
		if e.ran() || !e.skipped {
			entries = append(entries, a.upgradeEntry(e, names))
		}
	}
	entries = unite(entries)
	slices.SortStableFunc(entries, func(a, b *entry) int { return rank(a) - rank(b) })
	return s.make(phase, entries)
}

// rank sorts steps that have started before those that have not.
func rank(e *entry) int {
	if e.ran() {
		return 0
	}
	return 1
}

// phaseNames knows the phases of one status by the names of today.
type phaseNames struct {
	graph *machine.Graph // of the recorded itinerary; nil where nobody has it
	// created says that the status is in the phase Created and does not say so.
	created bool
}

func (a *Adapter) phaseNames(itinerary, phase string) phaseNames {
	g, err := a.itineraries.Graph(itinerary)
	if err != nil {
		return phaseNames{}
	}
	_, err = g.Find(mtc.Created)
	return phaseNames{graph: g, created: phase == "" && err == nil}
}

// now is the name of today of the status's phase, or of a step's. It is the
// name given where the itinerary does not have it.
func (n phaseNames) now(phase string) string {
	switch {
	case phase == "" && n.created:
		return mtc.Created
	case phase == "" || n.graph == nil:
		return phase
	}
	if i, err := n.graph.Find(phase); err == nil {
		return n.graph.Phase(i).Name
	}
	return phase
}

// upgradeEntry makes the current form of an entry that is not dropped.
func (a *Adapter) upgradeEntry(e *entry, names phaseNames) *entry {
	if now := a.stepNow(e.name); now != e.name {
		e = e.set("name", now)
	}
	// Most entries have no phase. Only of an open one that has an empty phase
	// is that Created: this is how Downgrade writes it.
	if e.phase != "" || e.open() && e.value("phase") != nil {
		if now := names.now(e.phase); now != e.phase {
			e = e.set("phase", now)
		}
	}
	if e.value("skipped") == nil {
		return e
	}
	if e.skipped && e.message == skippedMessage {
		e = e.set("message", names.message(e))
	}
	return made(e.without("skipped"))
}

// message is what people read in a step that reads Skipped, but has started.
func (n phaseNames) message(e *entry) string {
	switch {
	case !e.open() && e.failed:
		return steps.MessageFailed
	case !e.open():
		return steps.MessageCompleted
	case e.phase == "":
		return steps.MessageContinues
	}
	if n.graph != nil {
		if i, err := n.graph.Find(e.phase); err == nil && n.graph.Phase(i).Description != "" {
			return n.graph.Phase(i).Description
		}
	}
	return e.phase
}

// plan lists the steps that are still to come behind those that have started.
func (a *Adapter) plan(s *status, now Selected) (planned *status, warning, err error) {
	g, err := a.itineraries.Graph(now.Itinerary)
	if err != nil {
		return nil, nil, err
	}
	begun := s.phase != "" || s.itinerary != ""
	if !s.listed || !begun {
		return s, nil, nil
	}
	entries := started(s.entries)
	if s.phase != mtc.Completed { // else it is done, and never switches
		var p machine.Position
		if s.itinerary == now.Itinerary || s.itinerary == "" {
			p.Phase = s.phase
		}
		plan, err := g.PlanFrom(p, now.Facts)
		if err != nil {
			return s, &NotPlannedError{Err: err}, nil
		}
		listed := byName(s.entries)
		for _, name := range a.ahead(plan, listed) {
			switch e := listed[name]; {
			case e == nil:
				o := object{}.with("name", quote(name)).with("message", quote(steps.MessageNotStarted))
				entries = append(entries, made(o))
			case !e.ran():
				entries = append(entries, e)
			}
		}
	}
	return s.make(s.value("phase"), entries), nil, nil
}

// ahead are the steps that a plan shows, by the rules of [steps.Sync]: where
// it is unknown whether one will run, it stays if it was listed.
func (a *Adapter) ahead(plan *machine.Plan, listed map[string]*entry) []string {
	g := plan.Graph()
	var names []string
	for i := range plan.Each {
		name := a.stepNow(g.Phase(i).Step)
		switch runs := plan.Runs(i); {
		case g.Rides(i) || runs == phases.No || slices.Contains(names, name):
		case runs == phases.Unknown && !g.IsCleanup() && listed[name] == nil:
		default:
			names = append(names, name)
		}
	}
	return names
}
