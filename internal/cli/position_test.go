package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// selecting returns a spec and the beginning of a status that select an itinerary.
var selecting = map[string][2]string{
	mtc.Stage:    {`"stage": true`, ``},
	mtc.Final:    {`"quiescePods": true`, ``},
	mtc.Cancel:   {`"canceled": true`, ``},
	mtc.Failed:   {``, `"errors": ["no space left"], `},
	mtc.Rollback: {`"rollback": true`, ``},
}

// recordedAt returns a migration in a phase, with two started steps: an earlier one, and
// that of the phase.
func recordedAt(itinerary, phase, step string) string {
	by := selecting[itinerary]
	return migration(itinerary+"-"+phase, by[0], by[1]+fmt.Sprintf(`"itinerary": %q, "phase": %q, "pipeline": [
		{"name": "Earlier", "started": "2025-03-01T10:00:00Z", "completed": "2025-03-01T10:01:00Z", "message": "Completed"},
		{"name": %q, "started": "2025-03-01T10:01:00Z", "phase": %q}]`, itinerary, phase, step, phase))
}

// factsOf returns the flags of an element.
func factsOf(t *testing.T, e element) phases.Facts {
	t.Helper()
	v := mtc.Vocabulary()
	yes, err := v.Parse(e.Flags...)
	require.NoError(t, err)
	unknown, err := v.Parse(e.Unknown...)
	require.NoError(t, err)
	return phases.NewFacts(yes, v.All()&^yes&^unknown)
}

const withEverything = `"indirectImageMigration": true, "indirectVolumeMigration": true,
	"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}],
	"hooks": [{"phase": "PreBackup"}, {"phase": "PostRestore"}]`

// For each recorded phase of each itinerary, the plan is that of the machine from that
// phase. The steps are those that have started, then those ahead; with --whole they are
// those of the itinerary from its first phase.
func TestPlanFromEveryPhase(t *testing.T) {
	set := machine.MustCompileSet(mtc.Itineraries()...)
	for _, spec := range []string{"", withEverything} {
		var objects []string
		var want []machine.Position
		for _, name := range set.Names() {
			g, err := set.Graph(name)
			require.NoError(t, err)
			for i := range g.Len() {
				objects = append(objects, recordedAt(name, g.Phase(i).Name, g.Phase(i).Step))
				want = append(want, machine.Position{Phase: g.Phase(i).Name, Done: g.Phase(i).Name == mtc.PhaseCompleted})
			}
		}
		whole := elements(t, run(t, around(spec, objects...), "plan", "-f", "-", "-o", "json", "--whole").out)
		all := elements(t, run(t, around(spec, objects...), "plan", "-f", "-", "-o", "json").out)
		require.Len(t, all, len(want))
		ahead := 0
		for k, e := range all {
			g, err := set.Graph(e.Itinerary)
			require.NoError(t, err)
			at := want[k]
			if at.Done {
				at.Phase = ""
			}
			plan, err := g.PlanFrom(at, factsOf(t, e))
			require.NoError(t, err)
			same := func(e element, plan *machine.Plan, started ...string) {
				for i, p := range e.Phases {
					require.Equal(t, plan.Runs(i).String(), p.Runs, "%s: %s", *e.Name, p.Name)
					require.Equal(t, plan.Tentative(i), p.Tentative, "%s: %s", *e.Name, p.Name)
					require.Equal(t, g.Rides(i), p.Rides, "%s: %s", *e.Name, p.Name)
					if why := plan.Why(i); why == nil {
						require.Nil(t, p.Why)
					} else {
						require.Equal(t, why.Guard, p.Why.Guard, "%s: %s", *e.Name, p.Name)
					}
				}
				require.Equal(t,
					append(started, slices.DeleteFunc(steps.Visible(plan), func(s string) bool { return slices.Contains(started, s) })...),
					e.Steps, *e.Name)
			}
			same(e, plan, "Earlier", stepOf(g, want[k].Phase))
			same(whole[k], g.Plan(factsOf(t, e)))
			assert.Equal(t, want[k].Phase, *e.Phase)
			for _, p := range e.Phases {
				if p.Runs == "yes" {
					ahead++
				}
				if p.Why != nil && p.Why.Guard == "behind" {
					assert.Equal(t, "no", p.Runs)
				}
			}
			if at.Done {
				assert.Equal(t, []string{"Earlier", "Cleanup"}, e.Steps, "nothing is ahead")
				for _, p := range e.Phases {
					assert.Equal(t, "no", p.Runs, p.Name)
				}
			}
		}
		assert.NotZero(t, ahead)
	}
}

func stepOf(g *machine.Graph, phase string) string {
	i, err := g.Lookup(phase)
	if err != nil {
		return ""
	}
	return g.Phase(i).Step
}

