package legacy

import (
	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Downgrade returns the old form of the present status. The status is a JSON
// object, null or empty; the remainder is the one that [Adapter.Upgrade]
// returned, or nil.
//
// If the status has not changed since the upgrade, its phase and pipeline become
// the original ones, byte for byte once those are compacted. All other members
// stay as they are.
//
// If the migration has progressed, the started steps, their times and the phase
// are the present ones, under their names before the upgrade. The remainder adds
// only what does not contradict the present: skipped steps that are not in the
// pipeline now, and steps not started that can still start.
//
// The result is at most a small multiple of the status and the remainder in
// length. Time and memory are linear in both, for any input.
//
// Without a remainder, steps get upstream's present names and the phase Created
// becomes empty; the names of all other phases stay. A remainder that is broken,
// of another version or of another status is ignored, with a [*RemainderError]
// among the warnings.
//
// Names are unique in the resulting pipeline unless the original repeated them.
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
	if len(remainder) == 0 {
		return Downgraded{Status: downgrade(s, nil).text()}, nil
	}
	then, err := a.adapting(s).back(remainder)
	if err != nil {
		return Downgraded{Status: downgrade(s, nil).text(), Warnings: []error{err}}, nil
	}
	return Downgraded{Status: then.text()}, nil
}

// downgrade makes the changes that need no remainder. The map was holds the old
// names of phases by their present ones.
func downgrade(s *status, was map[string]string) *status {
	if s.null() {
		return s
	}
	phase := s.phaseText
	if then := phaseThen(s.phase, was); then != s.phase {
		phase = rawjson.Quote(then)
	}
	entries := make([]*entry, len(s.entries))
	for i, e := range s.entries {
		if then := phaseThen(e.phase, was); then != e.phase {
			e = e.clone()
			e.set("phase", &e.phase, then)
		}
		entries[i] = e.renamed(stepThen(e.name))
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
