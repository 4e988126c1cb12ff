package controllertest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
)

// sweeps are the controllers of this module, by the way that they keep a state
// and by how the run ends.
var sweeps = []struct {
	name  string
	setup controllertest.Setup[*Backup]
	kinds []controllertest.Kind
}{
	{"in the status, uploaded", one(true, inStatus, BackupSpec{Volumes: []string{"data"}}), nil},
	{"in the status without a subresource, not uploaded", one(false, inStatus, BackupSpec{Volumes: []string{"data", "logs"}}), unlike},
	{"in an annotation, failed", one(false, inAnnotation, BackupSpec{Volumes: []string{"data"}, Broken: true}), unlike},
	{"by item, failed", list(BackupSpec{Volumes: []string{"data"}, Broken: true}), unlike},
	{"by item, not uploaded", list(BackupSpec{Volumes: []string{"data", "logs"}}), unlike},
}

// unlike are the kinds of faults that a reconciler of this module meets in ways
// of their own: it looks at no error of a server but a conflict.
var unlike = []controllertest.Kind{
	controllertest.InternalError, controllertest.Conflict, controllertest.AnswerLost, controllertest.CrashAfter,
	controllertest.StaleRead, controllertest.CrashStale,
}

func TestSweep(t *testing.T) {
	for _, c := range sweeps {
		t.Run(c.name, func(t *testing.T) {
			c.setup.Kinds, c.setup.Only = c.kinds, *only
			r := controllertest.Sweep(t, c.setup)
			t.Logf("%d requests, %d lives", len(r.Requests), r.Lives)
			assert.Positive(t, r.Lives)
		})
	}
}