// explain agrees with plan, for each phase and each step at each position.
func TestExplainAgreesWithPlan(t *testing.T) {
	set := machine.MustCompileSet(mtc.Itineraries()...)
	g, err := set.Graph(mtc.Final)
	require.NoError(t, err)
	var objects []string
	for i := range g.Len() {
		objects = append(objects, recordedAt(mtc.Final, g.Phase(i).Name, g.Phase(i).Step))
	}
	for spec, whole := range map[string][]string{"": nil, withEverything: nil, `"liveMigrate": true`: {"--whole"}} {
		text := around(spec, objects...)
		all := elements(t, run(t, text, append([]string{"plan", "-f", "-", "-o", "json"}, whole...)...).out)
		for i := 0; i < g.Len(); i += testscale.Of(1, 10) {
			for k, e := range explain(t, text, append([]string{g.Phase(i).Name, "--phase", "-f", "-"}, whole...)...) {
				p := all[k].Phases[i]
				assert.Equal(t, p.Runs, e.Runs, "%s of %s", p.Name, *e.Name)
				if p.Why != nil {
					assert.Equal(t, p.Why.Guard, *e.Guard)
					assert.Contains(t, e.Text, p.Why.Text)
				}
			}
		}
		for _, step := range g.Steps() {
			for k, e := range explain(t, text, append([]string{step, "--step", "-f", "-"}, whole...)...) {
				assert.Equal(t, slices.Contains(all[k].Steps, step), e.Runs == "yes", "%s of %s", step, *e.Name)
			}
		}
	}
}

// If the selected itinerary is not the recorded one, it is planned from its first phase,
// whatever the recorded phase, even from a cleanup itinerary. This is a rule of
// mig-controller.
func TestPlanOfAnotherItineraryThanRecorded(t *testing.T) {
	set := machine.MustCompileSet(mtc.Itineraries()...)
	for _, recorded := range append(set.Names(), "Gone") {
		for _, selected := range set.Names() {
			if recorded == selected {
				continue
			}
			for _, phase := range testscale.Of([]string{"Whatever", "DeleteBackups", "Created"}, []string{"DeleteBackups"}) {
				m := strings.Replace(recordedAt(selected, phase, "Backup"), fmt.Sprintf(`"itinerary": %q`, selected),
					fmt.Sprintf(`"itinerary": %q`, recorded), 1)
				r := run(t, around("", m), "plan", "-f", "-", "-o", "json")
				require.Equal(t, 0, r.code, r.stderr)
				e := elements(t, r.out)[0]
				assert.Equal(t, selected, e.Itinerary)
				assert.Equal(t, phase, *e.Phase)
				g, err := set.Graph(selected)
				require.NoError(t, err)
				plan := g.Plan(factsOf(t, e))
				for i, p := range e.Phases {
					require.Equal(t, plan.Runs(i).String(), p.Runs, "%s in place of %s: %s", selected, recorded, p.Name)
				}

				r = run(t, around("", m), "graph", "-f", "-")
				assert.Equal(t, 0, r.code, r.stderr)
				assert.Contains(t, r.out, selected+", at start", "%s in place of %s", selected, recorded)

				r = run(t, around("", m), "run", "-f", "-", "-o", "json")
				assert.Equal(t, 0, r.code, r.stderr)
				var entered []string
				for _, line := range events(t, r.out) {
					if line.Event == "entered" {
						assert.Equal(t, selected, line.Itinerary)
						entered = append(entered, line.Phase)
					}
				}
				assert.Equal(t, plan.Running(), entered, "%s in place of %s", selected, recorded)
			}
		}
	}
}

// A phase recorded without an itinerary belongs to the selected one.
func TestPlanOfAPhaseWithoutItsItinerary(t *testing.T) {
	m := migration("m", ``, `"phase": "EnsureFinalRestore", "pipeline": [{"name": "Restore", "started": "2025-03-01T10:01:00Z"}]`)
	e := elements(t, run(t, around("", m), "plan", "-f", "-", "-o", "json").out)[0]
	assert.Equal(t, []string{"Restore", "Cleanup"}, e.Steps)
	assert.Equal(t, "behind", e.phase(t, "EnsureInitialBackup").Why.Guard)
}

// A recorded phase that the selected itinerary does not have is an error that names it, in
// each command.
func TestPlanOfAPhaseThatIsGone(t *testing.T) {
	for name, by := range selecting {
		m := migration("m", by[0], by[1]+fmt.Sprintf(`"itinerary": %q, "phase": "Complted"`, name))
		for _, args := range [][]string{{"plan"}, {"explain", "Cleanup"}, {"graph"}, {"run"}} {
			r := run(t, around("", m), append(args, "-f", "-")...)
			assert.Equal(t, 1, r.code, args)
			planned := ""
			if args[0] == "plan" || args[0] == "explain" {
				planned = "planned from the first phase: "
			}
			assert.Contains(t, r.stderr,
				fmt.Sprintf(`MigMigration ns/m: `+planned+`itinerary %q has no phase "Complted"; did you mean "Completed"?`, name),
				args)
		}
	}
}
