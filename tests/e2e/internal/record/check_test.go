package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Each check finds its violation, and a correct version has none.
func TestCheck(t *testing.T) {
	rules := Rules{
		Itineraries: machine.MustCompileSet(mtc.Itineraries()...), Forbidden: func(string) []string { return []string{"DataBackup"} },
	}
	at := func(second int64) *metav1.Time { return &metav1.Time{Time: time.Unix(second, 0)} }
	good := func() *Version {
		v := &Version{Known: true}
		v.State.Itinerary, v.State.Phase = mtc.Final, "EnsureInitialBackup"
		v.State.Pipeline = steps.Pipeline{
			{Name: "Prepare", Started: at(1), Completed: at(2)},
			{Name: "Backup", Started: at(2), Phase: "EnsureInitialBackup"},
			{Name: "Restore"},
		}
		return v
	}
	for _, c := range []struct {
		name   string
		change func(before, v *Version)
		want   []string
	}{
		{"all is well", func(_, _ *Version) {}, nil},
		{"a skipped step", func(_, v *Version) { v.State.Pipeline[2].Skipped = true }, []string{"step Restore is skipped"}},
		{"a forbidden step", func(_, v *Version) { v.State.Pipeline[2].Name = "DataBackup" }, []string{"step DataBackup must never be seen"}},
		{"a name twice", func(_, v *Version) { v.State.Pipeline[2].Name = "Backup" }, []string{"step Backup is listed twice"}},
		{"a start that moved", func(_, v *Version) { v.State.Pipeline[1].Started = at(3) }, []string{"the start of step Backup has moved"}},
		{"an end that moved", func(_, v *Version) { v.State.Pipeline[0].Completed = at(3) }, []string{"the end of step Prepare has moved"}},
		{"an end that is gone", func(_, v *Version) { v.State.Pipeline[0].Completed = nil }, []string{"step Prepare is no longer completed, but was not entered again"}},
		{"a step that ran is gone", func(_, v *Version) { v.State.Pipeline = v.State.Pipeline[1:] }, []string{"started steps were [Prepare Backup], and are [Backup]"}},
		{"another order", func(_, v *Version) {
			p := v.State.Pipeline
			p[0], p[1] = p[1], p[0]
		}, []string{"started steps were [Prepare Backup], and are [Backup Prepare]"}},
		{"started behind one that has not", func(_, v *Version) {
			p := v.State.Pipeline
			p[1], p[2] = p[2], p[1]
		}, []string{"step Backup has started, behind Restore, which has not"}},
		{"a failure that is forgotten", func(b, _ *Version) { b.State.Pipeline[0].Failed = true }, []string{"step Prepare is no longer failed"}},
		{"an earlier phase", func(_, v *Version) { v.State.Phase = "Started" }, []string{"phase EnsureInitialBackup was left backwards for Started"}},
		{"an itinerary that is no cleanup", func(_, v *Version) { v.State.Itinerary = mtc.Stage }, []string{"itinerary Final was left for Stage"}},
		{"the state is gone", func(_, v *Version) { v.Known = false }, []string{"the state is gone"}},
		{"done, with a step that is not", func(_, v *Version) { v.State.Done = true },
			[]string{"the migration is done, and step Backup", "the migration is done, and step Restore"}},
		{"no step is open", func(_, v *Version) { v.State.Pipeline[1].Completed = at(3) }, []string{"phase EnsureInitialBackup runs, and no step is open"}},
	} {
		before, v := good(), good()
		c.change(before, v)
		problems := rules.check(before, v)
		if assert.Len(t, problems, len(c.want), "%s: %v", c.name, problems) {
			for i, want := range c.want {
				assert.Contains(t, problems[i], want, c.name)
			}
		}
	}
}
