package legacy

import (
	"bytes"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// skippedMessage is the message that upstream writes to the steps that it skips.
const skippedMessage = "Skipped"

// Upgrade returns the current form of a status. The status is a JSON object,
// null or empty.
//
//   - Steps and phases get their present names. A phase that the recorded
//     itinerary does not have stays as it is.
//   - An empty or absent phase becomes Created if an itinerary is recorded, since
//     upstream omits an empty phase. If neither is there, the migration has not
//     begun and gets no phase.
//   - The recorded itinerary is the member itinerary or, if that is absent or
//     empty, itenerary, as MTC 1.2 spelled it. Neither is changed.
//   - Skipped steps that did not start are dropped. Started steps keep their
//     order, and steps not started follow them.
//   - The message of a completed step becomes Failed if the step failed. Otherwise
//     Canceled stays, and any other message becomes Completed. The step has no
//     phase and keeps its progress.
//   - Several entries for one step, written by two releases or by a user, are
//     merged.
//
// If now is not nil, the steps not started are replaced by the remaining steps:
// those from the recorded phase on or, if now selects another itinerary than the
// recorded one, all of that itinerary. A status without a pipeline, or of a
// migration that has not begun, gets none. As in [machine.Set.Resume], a phase
// recorded without an itinerary belongs to the selected itinerary; it may be a
// former name, which the status keeps. If the selected itinerary does not have
// the phase, the steps not started are kept, with a [*NotPlannedError] among the
// warnings. If now is nil, they are also kept.
//
// A status in the current form is returned unchanged, without a remainder.
//
// Time, memory and the length of the result are linear in the size of the status,
// for any input.
//
// The error is a [*StatusError], or a [*phases.UnknownItineraryError] if now
// names an itinerary that the adapter does not have.
func (a *Adapter) Upgrade(status []byte, now *Selected) (Upgraded, error) {
	return a.UpgradeAgain(status, nil, now)
}

// UpgradeAgain is [Adapter.Upgrade] for a status that was upgraded before and
// has the remainder of that upgrade. Use it if an old controller wrote to the
// status in the meantime, or if the steps must be replanned. The new remainder
// leads back to the same original as the old one. An old remainder that does not
// fit is ignored, with a [*RemainderError] among the warnings.
func (a *Adapter) UpgradeAgain(status, remainder []byte, now *Selected) (Upgraded, error) {
	if len(status) == 0 {
		return Upgraded{}, nil
	}
	s, err := parseStatus(status)
	if err != nil {
		return Upgraded{}, err
	}
	present, origin := a.adapting(s), s
	var out Upgraded
	if len(remainder) > 0 {
		if then, err := present.back(remainder); err != nil {
			out.Warnings = append(out.Warnings, err)
		} else {
			origin = then
		}
	}
	up := present.upgrade()
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
	if !bytes.Equal(out.Status, s.raw) {
		out.Remainder = remember(origin, up)
	}
	return out, nil
}

// adapting is a status in conversion, in either direction. Upgrade and downgrade
// share forms, which upgrades each entry at most once.
type adapting struct {
	*Adapter
	*status
	names phaseNames
	forms []*entry // the current form of each entry; nil until needed
}

func (a *Adapter) adapting(s *status) *adapting {
	return &adapting{a, s, a.phaseNames(s.itinerary, s.phase), make([]*entry, len(s.entries))}
}

// form returns the current form of an entry.
func (s *adapting) form(i int) *entry {
	if s.forms[i] == nil {
		s.forms[i] = s.upgradeEntry(s.entries[i], s.names)
	}
	return s.forms[i]
}

// started returns the current form of the entries that have started.
func (s *adapting) started() []*entry {
	ran := make([]*entry, 0, len(s.entries))
	for i, e := range s.entries {
		if e.ran() {
			ran = append(ran, s.form(i))
		}
	}
	return ran
}

// upgrade makes all changes that do not depend on the selection.
func (s *adapting) upgrade() *status {
	if s.null() {
		return s.status
	}
	phase := s.phaseText
	if now := s.names.now(s.phase); now != s.phase {
		phase = rawjson.Quote(now)
	}
	entries := s.started()
	for i, e := range s.entries {
		if !e.ran() && !e.skipped {
			entries = append(entries, s.form(i))
		}
	}
	return s.with(phase, unite(entries))
}

// phaseNames maps the phase names of one status to the present ones.
type phaseNames struct {
	phases map[string]*phases.Phase // of the recorded itinerary; nil if the adapter does not have it
	// created means that the status is in the phase Created without naming it.
	created bool
}

func (a *Adapter) phaseNames(itinerary, phase string) phaseNames {
	known := a.phases[itinerary]
	return phaseNames{phases: known, created: phase == "" && known[mtc.PhaseCreated] != nil}
}

// now returns the present name of a phase of the status or of a step. If the
// itinerary does not have the phase, it returns the name as given.
func (n phaseNames) now(phase string) string {
	if phase == "" {
		if n.created {
			return mtc.PhaseCreated
		}
		return ""
	}
	if p := n.phases[phase]; p != nil {
		return p.Name
	}
	return phase
}

// upgradeEntry returns the current form of an entry, even of one that the caller
// drops.
func (a *Adapter) upgradeEntry(e *entry, names phaseNames) *entry {
	name, phase, message := a.stepNow(e.name), e.phase, e.message
	// An absent phase stays absent. An empty one means Created, but only in an
	// open entry: Downgrade writes it so.
	if phase != "" || e.open() && e.members.Index("phase") >= 0 {
		phase = names.now(phase)
	}
	switch {
	case e.completed != "":
		phase, message = "", e.ended()
	case e.ran() && e.skipped && message == skippedMessage:
		message = names.message(phase)
	}
	marked := e.members.Index("skipped") >= 0
	if name == e.name && phase == e.phase && message == e.message && !marked {
		return e
	}
	e = e.clone()
	e.set("name", &e.name, name)
	if phase != "" {
		e.set("phase", &e.phase, phase)
	} else if e.phase != "" {
		e.phase = ""
		e.members.Remove("phase")
	}
	e.set("message", &e.message, message, "progress", "failed", "skipped")
	e.skipped = false
	e.members.Remove("skipped")
	return e
}

// message returns the message of an open step that replaces Skipped.
func (n phaseNames) message(phase string) string {
	if phase == "" {
		return steps.MessageContinues
	}
	if p := n.phases[phase]; p != nil && p.Description != "" {
		return p.Description
	}
	return phase
}

// plan returns the status with the started steps, followed by the remaining
// steps of the selected itinerary. The warning is a [*NotPlannedError].
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
	if s.phase != mtc.PhaseCompleted { // a done migration never switches
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
				entries = append(entries, notStarted(name))
			case !e.ran():
				entries = append(entries, e)
			}
		}
	}
	return s.with(s.phaseText, entries), nil, nil
}

// notStarted returns the entry of a remaining step.
func notStarted(name string) *entry {
	e := new(entry)
	e.set("name", &e.name, name)
	e.set("message", &e.message, steps.MessageNotStarted)
	return e
}

// ahead returns the steps that a plan shows, by the rules of [steps.Sync]: a step
// that may run or not stays if it was listed.
func (a *Adapter) ahead(plan *machine.Plan, listed map[string]*entry) []string {
	g := plan.Graph()
	var names []string
	shown := make(map[string]bool)
	for i := range plan.Each {
		runs := plan.Runs(i)
		if g.Rides(i) || runs == phases.False {
			continue
		}
		for k, under := range plan.Under(i) {
			name := a.stepNow(g.Steps()[k])
			known := runs == phases.True && under == phases.True
			if !shown[name] && (known || g.IsCleanup() && !g.IsEnd(i) || listed[name] != nil) {
				names = append(names, name)
				shown[name] = true
			}
		}
	}
	return names
}
