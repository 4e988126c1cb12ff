package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// runOptions are the options of run.
type runOptions struct {
	subject
	name             string
	failAt, flipsAt  []string
	choose           []string
	cancelAt         string
	onFail, onCancel string
	speed            string
	maxPhases        int
	format           string
}

const (
	speedMax = "max"
	// speedOnTerminal makes a migration of 40 phases last a quarter of a
	// minute: short enough to wait for, long enough to watch.
	speedOnTerminal = 60

	slowest, fastest = 0.1, 10_000.0

	standardMaxPhases = 1000
)

func (a *app) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run (-f FILE [--name NAME] | -i ITINERARY)",
		Short: "Runs a migration with simulated work, and shows its pipeline",
		Long: `Runs one migration to its end through the machine that a controller embeds. Only
the work is simulated: nothing is called, nothing is changed. On a terminal the
pipeline is redrawn in place; elsewhere each change is a line, behind the
simulated time since the beginning. With -o json each event is a line, and the
last one holds the pipeline.

What is read, and -f, -i, --flags and --unknown, are as for plan. A migration
that has begun goes on from its recorded phase. Flags keep their values, those
that phases decide as well, unless --flag-flips-at says otherwise. A phase whose
handler may choose where to go on makes no choice, unless --choose names one.

A phase takes between 2 and 55 simulated seconds, always the same for its name.
--speed says how many of them pass in a second: 1x is real time. Without it,
that is 60x on a terminal, and max, without any waiting, elsewhere. Same input,
same output, whatever the speed.

A phase that --fail-at names fails at the end of its work, the first time that
it runs; one that --cancel-at names is interrupted. The migration then goes on
in the itinerary that --on-fail or --on-cancel names: if they are not given, in
Failed or Cancel. In a cleanup itinerary a phase that fails is passed by.

Ctrl-C stops the run and says where. Exit code: as for all commands, and 130
after Ctrl-C. A migration that fails or is canceled because an option says so
is no error; an option whose phase never ran is one, with exit code 1.`,
		Example: `  # Watch a final migration with volumes that are copied directly
  dynamic-pipeline run -i Final --flags HasPVs,DirectVolume,EnableVolume,DirectImage

  # What people see when a backup fails, and when they cancel
  dynamic-pipeline run -i Final --flags DirectImage --fail-at EnsureInitialBackup
  dynamic-pipeline run -i Final --flags DirectImage --cancel-at InitialBackupCreated

  # Volumes appear while the plan is refreshed
  dynamic-pipeline run -i Stage --flags DirectImage,EnableVolume --flag-flips-at WaitForRefresh=HasPVs=true --flag-flips-at WaitForRefresh=DirectVolume=true

  # One migration of a cluster, from where it stands
  dynamic-pipeline run -f objects.yaml --name under-way --speed 1000x

  # An itinerary of your own: the cutover is due once the disks are copied
  dynamic-pipeline run -i warm.yaml#Warm --flag-flips-at Copy=CutoverDue=true

  # Every event, for a program
  dynamic-pipeline run -i Stage --flags DirectImage -o json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.simulation(cmd, &o)
			if err != nil {
				return err
			}
			// Caught only from here on: until now Ctrl-C ends the process, also
			// while it waits for standard input.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return a.simulate(ctx, s, a.view(&o, s))
		},
	}
	o.subject.register(cmd)
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "with -f, the migration to run, if there are several: `NAME` or NAMESPACE/NAME")
	f.StringArrayVar(&o.failAt, "fail-at", nil, "let this `PHASE` fail; can be given several times")
	f.StringVar(&o.onFail, "on-fail", "", "the `ITINERARY` that follows a failure (default "+mtc.Failed+")")
	f.StringVar(&o.cancelAt, "cancel-at", "", "cancel the migration during this `PHASE`")
	f.StringVar(&o.onCancel, "on-cancel", "", "the `ITINERARY` that follows a cancel (default "+mtc.Cancel+")")
	f.StringArrayVar(&o.flipsAt, "flag-flips-at", nil, "give a flag that a phase decides another value once the phase is done, failed or canceled: `PHASE=FLAG=VALUE`, VALUE being true or false; can be given several times, for one phase and flag in the order in which the phase is done")
	f.StringArrayVar(&o.choose, "choose", nil, "let a phase choose to go on with another, once it is done: `PHASE=PHASE`; can be given several times, for one phase in the order in which it is done")
	f.StringVar(&o.speed, "speed", "", "simulated seconds per second: `N`x, or max for no waiting (default 60x on a terminal, else max)")
	f.IntVar(&o.maxPhases, "max-phases", standardMaxPhases, "stop after that many phases: a loop may never end")
	registerOutput(cmd, &o.format, formatTable, "output `FORMAT`: table or json", formatTable, formatJSON)
	complete(cmd, "name", cobra.NoFileCompletions)
	complete(cmd, "fail-at", o.completePhases)
	complete(cmd, "cancel-at", o.completePhases)
	complete(cmd, "on-fail", o.completeSet)
	complete(cmd, "on-cancel", o.completeSet)
	complete(cmd, "flag-flips-at", o.completeFlips)
	complete(cmd, "choose", o.completeChoices)
	complete(cmd, "speed", fixed("1x", "10x", "60x", "1000x", speedMax))
	complete(cmd, "max-phases", cobra.NoFileCompletions)
	return cmd
}

// simulation prepares what the options ask for.
func (a *app) simulation(cmd *cobra.Command, o *runOptions) (*simulation, error) {
	if err := checkChoice("-o", o.format, formatTable, formatJSON); err != nil {
		return nil, err
	}
	for _, option := range []string{"cancel-at", "on-fail", "on-cancel", "speed"} {
		if f := cmd.Flags().Lookup(option); f.Changed && f.Value.String() == "" {
			return nil, fmt.Errorf("--%s needs a value; leave it out, or give one", option)
		}
	}
	speed, err := a.speedOf(o.speed)
	if err != nil {
		return nil, err
	}
	changed := cmd.Flags().Changed
	switch {
	case o.maxPhases < 1:
		return nil, fmt.Errorf("--max-phases takes a number from 1 on, not %d", o.maxPhases)
	case changed("name") && len(o.files) == 0:
		return nil, errors.New("--name needs -f; with -i there is one itinerary to run")
	case changed("on-fail") && len(o.failAt) == 0:
		return nil, errors.New("--on-fail needs --fail-at, or nothing fails")
	case changed("on-cancel") && !changed("cancel-at"):
		return nil, errors.New("--on-cancel needs --cancel-at, or nothing is canceled")
	}
	f, itinerary, err := a.family(cmd, &o.subject)
	if err != nil {
		return nil, err
	}
	set, err := f.set()
	if err != nil {
		a.problem(err)
		return nil, errReported
	}
	var begin *beginning
	if itinerary != "" {
		begin, err = a.beginItinerary(&o.subject, set, itinerary)
	} else {
		begin, err = a.beginRecorded(cmd, o)
	}
	if err != nil {
		return nil, err
	}
	s := &simulation{beginning: *begin, set: set, maxPhases: o.maxPhases, speed: speed, sleep: a.sleep}
	if err := s.direct(o); err != nil {
		return nil, err
	}
	return s, s.prepare()
}

// speedOf reads --speed: simulated seconds per second, 0 for no waiting.
func (a *app) speedOf(text string) (float64, error) {
	switch text {
	case "":
		if a.live {
			return speedOnTerminal, nil
		}
		return 0, nil
	case speedMax:
		return 0, nil
	}
	speed, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(speed >= slowest && speed <= fastest) { // NaN is neither
		return 0, fmt.Errorf("--speed takes a number from %gx to %gx, or max, not %q", slowest, fastest, text)
	}
	return speed, nil
}

// beginning is where a run begins.
type beginning struct {
	// title names the migration; empty with -i.
	title     string
	itinerary string
	facts     phases.Facts
	unknown   map[string]error // by flag, why it is unknown
	state     runner.State
	failing   bool // something has failed already
	wrong     func(error) error
}

// beginItinerary begins an itinerary with the flags that the options name.
func (a *app) beginItinerary(s *subject, set *machine.Set, itinerary string) (*beginning, error) {
	g, err := set.Graph(itinerary)
	if err != nil {
		return nil, err
	}
	b := &beginning{itinerary: itinerary, unknown: make(map[string]error)}
	b.failing = set == builtin() && itinerary == mtc.Failed
	b.wrong = func(err error) error { return fmt.Errorf("itinerary %s: %w", itinerary, err) }
	var reasons []*phases.FlagError
	if b.facts, reasons, err = a.given(s, g.Vocabulary()); err != nil {
		return nil, err
	}
	for _, reason := range reasons {
		b.unknown[reason.Flag] = reason.Err
	}
	return b, nil
}

// beginRecorded begins where a migration of a stream stands.
func (a *app) beginRecorded(cmd *cobra.Command, o *runOptions) (*beginning, error) {
	set, err := parseSettings(mtc.Vocabulary(), o.set)
	if err != nil {
		return nil, err
	}
	inv := a.read(&o.subject)
	if len(inv.migrations) == 0 {
		return nil, errReported
	}
	m, err := inv.choose(cmd.Name(), o.name)
	if err != nil {
		return nil, err
	}
	b := &beginning{
		title:     m.object.ref.String(),
		itinerary: mtc.Current(m.Migration),
		unknown:   make(map[string]error),
		failing:   mtc.Select(m.Migration) == mtc.Failed,
		wrong:     m.object.wrong,
	}
	if b.state, err = m.state(); err != nil {
		a.problem(m.object.wrong(err))
		return nil, errReported
	}
	f := a.find(cmd.Context(), inv, m, set)
	inv.printNotes(a)
	if f.plan != nil {
		a.problem(f.plan)
		if g, err := builtin().Graph(b.itinerary); err != nil || !g.IsCleanup() && !b.state.Done {
			return nil, errReported // it would wait for flags
		}
	}
	b.facts = f.facts
	for _, e := range f.errors {
		b.unknown[e.Flag] = e.Err
	}
	return b, nil
}

// choose finds a migration by its name, or the only one, for a command that
// takes one.
func (inv *inventory) choose(command, name string) (*migration, error) {
	var known, found []string
	var chosen *migration
	for _, m := range inv.migrations {
		ref := m.object.ref
		known = append(known, ref.Name)
		if name == "" || name == ref.Name || name == ref.String() {
			chosen, found = m, append(found, ref.String())
		}
	}
	switch {
	case len(found) == 1:
		return chosen, nil
	case len(found) == 0:
		return nil, fmt.Errorf("there is no MigMigration %q%s", name, wording.DidYouMean(wording.Nearest(name, known)))
	}
	return nil, fmt.Errorf("%s takes one migration; give --name with one of %s", command, wording.Few(found))
}

// state is what a runner would have written down of a migration that goes on in
// the itinerary which mig-controller selects.
func (m *migration) state() (runner.State, error) {
	present, err := m.upgraded(legacy.NewAdapter(builtin(), mtc.DataNames))
	if err != nil || rawjson.IsNull(present) {
		return runner.State{}, err
	}
	var status struct {
		Phase    string         `json:"phase"`
		Pipeline steps.Pipeline `json:"pipeline"`
	}
	if err := json.Unmarshal(present, &status); err != nil {
		return runner.State{}, fmt.Errorf("status: %w; correct it", err)
	}
	s := runner.State{Pipeline: status.Pipeline}
	s.Itinerary, s.Phase = m.Status.Itinerary, status.Phase
	selected := mtc.Current(m.Migration)
	if mtc.Done(m.Migration) {
		s.Itinerary, s.Done = selected, true
	} else if s.Itinerary != "" && s.Itinerary != selected {
		// A runner does not leave every cleanup itinerary; mig-controller, which
		// wrote the status, does.
		if resumed, err := builtin().Resume(s.Checkpoint, selected); err != nil || resumed.Graph().Name() != selected {
			s.Itinerary, s.Phase = "", ""
		}
	}
	return s, nil
}

// simulate runs a migration before the eyes of a view.
func (a *app) simulate(ctx context.Context, s *simulation, v view) error {
	stopped := s.run(ctx, v)
	if err := v.end(s); err != nil {
		return err
	}
	var output *writeError
	switch {
	case errors.As(stopped, &output):
		return stopped
	case errors.Is(stopped, errInterrupted):
		a.line("stopped after %s %s", s.elapsed(), s.where())
		return stopped
	case stopped != nil:
		problems := []error{stopped}
		if many := (interface{ Unwrap() []error })(nil); errors.As(stopped, &many) {
			problems = many.Unwrap() // a flag each
		}
		for _, err := range problems {
			a.problem(s.wrong(err))
		}
		a.line("stopped after %s %s", s.elapsed(), s.where())
		return errReported
	}
	for _, err := range s.missed() {
		a.problem(err)
	}
	return nil
}

// sleepFor waits, or returns sooner if the context is done.
func sleepFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
