package command

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// simulation is one run with simulated work on a simulated clock. It is the object that the
// runner reconciles.
type simulation struct {
	beginning
	set       *machine.Set
	noun      string           // the word for a run
	graphs    []*machine.Graph // the first itinerary and those it may switch to
	script    script
	maxPhases int

	onFail, onCancel string
	selected         string          // the result of the selector
	ran              map[string]bool // phases that were entered, or in which the run began
	left             int             // phases that were left
	turns            map[turn]int    // for each turn, the index in way
	way              []string        // the phases that were entered, in order
	loop             []string        // the phases of an endless loop, once it is detected
	step             string          // of the current phase
	progress         []string

	runner    *runner.Runner[*simulation]
	view      view
	observers []runner.Observer[*simulation] // besides the view

	begin      time.Time // start of the clock; zero means a fixed time
	began, now time.Time
	speed      float64 // simulated seconds per second; 0 does not wait
	sleep      func(context.Context, time.Duration)
}

// prepare makes the runner and sets the clock. It ignores the real time, so the same input
// gives the same output.
func (s *simulation) prepare() error {
	s.now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var last time.Time
	for _, step := range s.state.Pipeline {
		if step.Started != nil && step.Started.After(last) {
			last = step.Started.Time
		}
		if step.Completed != nil && step.Completed.After(last) {
			last = step.Completed.Time
		}
	}
	if !last.IsZero() {
		s.now = last.UTC().Truncate(time.Second) // continue from the recorded time
	}
	if !s.begin.IsZero() {
		s.now = s.begin
	}
	s.began = s.now
	s.selected = s.itinerary
	s.ran = map[string]bool{s.state.Phase: true}
	s.turns = make(map[turn]int)
	if step := s.state.Pipeline.Current(); step != nil {
		s.step = step.Name
	}

	var err error
	s.runner, err = runner.New(runner.Options[*simulation]{
		Itineraries: s.set,
		Select:      func(_ context.Context, s *simulation) (string, error) { return s.selected, nil },
		Sources:     func(_ context.Context, s *simulation) (*phases.Sources, error) { return s.sources() },
		Storage: runner.Storage[*simulation]{
			Read:  func(_ context.Context, s *simulation) (runner.State, error) { return s.state, nil },
			Write: func(_ context.Context, s *simulation, state runner.State) error { s.state = state; return nil },
		},
		OnFail: func(_ context.Context, s *simulation, _ runner.Failure) error {
			s.selected, s.failing = s.onFail, true
			return nil
		},
		Failed:    func(_ context.Context, s *simulation) (bool, error) { return s.failing, nil },
		Handler:   runner.VisitFunc[*simulation](work),
		Now:       func() time.Time { return s.now },
		Observers: append([]runner.Observer[*simulation]{runner.ObserverFunc[*simulation](observe)}, s.observers...),
	})
	return err
}

// sources returns sources of the current facts.
func (s *simulation) sources() (*phases.Sources, error) {
	v := s.graphs[0].Vocabulary()
	var all []phases.Source
	for flag := range v.All().Each {
		all = append(all, phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return s.facts.Of(flag), s.unknown[v.Names(flag)[0]]
		}})
	}
	return phases.NewSources(v, all...)
}

// look is the interval at which work in progress is checked.
const look = 20 * time.Second

// workOf returns how long a phase works. It depends only on the name, and varies as real
// work does.
func workOf(phase string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(phase)) // never fails
	seconds := [...]time.Duration{2, 3, 5, 8, 13, 21, 34, 55}
	return seconds[h.Sum32()%uint32(len(seconds))] * time.Second
}

// work simulates a phase: it waits for its time to pass, and then follows the script.
func work(_ context.Context, s *simulation, v runner.Visit) (runner.Result, error) {
	phase, work := v.Phase, workOf(v.Phase)
	spent := s.now.Sub(s.entered())
	s.progress = nil
	if spent > 0 && spent < work {
		s.progress = []string{fmt.Sprintf("%d%%", 100*spent/work)}
	}
	if s.script.take(phase, toCancel) != nil {
		if !s.failing { // a failure takes precedence
			s.selected = s.onCancel
			s.flip(phase) // the phase is left in the middle
		}
		// A cancel comes while the phase is at work.
		return runner.Wait(min(look, work), "", s.progress...), nil
	}
	if spent < work {
		return runner.Wait(min(look, work-spent), "", s.progress...), nil
	}
	s.flip(phase)
	if c := s.script.take(phase, toFail); c != nil {
		return runner.Fail("requested by " + c.option), nil
	}
	if c := s.script.take(phase, toChoose); c != nil {
		return runner.Done(runner.Choose(c.choice)), nil
	}
	return runner.Done(), nil
}

// flip applies the changes of flags that the script has for a phase that is done or left in
// the middle.
func (s *simulation) flip(phase string) {
	for _, c := range s.script.flips(phase) {
		s.facts = s.facts.Set(c.flag, c.to)
		delete(s.unknown, s.graphs[0].Vocabulary().Names(c.flag)[0])
	}
}

// entered returns when the current phase began. If the record does not have it, the phase
// begins again now.
func (s *simulation) entered() time.Time {
	switch {
	case s.state.Entered != nil:
		return s.state.Entered.Time
	case s.state.WaitingSince != nil:
		return s.state.WaitingSince.Time
	}
	return s.now
}

