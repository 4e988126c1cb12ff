package controllertest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// sweeps are the controllers of this module, by storage and by result.
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

// unlike are the kinds of faults that a reconciler of this module handles differently:
// of the server's errors it checks only for a conflict.
var unlike = []controllertest.Kind{
	controllertest.InternalError, controllertest.Conflict, controllertest.AnswerLost, controllertest.CrashAfter,
	controllertest.StaleRead, controllertest.CrashStale,
}

func TestSweep(t *testing.T) {
	for _, c := range sweeps {
		t.Run(c.name, func(t *testing.T) {
			c.setup.Kinds, c.setup.Only = c.kinds, *only
			if testscale.Reduced && *only == "" {
				c.setup.Kinds = []controllertest.Kind{controllertest.Conflict, controllertest.CrashStale}
			}
			r := controllertest.Sweep(t, c.setup)
			t.Logf("%d requests, %d lives", len(r.Requests), r.Lives)
			assert.Positive(t, r.Lives)
		})
	}
}

// recorder records what a sweep reports.
type recorder struct{ errors []string }

func (*recorder) Helper()             {}
func (*recorder) Logf(string, ...any) {}
func (*recorder) FailNow()            {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// broken returns a sweep over a controller with changed options.
func broken(change func(c client.Client, o *runner.Options[*Backup])) controllertest.Setup[*Backup] {
	s := one(true, inStatus, BackupSpec{Volumes: []string{"data"}})
	s.New = func(env controllertest.Env) (reconcile.Reconciler, error) {
		o := runnerOptions(env.Client, inStatus)
		change(env.Client, &o)
		return controller.New(controller.Options[*Backup]{
			Client: env.Client, Reader: env.Reader, New: func() *Backup { return &Backup{} }, StatusSubresource: true,
			Conditions: controller.NewConditions(conditionsOf), Runner: controllertest.Bind(env, o),
		})
	}
	return s
}

// A mistake that a sweep finds is named, and found again when its life is played alone.
func TestSweepFindsMistakesOfEmbedders(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c client.Client, o *runner.Options[*Backup])
		only   string
		finds  []string
	}{
		{"a handler that is not idempotent", func(c client.Client, o *runner.Options[*Backup]) {
			made := 0
			work := o.Handler
			o.Handler = runner.VisitFunc[*Backup](func(ctx context.Context, b *Backup, v runner.Visit) (runner.Result, error) {
				if v.Phase != "Report" {
					return work.Handle(ctx, b, v)
				}
				made++
				report := configMap(fmt.Sprintf("report-%s-%d", b.ResourceVersion, made))
				return runner.Done(), c.Create(ctx, report)
			})
		}, "18 answer-lost", []string{
			`answer-lost at request 18, create ConfigMap apps/report-`, `(alone: Only: "18 answer-lost")`,
			"what is outside of the object ends differently",
		}},
		{"a failure that only memory knows", func(_ client.Client, o *runner.Options[*Backup]) {
			calls := 0
			o.Handler = runner.VisitFunc[*Backup](func(context.Context, *Backup, runner.Visit) (runner.Result, error) {
				if calls++; calls == 3 {
					return runner.Fail("the third call"), nil
				}
				return runner.Done(), nil
			})
		}, "4 crash-after", []string{"the object ends differently", "work is not done: CleanUp/DeleteSnapshots"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := broken(c.change)
			s.Only = c.only
			var r recorder
			report := controllertest.Sweep(&r, s)
			require.Len(t, report.Failures, 1)
			require.Len(t, r.errors, 1)
			for _, text := range c.finds {
				assert.Contains(t, r.errors[0], text)
			}
			assert.Equal(t, c.only, report.Failures[0].Only())
		})
	}
}

func TestSweepRefusesSetups(t *testing.T) {
	whole := one(true, inStatus, BackupSpec{})
	for _, c := range []struct {
		name   string
		change func(s *controllertest.Setup[*Backup])
		want   string
	}{
		{"no server", func(s *controllertest.Setup[*Backup]) { s.Begin = nil }, "Setup.Begin is missing"},
		{"a life that there is not", func(s *controllertest.Setup[*Backup]) { s.Only = "99 slow" },
			`Only is "99 slow", but no life has that name`},
		{"it has no end", func(s *controllertest.Setup[*Backup]) { s.MaxReconciles = 2 },
			"the run does not end within 2 reconciles"},
		{"the world fails", func(s *controllertest.Setup[*Backup]) {
			s.Outside = func(client.WithWatch) (any, error) { return nil, context.Canceled }
		}, "Outside: context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := whole
			c.change(&s)
			var r recorder
			controllertest.Sweep(&r, s)
			require.Len(t, r.errors, 1)
			assert.Contains(t, r.errors[0], c.want)
		})
	}
}
