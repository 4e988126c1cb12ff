package command

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// planned is a run, or an itinerary with flags, and its plan.
type planned struct {
	run     *Run     // nil with -i alone
	phase   string   // recorded phase, under its current name; empty if none
	left    string   // itinerary of that phase, if the run has left it
	started []string // steps, in order
	done    bool
	plan    *machine.Plan
	// recorded is the plan of the whole itinerary with the recorded flags; nil if none are
	// recorded.
	recorded *machine.Plan
	// switches are the itineraries that the run has left. Lookup finds an itinerary by
	// name, or returns nil.
	switches []runner.Switch
	lookup   func(name string) *machine.Graph
	// set are the flags that --set names. Before is the plan without --set, for --diff.
	set    phases.Flags
	before *machine.Plan
	// with returns the plan with additional values of --set.
	with func(context.Context, settings) *machine.Plan
}

// where describes the recorded phase.
func (p *planned) where() string {
	if p.left == "" || p.phase == "" {
		return p.phase
	}
	return p.phase + " of " + p.left
}

// steps returns those that have started, then those that are visible.
func (p *planned) steps() []string {
	return append(slices.Clone(p.started), without(steps.Visible(p.plan), p.started)...)
}

// maybeSteps returns the steps that depend on unknown flags.
func (p *planned) maybeSteps() []string { return without(steps.Possible(p.plan), p.started) }