func observe(_ context.Context, s *simulation, e runner.Event) {
	switch e := e.(type) {
	case runner.PhaseEntered:
		s.ran[e.Phase], s.step = true, e.Step
		now := turn{e.Itinerary, e.Phase, s.selected, s.facts, s.failing, s.script.open()}
		if begin, again := s.turns[now]; again && s.loop == nil {
			s.loop = s.way[begin:]
		}
		s.turns[now] = len(s.way)
		s.way = append(s.way, e.Phase)
	case runner.PhaseExited:
		s.left++
	}
	s.view.event(s, e)
}

// turn holds everything that decides which phases follow after one is entered. Simulated
// work always ends in the same way.
type turn struct {
	itinerary, phase, selected string
	facts                      phases.Facts
	failing                    bool
	cues                       int // that are not done
}

// errInterrupted ends a run that the user interrupted.
var errInterrupted = errors.New("interrupted")

// endlessError ends a run that is in an endless loop, or has passed more phases than the
// limit.
type endlessError struct {
	phases int
	loops  bool
	// exits are options that may end the loop.
	exits []string
}

func (e *endlessError) Error() string {
	if !e.loops {
		return fmt.Sprintf("after %d phases it is not done; raise --max-phases", e.phases)
	}
	text := fmt.Sprintf("after %d phases it is in an endless loop", e.phases)
	if len(e.exits) > 0 {
		text += "; leave it with " + wording.List(e.exits, "or")
	}
	return text
}

// run drives the run to its end.
func (s *simulation) run(ctx context.Context, v view) error {
	s.view = v
	for {
		if ctx.Err() != nil {
			return errInterrupted
		}
		out, err := s.runner.Reconcile(ctx, s)
		if werr := v.show(s); werr != nil {
			return werr
		}
		switch {
		case ctx.Err() != nil:
			return errInterrupted
		case err != nil:
			return err // a retry would return the same
		case out.Done:
			return nil
		case s.loop != nil && s.speed == 0: // otherwise a user watches
			return &endlessError{s.left, true, s.exits()}
		case s.left >= s.maxPhases:
			return &endlessError{s.left, s.loop != nil, s.exits()}
		}
		if err := s.wait(ctx, out.RequeueAfter, v); err != nil {
			return err
		}
	}
}

// wait lets simulated time pass, in steps of at least a tenth of a second that a view can
// show.
func (s *simulation) wait(ctx context.Context, d time.Duration, v view) error {
	until := s.now.Add(d)
	if s.speed == 0 {
		s.now = until
		return nil
	}
	tick := max(time.Second, time.Duration(s.speed/10)*time.Second)
	for s.now.Before(until) {
		piece := min(tick, until.Sub(s.now))
		s.sleep(ctx, time.Duration(float64(piece)/s.speed))
		if ctx.Err() != nil {
			return errInterrupted
		}
		s.now = s.now.Add(piece)
		if err := v.tick(s); err != nil {
			return err
		}
	}
	return nil
}

// exits returns options that may change whether a jump of the loop is taken.
func (s *simulation) exits() []string {
	g, err := s.set.Graph(s.state.Itinerary)
	if err != nil {
		return nil
	}
	inLoop := func(phase string) bool { return slices.Contains(s.loop, phase) }
	var jumps phases.Flags
	var flips []string
	for i := range g.Len() {
		if !inLoop(g.Phase(i).Name) {
			continue
		}
		for _, j := range g.Phase(i).Jumps {
			jumps |= j.Guard.Reads()
			if j.Choice && !inLoop(j.To) {
				flips = append(flips, fmt.Sprintf("%s %s=%s", optionChoose, g.Phase(i).Name, j.To))
			}
		}
	}
	for flag := range jumps.Each {
		for _, phase := range deciders([]*machine.Graph{g}, flag) {
			if !inLoop(phase) {
				continue
			}
			flips = append(flips,
				fmt.Sprintf("%s %s=%s=%t", optionFlip, phase, g.Vocabulary().Names(flag)[0], s.facts.Of(flag) != phases.True))
		}
	}
	return flips
}

// shown returns the pipeline with only the progress of the phase at work: a step keeps that
// of its last phase that reported some.
func (s *simulation) shown() steps.Pipeline {
	shown := s.state.Pipeline.DeepCopy()
	for i := range shown {
		if shown[i].Open() {
			shown[i].Progress = s.progress
		}
	}
	return shown
}

// elapsed returns the simulated time since the run began.
func (s *simulation) elapsed() time.Duration { return s.now.Sub(s.began) }

// where describes the position of the run.
func (s *simulation) where() string {
	switch {
	case s.state.Phase != "" && !s.state.Done:
		return fmt.Sprintf("in phase %s of itinerary %s", s.state.Phase, s.current())
	case s.state.Done:
		return "at the end of itinerary " + s.current()
	}
	return "at the beginning of itinerary " + s.current()
}

// current returns the itinerary that the run is on, or will begin with.
func (s *simulation) current() string {
	if s.state.Itinerary == "" {
		return s.itinerary
	}
	return s.state.Itinerary
}

// widest returns the width of the longest name of a step that the run can show.
func (s *simulation) widest() int {
	width := 0
	for _, g := range s.graphs {
		for _, step := range g.Steps() {
			width = max(width, runes(oneLine(step)))
		}
	}
	for _, step := range s.state.Pipeline {
		width = max(width, runes(oneLine(step.Name)))
	}
	return width
}
