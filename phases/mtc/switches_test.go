package mtc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Each switch is one that Select makes: the migration is on From and, once the
// condition of the switch is met, on To.
func TestSwitchesAreThoseOfSelect(t *testing.T) {
	begun := map[string]mtc.Migration{mtc.Final: {}}
	for name, set := range map[string]func(*mtc.Migration){
		mtc.Stage:    func(m *mtc.Migration) { m.Spec.Stage = true },
		mtc.Rollback: func(m *mtc.Migration) { m.Spec.Rollback = true },
	} {
		var m mtc.Migration
		set(&m)
		begun[name] = m
	}
	happens := map[string]func(*mtc.Migration){
		"a phase failed": func(m *mtc.Migration) { m.Status.Errors = []string{"it went wrong"} },
		"it is canceled": func(m *mtc.Migration) { m.Spec.Canceled = true },
	}
	for _, s := range mtc.Switches() {
		t.Run(s.From+" to "+s.To, func(t *testing.T) {
			m := begun[s.From]
			before := mtc.Select(&m)
			happens[s.When](&m)
			if diff := cmp.Diff([]string{s.From, s.To}, []string{before, mtc.Select(&m)}); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
