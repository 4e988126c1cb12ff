package command

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
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
	// speedOnTerminal makes a run of 40 phases last a quarter of a minute.
	speedOnTerminal = 60

	slowest, fastest = 0.1, 10_000.0

	standardMaxPhases = 1000
)

func (a *app) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:  "run (-f FILE [--name NAME] | -i ITINERARY)",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.simulation(cmd, &o)
			if err == nil {
				err = s.prepare()
			}
			if err != nil {
				return err
			}
			// Before this, Ctrl-C ends the process, even while it waits for standard input.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return a.simulate(ctx, s, a.view(&o, s))
		},
	}
	o.register(a, cmd, "with -f, the "+a.noun()+" to run, if there are several: `NAME` or NAMESPACE/NAME",
		"default 60x on a terminal, else max")
	registerOutput(cmd, &o.format, formatTable, "output `FORMAT`: table or json", formatTable, formatJSON)
	return cmd
}

// register adds the options of a simulation to a command.
func (o *runOptions) register(a *app, cmd *cobra.Command, nameUsage, speedDefault string) {
	o.subject.register(a, cmd)
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", nameUsage)
	f.StringArrayVar(&o.failAt, "fail-at", nil, "let this `PHASE` fail; can be repeated")
	f.StringVar(&o.onFail, "on-fail", "", "the `ITINERARY` that follows a failure"+a.standard(phases.Failed))
	f.StringVar(&o.cancelAt, "cancel-at", "", "cancel the simulation during this `PHASE`")
	f.StringVar(&o.onCancel, "on-cancel", "", "the `ITINERARY` that follows a cancel"+a.standard(phases.Canceled))
	f.StringArrayVar(&o.flipsAt, "flag-flips-at", nil,
		"change a flag that a phase decides once the phase is done, failed or canceled: `PHASE=FLAG=VALUE`, with VALUE true or false; "+
			"can be repeated; values for one phase and flag apply in turn, each time that the phase is done")
	f.StringArrayVar(&o.choose, "choose", nil,
		"let a phase choose the next phase once it is done: `PHASE=PHASE`; can be repeated; choices of one phase apply in turn")
	f.StringVar(&o.speed, "speed", "", "simulated seconds per second: `N`x, or max for no waiting ("+speedDefault+")")
	f.IntVar(&o.maxPhases, "max-phases", standardMaxPhases, "stop after that many phases, because a loop may never end")
	complete(cmd, "name", cobra.NoFileCompletions)
	complete(cmd, "fail-at", o.completePhases)
	complete(cmd, "cancel-at", o.completePhases)
	complete(cmd, "on-fail", o.completeSet)
	complete(cmd, "on-cancel", o.completeSet)
	complete(cmd, "flag-flips-at", o.completeFlips)
	complete(cmd, "choose", o.completeChoices)
	complete(cmd, "speed", fixed("1x", "10x", "60x", "1000x", speedMax))
	complete(cmd, "max-phases", cobra.NoFileCompletions)
}

// simulation prepares the simulation that the options ask for.
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
		return nil, fmt.Errorf("--max-phases takes a number of at least 1, not %d", o.maxPhases)
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
	s := &simulation{beginning: *begin, set: set, noun: a.noun(), maxPhases: o.maxPhases, speed: speed, sleep: a.sleep}
	return s, s.direct(o)
}

// speedOf parses --speed: simulated seconds per second, or 0 for no waiting.
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
	if err != nil || !(speed >= slowest && speed <= fastest) { // also refuses NaN
		return 0, fmt.Errorf("--speed takes a number from %gx to %gx, or max, not %q", slowest, fastest, text)
	}
	return speed, nil
}

// beginning describes where a run begins.
type beginning struct {
	of        *Run // nil with -i
	itinerary string
	facts     phases.Facts
	unknown   map[string]error // why flags are unknown, by flag
	state     runner.State
	failing   bool // a phase has failed already
	wrong     func(error) error
}

// beginItinerary begins an itinerary with the flags that the options name.
func (a *app) beginItinerary(s *subject, set *machine.Set, itinerary string) (*beginning, error) {
	g, err := set.Graph(itinerary)
	if err != nil {
		return nil, err
	}
	b := &beginning{itinerary: itinerary, unknown: make(map[string]error)}
	b.failing = g.Result() == phases.Failed
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

// beginRecorded begins at the recorded position of a run of a stream.
func (a *app) beginRecorded(cmd *cobra.Command, o *runOptions) (*beginning, error) {
	set, err := parseSettings(a.objectsFamily().vocabulary(), o.set)
	if err != nil {
		return nil, err
	}
	all := a.read(&o.subject)
	if len(all.Runs) == 0 {
		return nil, errReported
	}
	r, err := a.choose(all, cmd.Name(), o.name)
	if err != nil {
		return nil, err
	}
	recorded := r.Recorded()
	g, err := a.graphOf(r)
	if recorded.StateErr != nil {
		err = recorded.StateErr
	}
	if err != nil {
		a.problem(r.wrong(err))
		return nil, errReported
	}
	b := &beginning{
		of: r, itinerary: g.Name(), state: recorded.State, failing: g.Result() == phases.Failed && !recorded.Done,
		unknown: make(map[string]error), wrong: r.wrong,
	}
	f := a.find(cmd.Context(), all, r, recorded, g, o.today, set)
	a.notes(all)
	if f.missing != nil {
		a.problem(f.missing)
		if !g.IsCleanup() && !b.state.Done {
			return nil, errReported // the run would wait for flags
		}
	}
	b.facts = f.facts
	for _, e := range f.errors {
		b.unknown[e.Flag] = e.Err
	}
	return b, nil
}

// standard describes the itinerary that follows by default: the first with that result.
func (a *app) standard(result phases.Result) string {
	if name := follows(a.builtin.graphs, result); name != "" {
		return " (default " + name + ")"
	}
	return ""
}

// follows returns the name of the first itinerary with that result, or "".
func follows(all []*machine.Graph, result phases.Result) string {
	for _, g := range all {
		if g.Result() == result {
			return g.Name()
		}
	}
	return ""
}

// simulate drives a simulated run and shows it in a view.
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
		if flags := (*machine.UnknownFlagsError)(nil); errors.As(stopped, &flags) && flags.Err != nil {
			stopped = flags.Err // names each flag and the reason
		}
		a.problem(s.wrong(stopped))
		a.line("stopped after %s %s", s.elapsed(), s.where())
		return errReported
	}
	for _, err := range s.missed() {
		a.problem(err)
	}
	return nil
}

// sleepFor waits for d or until the context is done.
func sleepFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
