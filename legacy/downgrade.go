package legacy

import (
	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
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
	if len(remainder) == 0 {
		return Downgraded{Status: downgrade(s, nil).text()}, nil
	}
	then, err := a.adapting(s).back(remainder)
	if err != nil {
		return Downgraded{Status: downgrade(s, nil).text(), Warnings: []error{err}}, nil
	}
	return Downgraded{Status: then.text()}, nil
}

// downgrade does what needs no remainder. The phases that have another name in
// the old form than today are in was.
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