// tentativeSteps returns the steps whose visibility may still change, in the order of the
// itinerary. These are steps that are shown only for tentative phases, and steps that are
// not shown but have a phase that may run once phases ahead have decided its flags.
// Relations limit the values that these flags can have.
func (p *planned) tentativeSteps() []string {
	g := p.plan.Graph()
	later, err := g.PlanFrom(p.plan.Position(), g.Vocabulary().Propagate(p.plan.Facts().Forget(p.plan.Decides()), 0))
	if err != nil {
		later = p.plan // cannot happen: it was planned from there
	}
	// settled are the steps with a phase that certainly runs, and may those with one that
	// runs or may run.
	settled, may := slices.Clone(p.started), []string{}
	for i := range g.Len() {
		if g.Rides(i) {
			continue
		}
		for _, plan := range []*machine.Plan{p.plan, later} {
			certain := plan.Runs(i) == phases.True && (plan == later || !p.plan.Tentative(i))
			for k, under := range plan.Under(i) {
				switch name := g.Steps()[k]; {
				case plan.Runs(i) == phases.False:
				case certain && under == phases.True:
					settled = append(settled, name)
				case p.plan.Tentative(i):
					may = append(may, name)
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(g.Steps()), func(name string) bool {
		return slices.Contains(settled, name) || !slices.Contains(may, name)
	})
}

func without(names, others []string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(others, n) })
}

// reading holds the runs and objects of streams.
type reading struct {
	Reading
	objects *Objects
}

// read reads the objects of streams. It prints a problem if there is no run.
func (a *app) read(s *subject) *reading {
	r := a.readObjects(s, false)
	if len(r.Runs) == 0 && !a.failed {
		a.problem(r.None)
	}
	return r
}

// readObjects reads the objects of streams: all of them, or only those of interest.
func (a *app) readObjects(s *subject, all bool) *reading {
	keep := a.wanted
	if all {
		keep = nil
	}
	in := a.documents(s.files, keep)
	o := &Objects{Lost: in.lost, Foreign: make(map[string]int), files: s.files, documents: in.documents, options: a.options}
	o.sort(a, in.documents)
	r := &reading{objects: o}
	if a.isBuiltin() && a.catalogue.Read != nil {
		r.Reading = a.usable(a.catalogue.Read(&Tool{a}, o), o)
	} else {
		r.Reading = a.stateRuns(o)
	}
	a.moreProblems()
	tellApart(r.Runs)
	return r
}

// tellApart adds the kind to the names of runs whose objects have the same name but
// different kinds.
func tellApart(runs []*Run) {
	kinds := make(map[Ref]string)
	several := make(map[Ref]bool)
	for _, r := range runs {
		kind, known := kinds[r.Object.Ref]
		several[r.Object.Ref] = several[r.Object.Ref] || known && kind != r.Object.Kind
		kinds[r.Object.Ref] = r.Object.Kind
	}
	for _, r := range runs {
		if several[r.Object.Ref] {
			r.kind = r.Object.Kind
		}
	}
}

// usable returns the reading of a catalogue without unusable runs, which it prints as
// problems.
func (a *app) usable(r Reading, all *Objects) Reading {
	var runs []*Run
	for i, run := range r.Runs {
		switch {
		case run == nil || run.Object == nil:
			a.problem(&catalogueError{[]string{fmt.Sprintf("Read returns run %d without an object; set Run.Object", i)}})
			continue
		case run.Recorded == nil:
			run.Recorded = func() Recorded { return Recorded{} }
		}
		runs = append(runs, run)
	}
	r.Runs = runs
	if r.None == nil {
		r.None = a.noRun(all)
	}
	return r
}

// noRun returns the error of streams without a run.
func (a *app) noRun(all *Objects) error {
	if a.stateAt.parts != nil {
		return fmt.Errorf("no object in %s has %s, which --state-at names", wording.List(all.Streams(), "and"), a.stateAt.text)
	}
	list := (&Catalogue{}).list()
	if a.isBuiltin() {
		list = a.catalogue.list()
	}
	return fmt.Errorf("there is no %s in %s; list them with: %s", a.kind(), wording.List(all.Streams(), "and"), list)
}

// isBuiltin reports whether the itineraries of the objects are the catalogue's, not those
// of a file.
func (a *app) isBuiltin() bool { return a.in == nil || a.in == a.builtin }

// objectsFamily returns the itineraries of the objects.
func (a *app) objectsFamily() *family {
	if a.in == nil {
		return a.builtin
	}
	return a.in
}

// wanted reports whether an object is of interest.
func (a *app) wanted(o *Object) bool {
	if a.isBuiltin() && a.catalogue.KindOf != nil {
		_, wanted := a.catalogue.KindOf("", o.Kind)
		return wanted
	}
	return o.Kind == a.catalogue.Kind && o.Kind != "" || o.broken || holdsState(o.JSON, a.stateAt)
}

// each plans the subject's runs or itinerary, one by one, in the order read. It prints
// problems. The itineraries are those of [app.itineraries].
func (a *app) each(ctx context.Context, s *subject, itineraries []*machine.Graph, yield func(*planned) error) error {
	if len(s.files) == 0 {
		return a.eachItinerary(s, itineraries[0], yield)
	}
	set, err := s.settings(a.objectsFamily().vocabulary())
	if err != nil {
		return err
	}
	all := a.read(s)
	runs, err := a.chosen(all, &s.filter)
	if err != nil {
		return err
	}
	admitted := 0
	var mayCome []string // runs that --runs leaves out
	for _, r := range runs {
		p, unknown := a.planRun(ctx, all, r, s, set)
		if p != nil && !s.filter.admits(p) {
			if slices.Contains(p.tentativeSteps(), s.filter.step) {
				mayCome = append(mayCome, r.name())
			}
			continue
		}
		admitted++
		if p == nil {
			continue
		}
		unknown()
		if err := yield(p); err != nil {
			return err
		}
	}
	if admitted == 0 && len(all.Runs) > 0 {
		a.line("note: none of %s %s", a.count(len(all.Runs)), &s.filter)
	}
	if mayCome != nil {
		a.line("note: these are not listed, because they do not run step %s by the flags known now, but may still run it: %s",
			s.filter.step, many(mayCome))
	}
	a.noteLeftOut()
	a.notes(all)
	return nil
}

// many lists names, or only some of them if there are too many for a line.
func many(names []string) string {
	if len(names) > 20 {
		return wording.Few(names)
	}
	return wording.List(names, "and")
}

// noteLeftOut notes the objects that are left out, for commands that list runs.
func (a *app) noteLeftOut() {
	switch len(a.leftOut) {
	case 0:
	case 1:
		a.line("note: left out, because it holds no state of a run: %s", a.leftOut[0])
	default:
		a.line("note: left out, because they hold no state of a run: %s", many(a.leftOut))
	}
}

// notes prints the notes of a reading.
func (a *app) notes(r *reading) {
	if r.Notes == nil {
		return
	}
	for _, note := range r.Notes() {
		a.line("note: %s", note)
	}
}

// planRun plans a run from its recorded phase, or its whole itinerary. Unknown prints the
// unknown flags that the plan depends on. If there is no plan, planRun prints the reason
// and returns nil.
func (a *app) planRun(ctx context.Context, all *reading, r *Run, s *subject, set settings) (p *planned, unknown func()) {
	p = &planned{run: r, set: set.flags}
	recorded := r.Recorded()
	p.phase, p.started, p.done = recorded.Phase, recorded.Started, recorded.Done
	if recorded.Itinerary != r.Itinerary && !recorded.Done {
		p.left = recorded.Itinerary
	}
	if recorded.Err != nil {
		a.problem(r.wrong(recorded.Err))
	}
	g, err := a.graphOf(r)
	if err != nil {
		a.problem(r.wrong(err))
		return nil, nil
	}
	at, err := a.position(r, recorded, g)
	switch {
	case err == nil:
	case at.Phase == "":
		a.problem(r.wrong(fmt.Errorf("planned from the first phase: %w", err)))
	default:
		a.problem(r.wrong(fmt.Errorf("planned without its choice: %w", err)))
	}
	if at.Phase != "" {
		p.phase = at.Phase
	}
	if s.whole { // ignore what has started
		at, p.started = machine.Position{}, nil
	}
	f := a.find(ctx, all, r, recorded, g, s.today, set)
	if p.plan, err = g.PlanFrom(at, f.facts); err == nil && s.diff {
		p.before, err = g.PlanFrom(at, f.before)
	}
	if err != nil {
		a.problem(r.wrong(err))
		return nil, nil
	}
	p.switches = recorded.State.Switches
	p.lookup = func(name string) *machine.Graph {
		left, _ := a.objectsFamily().graph(name) // nil if unknown
		return left
	}
	if recorded.Own && !s.whole {
		if known := a.recordedFacts(recorded.State, g); known.Known() != 0 {
			p.recorded = g.Plan(known)
		}
	}
	p.with = func(ctx context.Context, more settings) *machine.Plan {
		facts, _ := f.inquiry.facts(ctx, set.and(more))
		plan, _ := g.PlanFrom(at, facts) // never fails: planned from that position before
		return plan
	}
	return p, func() { a.unknownOf(r, f, p.plan) }
}

// graphOf returns the itinerary that a run is on.
func (a *app) graphOf(r *Run) (*machine.Graph, error) {
	if r.SelectErr != nil {
		return nil, r.SelectErr
	}
	return a.objectsFamily().graph(r.Itinerary)
}

// position returns the position of a run in its itinerary, with the phase under its current
// name. A recorded phase counts only if it was recorded in that itinerary, or without any,
// as for [machine.Set.Resume]. If the itinerary does not have the phase, position returns
// the start and an error. If the phase does not have the recorded choice, it returns the
// position without a choice and an error.
func (a *app) position(r *Run, recorded Recorded, g *machine.Graph) (machine.Position, error) {
	phase, on := recorded.Phase, recorded.Itinerary
	switch {
	case recorded.Done:
		return machine.Position{Phase: phase, Done: true}, nil
	case phase == "", on != "" && on != g.Name():
		return machine.Position{}, nil
	}
	i, err := g.Lookup(phase)
	if err != nil {
		return machine.Position{}, err
	}
	at := machine.Position{Phase: g.Phase(i).Name}
	if !recorded.Own {
		return at, nil
	}
	if at.Step = recorded.State.Step; recorded.State.WorkDone {
		at.Choice = recorded.State.Choice
	}
	if _, err := g.NewMachine(at, phases.Facts{}); err != nil {
		at.Choice = ""
		return at, err
	}
	return at, nil
}

// inquiry finds the flags of a run, with any values of --set.
type inquiry struct {
	vocabulary *phases.Vocabulary
	// known are the flags that the state records for the itinerary.
	known phases.Facts
	// sources find the others. If nil, the others are unknown because of unrecorded.
	sources    *phases.Sources
	unrecorded error
}

// facts returns the flags with the settings applied, and why flags are unknown.
func (q inquiry) facts(ctx context.Context, set settings) (phases.Facts, []*phases.FlagError) {
	if q.sources != nil {
		answer := set.evaluate(ctx, q.sources, q.known)
		return answer.Facts, answer.Errors
	}
	f, _ := set.over(q.vocabulary, q.known)
	return f, set.reasons(q.vocabulary, f, q.unrecorded)
}

// finding holds what is known of the flags of a run.
type finding struct {
	inquiry
	// facts are the flags, and before the flags without --set.
	facts, before phases.Facts
	// errors are the reasons why flags are unknown.
	errors []*phases.FlagError
	// missing is the error of a missing object, or nil. It explains all unknown flags.
	missing error
}

// find finds the flags of a run: those that its state records for this itinerary, and the
// others from the objects. If today is true, all come from the objects. Values of --set
// override them, and find prints what else changes.
func (a *app) find(ctx context.Context, all *reading, r *Run, recorded Recorded, g *machine.Graph, today bool, set settings) finding {
	v := g.Vocabulary()
	if all.Settled != nil {
		all.Settled(set.flags)
	}
	f := finding{inquiry: inquiry{vocabulary: v, sources: a.sources(r, v), unrecorded: errNotRecorded}, missing: r.Missing}
	if recorded.Own && recorded.State.Visit == 0 && !recorded.Done {
		f.unrecorded = errNotBegun
	}
	if recorded.Own && !today {
		f.known = a.recordedFacts(recorded.State, g)
	}
	if f.known.Known() != 0 {
		f.missing = nil // it explains only some of the unknown flags
	}
	f.before, f.errors = f.inquiry.facts(ctx, settings{})
	f.facts = f.before
	if f.sources != nil && f.known.Known() != 0 {
		a.noteToday(ctx, f.sources, v, f.known, r)
	}
	if set.flags != 0 {
		f.facts, f.errors = f.inquiry.facts(ctx, set)
		a.noteChanges(v, set, f.before, f.facts, r.wrong)
		a.warnBroken(v, f.before, f.facts, r.wrong)
	}
	return f
}

var (
	errNotRecorded = errors.New("the object does not record it")
	errNotBegun    = errors.New("it has not begun, so no flag is recorded; give values with --set")
)

// sources returns the sources of a run, or nil. If they fail, it prints the problem and the
// flags are unknown.
func (a *app) sources(r *Run, v *phases.Vocabulary) *phases.Sources {
	if r.Sources == nil {
		return nil
	}
	sources, err := r.Sources()
	if err == nil && sources != nil && sources.Vocabulary() != v {
		err = errForeignSources
	}
	if err != nil {
		a.problem(r.wrong(err))
		return nil
	}
	return sources
}

var errForeignSources = errors.New(
	"the catalogue's sources and itineraries have different vocabularies; make the sources with that of the itineraries")

// noteToday notes the flags for which the objects and the state differ.
func (a *app) noteToday(ctx context.Context, sources *phases.Sources, v *phases.Vocabulary, known phases.Facts, r *Run) {
	now := sources.Evaluate(ctx, phases.Request{Read: known.Known()}).Facts
	var all []string
	for flag := range (known.Known() & now.Known()).Each {
		if now.Of(flag) != known.Of(flag) {
			all = append(all, v.Names(flag)[0]+"="+truthWord(now.Of(flag)))
		}
	}
	if len(all) > 0 {
		a.line("note: %v", r.wrong(fmt.Errorf(
			"the objects give %s today; the run uses its recorded flags (plan --today uses the objects)", wording.List(all, "and"))))
	}
}

// unknownOf prints, for each unknown flag that a plan depends on, why it is unknown.
func (a *app) unknownOf(r *Run, f finding, p *machine.Plan) {
	if f.missing != nil {
		a.problem(f.missing)
		return
	}
	matters := p.Matters()
	notBegun := func(e *phases.FlagError) bool { return errors.Is(e, errNotBegun) }
	if f.unrecorded == errNotBegun && f.sources == nil && slices.ContainsFunc(f.errors, notBegun) {
		var names []string
		for _, e := range f.errors {
			if flag, _ := f.vocabulary.Lookup(e.Flag); matters.Has(flag) && notBegun(e) {
				names = append(names, e.Flag)
			}
		}
		if names != nil {
			a.problem(r.wrong(&notBegunError{names}))
		}
		return
	}
	a.unknownFlags(p, f.errors, r.wrong)
}

// notBegunError reports that flags are unknown because the run has not begun.
type notBegunError struct{ flags []string }

func (e *notBegunError) Error() string {
	return fmt.Sprintf("it has not begun, and records no flag; give %s a value with --set", wording.Few(e.flags))
}

// choose returns the run of that name, or the only run if the name is empty, for a command
// that takes one run.
func (a *app) choose(all *reading, command, name string) (*Run, error) {
	var found []string
	var chosen *Run
	for _, r := range all.Runs {
		if name == "" || r.is(name) {
			chosen, found = r, append(found, r.ref())
		}
	}
	switch {
	case len(found) == 1:
		return chosen, nil
	case len(found) == 0:
		return nil, a.noRunNamed(all, name)
	}
	return nil, fmt.Errorf("%s takes one %s; give --name with one of %s", command, a.noun(), wording.Few(found))
}

// is reports whether a name refers to the run: the name of its object, with the item if the
// object has many, with or without the namespace. The name of the object alone refers to
// all its items.
func (r *Run) is(name string) bool {
	return name == r.name() || name == r.ref() || r.Item != "" && (name == r.object().Name || name == r.object().String())
}

// noun and kind are the words for runs and their objects.
func (a *app) noun() string {
	if !a.isBuiltin() && !a.ofKind {
		return "run"
	}
	return a.catalogue.noun()
}

func (a *app) kind() string {
	if !a.isBuiltin() {
		return "object that holds a state"
	}
	return a.catalogue.kind()
}

// stateRuns finds the runs of objects that hold states, and a run for each object of the
// catalogue's kind that holds none.
func (a *app) stateRuns(all *Objects) Reading {
	var runs []*Run
	var without []string // objects of the catalogue's kind without a state
	var missing error    // for the object that has most of the path
	most, held := 0, false
	for _, o := range all.List {
		if o.Broken() {
			continue
		}
		found, holds := a.runsOf(o, all)
		runs = append(runs, found...)
		if holds {
			held = true
			continue
		}
		switch {
		case o.Kind != a.catalogue.Kind || o.Kind == "":
		case a.isBuiltin():
			runs = append(runs, a.stateRun(o, all, foundState{}))
		default:
			without = append(without, o.Ref.String())
		}
		if e := a.stateAt.missing(o.JSON); e != nil && a.isBuiltin() && len(e.Missing) > most {
			missing, most = o.Wrong(e), len(e.Missing)
		}
	}
	none := a.noRun(all)
	switch {
	case missing == nil || held:
	case most > len(memberPath(a.stateAt.parts[0].name)): // the path is wrong, so nothing is known of the runs
		runs, none = nil, missing
	default: // the path is wrong, or no run has begun
		a.problem(missing)
	}
	a.ofKind = !slices.ContainsFunc(runs, func(r *Run) bool { return r.Object.Kind != a.catalogue.Kind })
	if len(runs) > 0 {
		a.leftOut = without
	}
	return Reading{Runs: runs, None: none}
}

// runsOf finds the runs of an object that holds states, and reports whether it holds any.
// It prints states that cannot be read as problems.
func (a *app) runsOf(o *Object, all *Objects) (runs []*Run, holds bool) {
	found, errs := findStates(o.JSON, a.stateAt)
	for _, err := range errs {
		a.problemOf(o.stream, func() error { return o.Wrong(err) })
	}
	for _, f := range found {
		runs = append(runs, a.stateRun(o, all, f))
	}
	return runs, len(found)+len(errs) > 0
}

// stateRun returns the run of a state.
func (a *app) stateRun(o *Object, all *Objects, f foundState) *Run {
	r := &Run{Object: o, Item: f.item}
	r.Itinerary, r.SelectErr = a.selected(o, f)
	if a.isBuiltin() && a.catalogue.Sources != nil {
		r.Sources = func() (*phases.Sources, error) {
			return protect(func() (*phases.Sources, error) { return a.catalogue.Sources(o, f.item, all) })
		}
	}
	recorded := Recorded{State: f.state, Own: true, Itinerary: f.state.Itinerary, Phase: f.state.Phase, Done: f.state.Done}
	for i := range f.state.Pipeline {
		if step := &f.state.Pipeline[i]; step.Ran() {
			recorded.Started = append(recorded.Started, step.Name)
		}
	}
	r.Recorded = func() Recorded { return recorded }
	return r
}

// protect calls a function of a catalogue for one run. It turns a panic into an error of
// that run, so that the others are still shown.
func protect[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return call()
}

// selected returns the name of the itinerary that a run is on.
func (a *app) selected(o *Object, f foundState) (string, error) {
	recorded, all := f.state.Itinerary, a.objectsFamily()
	switch {
	case recorded != "" && (!a.isBuiltin() || a.catalogue.Select == nil || f.state.Done):
		return recorded, nil
	case !a.isBuiltin() && len(all.graphs) > 1:
		return "", fmt.Errorf("it has not begun, and may be on any of the itineraries %s; plan one with -i FILE#NAME --flags FLAG,FLAG",
			strings.Join(all.names(), ", "))
	case !a.isBuiltin() || a.catalogue.Select == nil:
		return all.graphs[0].Name(), nil
	}
	selected, err := protect(func() (string, error) { return a.catalogue.Select(o, f.item) })
	if err != nil || recorded == "" {
		return selected, err
	}
	resumed, err := a.catalogue.Itineraries.Resume(f.state.Checkpoint, selected)
	var unknown *phases.UnknownItineraryError
	switch {
	case errors.As(err, &unknown):
		return "", err
	case err != nil: // the run stays; [app.position] reports the error
		return recorded, nil
	}
	return resumed.Graph().Name(), nil
}

// recordedFacts returns the facts with which a runner resumes an itinerary: those of the
// state, without those that may have changed since. It ignores flags that no longer exist.
func (a *app) recordedFacts(s runner.State, g *machine.Graph) phases.Facts {
	if set, err := a.objectsFamily().set(); err == nil {
		if resumed, err := set.Resume(s.Checkpoint, g.Name()); err == nil && resumed.Graph().Name() == g.Name() {
			return resumed.Facts()
		}
	}
	if s.Itinerary != g.Name() {
		return phases.Facts{}
	}
	return g.Vocabulary().Facts(s.Facts)
}
