package debug

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/passed"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// runView is the page of one run at one of its moments.
type runView struct {
	meta
	row
	// Doing describes in a sentence what the run does.
	Doing string `json:"doing"`
	// Error is the last error.
	Error string `json:"error,omitempty"`
	// Run is the number of this run of its object, from 1.
	Run int64 `json:"run"`
	// Moment is the number of the shown moment. Moments are counted from 1, including
	// dropped ones. Oldest to Newest are recorded.
	Moment int  `json:"moment"`
	Oldest int  `json:"oldestMoment"`
	Newest int  `json:"newestMoment"`
	At     when `json:"at"`
	Seen   when `json:"seen,omitzero"`

	Pipeline []stepView `json:"pipeline"`
	// MaybeSteps are not in the pipeline but may still come, depending on unknown flags
	// or a choice.
	MaybeSteps []string      `json:"maybeSteps,omitempty"`
	Phases     []phaseView   `json:"phases,omitempty"`
	LeftOut    []leftOut     `json:"leftOut,omitempty"`
	Facts      []factView    `json:"facts,omitempty"`
	Timeline   []visit       `json:"timeline,omitempty"`
	Events     []eventView   `json:"events,omitempty"`
	Failures   []failureView `json:"failures,omitempty"`
	Switches   []switched    `json:"switches,omitempty"`
	Runs       []pastRun     `json:"runs,omitempty"`
	// Dropped counts what the bounds of the history dropped.
	DroppedMoments int `json:"droppedMoments,omitempty"`
	DroppedEvents  int `json:"droppedEvents,omitempty"`
	// Cut reports whether the state was too large to be recorded whole.
	Cut bool `json:"cut,omitempty"`
	// Unplanned describes why there is no plan, and so no graph; empty if there is one.
	Unplanned string `json:"unplanned,omitempty"`

	set    *machine.Set
	plan   *machine.Plan
	latest bool
	// complete reports whether the timeline has every visit since the first.
	complete bool
	// drawn are the itineraries of the graph, and switches the switches between them.
	drawn    []dump.Itinerary
	switches []dump.Switch
}

// stepView is a step of the pipeline as users see it.
type stepView struct {
	Name      string   `json:"name"`
	State     string   `json:"state"`
	Phase     string   `json:"phase,omitempty"`
	Message   string   `json:"message,omitempty"`
	Progress  []string `json:"progress,omitempty"`
	Started   when     `json:"started,omitzero"`
	Completed when     `json:"completed,omitzero"`
	// Took is how long the step has been open, in seconds. It is 0 if the step continues
	// later, because the time it was left is not recorded.
	Took length `json:"took,omitempty"`
	Look look   `json:"-"`
}

// Open reports whether the step runs.
func (s stepView) Open() bool { return s.State == stepOpen }

// Timed reports whether the step has started and Took is known.
func (s stepView) Timed() bool { return !s.Started.IsZero() && s.State != stepContinues }

// The states of a step.
const (
	stepDone      = "completed"
	stepFailed    = "failed"
	stepCanceled  = "canceled"
	stepOpen      = "running"
	stepContinues = "continues later"
	stepLater     = "not started"
	stepMaybe     = "may run"
)

var stepLooks = map[string]look{
	stepDone:      {"succeeded", "good", "Completed"},
	stepFailed:    {"failed", "bad", "Failed"},
	stepCanceled:  {"canceled", "calm", "Canceled"},
	stepOpen:      {"working", "go", "Running"},
	stepContinues: {"waiting", "calm", steps.MessageContinues},
	stepLater:     {"notbegun", "calm", "Not started"},
	stepMaybe:     {"unknown", "warn", "May run"},
}

// phaseView is a phase of the itinerary with its place in the plan.
type phaseView struct {
	Name      string       `json:"name"`
	Step      string       `json:"step,omitempty"`
	Runs      string       `json:"runs"`
	Current   bool         `json:"current,omitempty"`
	Tentative bool         `json:"tentative,omitempty"`
	Why       *machine.Why `json:"why,omitempty"`
}

// leftOut is a step that is not shown, and why.
type leftOut struct {
	Step string `json:"step"`
	// Itinerary is the itinerary of the step, if the run has left it.
	Itinerary string   `json:"itinerary,omitempty"`
	Why       string   `json:"why"`
	Phases    []string `json:"phases"`
}

// factView is a flag and what is known of it.
type factView struct {
	Flag        string   `json:"flag"`
	Value       string   `json:"value"`
	Evaluated   when     `json:"evaluated,omitzero"`
	Live        bool     `json:"live,omitempty"`
	DecidedBy   []string `json:"decidedBy,omitempty"`
	Description string   `json:"description,omitempty"`
	// Read reports whether the itinerary reads the flag.
	Read bool `json:"read"`
}

// Decided describes what may change the flag.
func (f factView) Decided() string {
	switch {
	case !f.Read:
		return "not read here"
	case f.Live:
		return "live: may change at any moment"
	case len(f.DecidedBy) == 0:
		return "no phase decides it"
	}
	return "decided by " + wording.Few(f.DecidedBy)
}

// visit is a stay in a phase, as far as its moments are recorded.
type visit struct {
	Itinerary string `json:"itinerary"`
	Phase     string `json:"phase"`
	Step      string `json:"step,omitempty"`
	Entered   when   `json:"entered"`
	// Took is how long it was, or has been, the current phase.
	Took    length `json:"took"`
	Current bool   `json:"current,omitempty"`
	Failed  bool   `json:"failed,omitempty"`
	// begin and part are the start and length of its bar, in percent.
	begin, part float64
}

// stretch is a sequence of visits in one step of one itinerary.
type stretch struct {
	// Title is the step, with the itinerary if it differs from the previous one.
	Title  string
	Took   length
	Visits []visit
}

// Stretches groups the visits of the timeline by the steps that show them.
func (p *runView) Stretches() (all []stretch) {
	for i, v := range p.Timeline {
		if i == 0 || v.Step != p.Timeline[i-1].Step || v.Itinerary != p.Timeline[i-1].Itinerary {
			title := cmp.Or(v.Step, "No step")
			if i > 0 && v.Itinerary != p.Timeline[i-1].Itinerary {
				title += ", itinerary " + v.Itinerary
			}
			all = append(all, stretch{Title: title})
		}
		last := &all[len(all)-1]
		last.Took += v.Took
		last.Visits = append(last.Visits, v)
	}
	return all
}

// Begin is the start of the bar as an SVG number.
func (v visit) Begin() string { return strconv.FormatFloat(v.begin, 'f', 2, 64) }

// Part is the length of the bar as an SVG number.
func (v visit) Part() string { return strconv.FormatFloat(v.part, 'f', 2, 64) }

type eventView struct {
	At   when   `json:"at"`
	Kind string `json:"kind"`
	Text string `json:"text"`
	// Moment is the number of the moment after the event; 0 if that was dropped.
	Moment int `json:"moment,omitempty"`
	// Count is the number of consecutive occurrences, and Last the time of the last one.
	Count int    `json:"count,omitempty"`
	Last  when   `json:"last,omitzero"`
	Page  string `json:"-"`
}

func newEventView(e Event, dropped int, now time.Time) eventView {
	v := eventView{At: when{e.At, now}, Kind: e.Kind, Text: e.Text}
	if e.Moment >= 0 {
		v.Moment = dropped + e.Moment + 1
	}
	if e.Count > 1 {
		v.Count, v.Last = e.Count, when{e.Last, now}
	}
	return v
}

// Shown is the time that lists show. For a repeated event it is the last occurrence,
// which the text describes.
func (e eventView) Shown() when {
	if e.Count < 2 || e.goesOn() {
		return e.At
	}
	return e.Last
}

// goesOn reports whether the event also happened after the shown moment.
func (e eventView) goesOn() bool { return e.Last.at.After(e.Last.now) }

// Times describes the number of occurrences, to follow the text; empty if there was one.
func (e eventView) Times() string {
	switch {
	case e.Count < 2:
		return ""
	case e.goesOn():
		return fmt.Sprintf("; %d times until %s, also after this moment", e.Count, e.Last.Clock())
	}
	return fmt.Sprintf("; %d times since %s", e.Count, e.At.Clock())
}

type failureView struct {
	Itinerary string   `json:"itinerary"`
	Phase     string   `json:"phase"`
	Reasons   []string `json:"reasons,omitempty"`
	At        when     `json:"at"`
	// Moment is the number of the latest moment in the phase before the run left it; 0 if
	// none is recorded.
	Moment int    `json:"moment,omitempty"`
	Page   string `json:"-"`
}

type switched struct {
	From   string `json:"from"`
	Phase  string `json:"phase,omitempty"`
	To     string `json:"to"`
	Reason string `json:"reason"`
	At     when   `json:"at"`
}

type pastRun struct {
	Result    phases.Result `json:"result,omitempty"`
	Itinerary string        `json:"itinerary,omitempty"`
	Phase     string        `json:"phase,omitempty"`
	Started   when          `json:"started,omitzero"`
	Ended     when          `json:"ended,omitzero"`
}

var runParameters = []parameter{{name: "name"}, {name: "item"}, {name: "moment"}}

// momentOf returns the index of the moment that a query asks for by number. The default
// is the latest.
func momentOf(q query, run Run) (int, error) {
	last := len(run.Moments) - 1
	text := q.get("moment")
	if text == "" {
		return last, nil
	}
	n, err := strconv.Atoi(text)
	i := n - 1 - run.DroppedMoments
	oldest, newest := run.DroppedMoments+1, run.DroppedMoments+len(run.Moments)
	if err == nil && n >= 1 && i < 0 {
		return 0, &requestError{status: notFound,
			Message: fmt.Sprintf("moment %d was dropped to bound the history; the moments %d to %d are recorded", n, oldest, newest)}
	}
	if err != nil || n < 1 || i > last {
		return 0, &requestError{status: badRequest, Message: fmt.Sprintf("the parameter moment does not take %q; "+
			"the moments %d to %d are recorded, and without it the latest is shown", shorten(text), oldest, newest)}
	}
	return i, nil
}

// newRunView describes a run at the moment of index i.
func newRunView(rec *Recorder, run Run, i int, now time.Time) *runView {
	m := run.Moments[i]
	latest := i == len(run.Moments)-1
	if !latest {
		now = m.At // the time of the moment
		run.Next, run.Seen, run.Attempts = time.Time{}, time.Time{}, 0
	}
	at := func(t time.Time) when { return when{t, now} }
	s := &m.State
	p := &runView{
		row: newRow(rec, run, m, now), Run: max(s.Run, 1),
		Moment: run.DroppedMoments + i + 1, Oldest: run.DroppedMoments + 1, Newest: run.DroppedMoments + len(run.Moments),
		At: at(m.At), Seen: at(run.Seen),
		DroppedMoments: run.DroppedMoments, DroppedEvents: run.DroppedEvents,
		Cut: m.Cut,
		set: rec.o.Itineraries, plan: rec.Plan(m), latest: latest,
	}
	if s.Retry != nil {
		p.Error = s.Retry.Error
	}
	if s.Stopped != nil {
		p.Error = s.Stopped.Error
	}
	p.Doing = p.sentence(s)
	p.pipeline(s, now)
	p.timeline(run, i, now)
	p.planned(s)
	p.facts(s, run, now)
	for _, e := range slices.Backward(run.Events) {
		if !latest && e.At.After(m.At) {
			continue
		}
		view := newEventView(e, run.DroppedMoments, now)
		if e.Moment >= 0 && e.Moment < len(run.Moments) {
			view.Page = p.MomentPage(view.Moment)
		}
		p.Events = append(p.Events, view)
	}
	for _, f := range s.Failures {
		v := failureView{Itinerary: f.Itinerary, Phase: f.Phase, Reasons: f.Reasons, At: at(f.At.Time)}
		for k, m := range run.Moments[:i] {
			if m.State.Visit == f.Visit && m.State.Phase == f.Phase && m.State.Itinerary == f.Itinerary {
				v.Moment = run.DroppedMoments + k + 1
				v.Page = p.MomentPage(v.Moment)
			}
		}
		p.Failures = append(p.Failures, v)
	}
	for _, w := range s.Switches {
		p.Switches = append(p.Switches, switched{w.From, w.Phase, w.To, switchReason(w.Reason), at(w.At.Time)})
	}
	for _, r := range s.Runs {
		p.Runs = append(p.Runs, pastRun{r.Result, r.Itinerary, r.Phase, at(r.Started.Time), at(r.Ended.Time)})
	}
	return p
}

func switchReason(r runner.SwitchReason) string {
	switch r {
	case runner.SwitchFailed:
		return "a phase failed"
	case runner.SwitchSelected:
		return "the object selected it"
	}
	return string(r)
}

// sentence describes what happens.
func (p *runView) sentence(s *runner.State) string {
	var b strings.Builder
	in := ""
	if p.Phase != "" {
		in = " in phase " + p.Phase
	}
	since := ""
	if !p.Since.IsZero() {
		since = " for " + p.Since.Ago()
	}
	why := ""
	if p.Why != "" && strings.TrimPrefix(p.Why, runner.PausedPrefix) != p.Error {
		why = ": " + p.Why
	}
	switch runner.Activity(p.Activity) {
	case runner.ActivityNotBegun:
		b.WriteString("Has not begun" + why)
	case runner.ActivityWaiting:
		b.WriteString("Waiting" + in + since + why)
	case runner.ActivityRetrying:
		fmt.Fprintf(&b, "Retrying%s%s: attempt %d failed%s", in, since, max(p.Attempts, 1), why)
	case runner.ActivityFlagsUnknown:
		fmt.Fprintf(&b, "Cannot continue%s%s, because %s unknown", in, since, flagsAre(p.Flags))
		b.WriteString(why)
	case runner.ActivityPaused:
		b.WriteString("Paused" + in + since + strings.Replace(why, ": ", "; ", 1))
	case runner.ActivityStopped:
		b.WriteString("Stopped" + in + since + why + ". It continues once the object or the release is fixed")
	case runner.ActivityDone:
		if s.Result == phases.Failed && why != "" {
			b.WriteString("Failed")
			if !p.Since.IsZero() {
				b.WriteString(" " + p.Since.Away())
			}
			b.WriteString(why)
			if n := int(s.FailedPhases) - 1; n > 0 {
				b.WriteString("; " + plural(n, "more phase") + " failed")
			}
			if n := int(s.FailedInCleanup); n > 0 {
				b.WriteString("; " + plural(n, "phase") + " failed in cleanup")
			}
			break
		}
		b.WriteString("Done")
		if !p.Since.IsZero() {
			b.WriteString(" " + p.Since.Away())
		}
		if l, known := resultLooks[p.Result]; known {
			b.WriteString(": " + strings.ToLower(l.Text))
		}
		if n := int(s.FailedPhases); n > 0 {
			b.WriteString(", " + plural(n, "phase") + " failed")
		}
		if n := int(s.FailedInCleanup); n > 0 {
			b.WriteString(", " + plural(n, "phase") + " failed in cleanup")
		}
	default:
		b.WriteString("Working" + in + since + why)
	}
	if p.Overdue {
		return strings.TrimRight(b.String(), ".") + ". Its deadline passed " + p.Deadline.Away() + "."
	}
	return strings.TrimRight(b.String(), ".") + "."
}

func flagsAre(flags []string) string {
	switch len(flags) {
	case 0:
		return "flags are"
	case 1:
		return flags[0] + " is"
	}
	return wording.Few(flags) + " are"
}

// pipeline describes the steps as users see them.
func (p *runView) pipeline(s *runner.State, now time.Time) {
	p.Pipeline = make([]stepView, 0, len(s.Pipeline))
	for _, step := range s.Pipeline {
		v := stepView{Name: step.Name, Phase: step.Phase, Message: step.Message, Progress: step.Progress, State: stepLater}
		end := now
		if step.Ran() {
			v.State = stepOpen
			if step.Phase == "" && step.Message == steps.MessageContinues {
				v.State = stepContinues
			}
		}
		if !step.Started.IsZero() {
			v.Started = when{step.Started.Time, now}
		}
		if step.Completed != nil && !step.Completed.IsZero() {
			v.Completed = when{step.Completed.Time, now}
			v.State = stepDone
			end = step.Completed.Time
		}
		if v.Timed() {
			v.Took = length(max(end.Sub(v.Started.at), 0))
		}
		switch {
		case step.Failed:
			v.State = stepFailed
		case step.Message == steps.MessageCanceled:
			v.State = stepCanceled
		}
		v.Look = stepLooks[v.State]
		if v.State == stepOpen {
			v.Look = p.look // a step does what the run does
			if cur := s.Pipeline.Current(); p.Done || cur == nil || cur.Name != step.Name {
				v.Look = stepLooks[stepOpen]
			}
		}
		if strings.EqualFold(v.Message, v.Look.Text) || strings.EqualFold(v.Message, stepLooks[v.State].Text) {
			v.Message = "" // the look shows it
		}
		p.Pipeline = append(p.Pipeline, v)
	}
}

// planned describes the plan: the phases, and which steps are left out and why.
func (p *runView) planned(s *runner.State) {
	if p.plan == nil {
		p.Unplanned = fmt.Sprintf("Nothing can be planned: this controller has no itinerary %q with a phase %q.", s.Itinerary, s.Phase)
		if s.Itinerary == "" {
			p.Unplanned = "Nothing can be planned before an itinerary is selected."
		}
		return
	}
	p.maybe()
	whole := p.plan.Graph().Plan(p.plan.Facts())
	p.Phases = phasesOf(p.plan)
	for i := range p.Phases {
		v := &p.Phases[i]
		switch {
		case p.visited(s.Itinerary, v.Name):
		case p.complete && v.Why != nil && v.Why.Guard == machine.WhyBehind && whole.Runs(i) == phases.False:
			v.Why = whole.Why(i) // it did not run
		default:
			v.Why = passed.Why(p.plan, whole, i, v.Why)
		}
	}
	shown := make(map[string]bool)
	for _, step := range s.Pipeline {
		shown[step.Name] = true
	}
	for _, name := range append(steps.Visible(p.plan), p.MaybeSteps...) {
		shown[name] = true
	}
	p.LeftOut = stepsLeftOut(whole, shown)
	p.left(s, shown)
	p.broken(s)
}

// maybe finds the steps that may run, depending on unknown flags or a choice: those of
// the pipeline that have not started, and MaybeSteps.
func (p *runView) maybe() {
	for _, name := range steps.Possible(p.plan) {
		i := slices.IndexFunc(p.Pipeline, func(v stepView) bool { return v.Name == name })
		if i < 0 {
			p.MaybeSteps = append(p.MaybeSteps, name)
		} else if v := &p.Pipeline[i]; v.State == stepLater {
			v.State, v.Look, v.Message = stepMaybe, stepLooks[stepMaybe], ""
		}
	}
}

// left describes the steps of the itineraries that the run has left: those it did not
// reach, and those that its flags leave out.
func (p *runView) left(s *runner.State, shown map[string]bool) {
	for _, out := range p.LeftOut {
		shown[out.Step] = true
	}
	var left []leftOut
	for _, w := range s.Switches {
		g, err := p.set.Graph(w.From)
		if err != nil || g.Vocabulary() != p.plan.Graph().Vocabulary() {
			continue // from another release
		}
		plan := g.Plan(p.plan.Facts())
		why := "not reached: the run left " + w.From
		if w.Phase != "" {
			why += " in phase " + w.Phase
		}
		for _, l := range stepsLeftOut(plan, shown) {
			l.Itinerary = w.From
			if slices.Contains(steps.Visible(plan), l.Step) || slices.Contains(steps.Possible(plan), l.Step) {
				l.Why = why
			}
			shown[l.Step] = true
			left = append(left, l)
		}
	}
	p.LeftOut = append(left, p.LeftOut...)
}

// broken finds the itineraries that the run left after a phase failed. They are drawn
// before the current one.
func (p *runView) broken(s *runner.State) {
	failures := s.Failures
	if at := s.FailedAt; at != nil {
		failures = append(failures[:len(failures):len(failures)], runner.Failure{Itinerary: at.Itinerary, Phase: at.Phase})
	}
	g := p.plan.Graph()
	p.drawn = []dump.Itinerary{{Plan: p.plan}}
	for _, f := range failures {
		of, err := p.set.Graph(f.Itinerary)
		if err != nil {
			continue // from another release
		}
		if _, err := of.Lookup(f.Phase); err != nil {
			continue
		}
		k := slices.IndexFunc(p.drawn, func(it dump.Itinerary) bool {
			return it.Graph == of || it.Plan != nil && g.Name() == of.Name()
		})
		if k < 0 {
			k = len(p.drawn) - 1 // the current itinerary stays last
			p.drawn = slices.Insert(p.drawn, k, dump.Itinerary{Graph: of})
		}
		if it := &p.drawn[k]; !slices.Contains(it.Failed, f.Phase) {
			it.Failed = append(it.Failed, f.Phase)
		}
	}
	for _, w := range s.Switches {
		p.switches = append(p.switches, dump.Switch{From: w.From, To: w.To, When: switchReason(w.Reason)})
	}
}

// NoneLeftOut states that no step is left out; empty if one is.
func (p *runView) NoneLeftOut() string {
	switch {
	case p.Unplanned != "" || len(p.LeftOut) > 0:
		return ""
	case len(p.MaybeSteps) > 0:
		return "Nothing is left out yet: " + wording.List(p.MaybeSteps, "and") + " may still come."
	}
	return "Every step of this itinerary is shown."
}

// visited reports whether the run was in a phase, as far as that is recorded. Its flags
// may have changed since.
func (p *runView) visited(itinerary, phase string) bool {
	return slices.ContainsFunc(p.Timeline, func(v visit) bool { return v.Itinerary == itinerary && v.Phase == phase })
}

var runsWords = map[phases.Truth]string{phases.True: "yes", phases.False: "no", phases.Unknown: "unknown"}

// phasesOf describes the phases of a plan, in the order of the itinerary.
func phasesOf(plan *machine.Plan) []phaseView {
	g := plan.Graph()
	all := make([]phaseView, g.Len())
	under := steps.DisplaySteps(plan)
	for i := range all {
		f := plan.Phase(i)
		all[i] = phaseView{
			Name: f.Name, Step: f.Step, Runs: runsWords[f.Runs], Tentative: f.Tentative, Why: f.Why, Current: plan.Current() == i,
		}
		if i < len(under) && under[i] != "" {
			all[i].Step = under[i]
		}
	}
	return all
}

// Word describes the phase's place in the plan in a word or two.
func (v phaseView) Word() string {
	switch {
	case v.Current:
		return "current"
	case v.Why != nil && v.Why.Guard == machine.WhyBehind:
		return "behind"
	case v.Runs == "yes":
		return "runs"
	case v.Runs == "no":
		return "left out"
	case v.Why != nil && v.Why.Guard == machine.WhyChoice:
		return "by choice"
	}
	return "may run"
}

// Plan is Word, and whether that may still change.
func (v phaseView) Plan() string {
	if v.Tentative {
		return v.Word() + ", tentative"
	}
	return v.Word()
}

// Reason describes why the phase does not run, or what that depends on.
func (v phaseView) Reason() string {
	if v.Why == nil {
		return ""
	}
	text := v.Why.Text
	if v.Why.Guard == machine.WhyBehind {
		return ""
	}
	return text + wording.DecidedBy(v.Why.DecidedBy)
}

// stepsLeftOut describes the steps that are not shown. plan must be from the start,
// because being behind does not explain why a step was left out.
func stepsLeftOut(plan *machine.Plan, shown map[string]bool) []leftOut {
	g := plan.Graph()
	var all []leftOut
	for k, name := range g.Steps() {
		if shown[name] {
			continue
		}
		out := leftOut{Step: name}
		var reasons, riding []string
		for i := range g.Len() {
			if !slices.Contains(g.StepsOf(i), k) {
				continue
			}
			phase := g.Phase(i).Name
			out.Phases = append(out.Phases, phase)
			text := "it was passed by before its flags had their current values"
			switch why := plan.WhyUnder(i, k); {
			case why != nil:
				text = why.Text
			case g.Rides(i):
				riding = append(riding, phase)
				continue
			}
			if !slices.Contains(reasons, text) {
				reasons = append(reasons, text)
			}
		}
		const most = 4
		if n := len(reasons); n > most {
			reasons = append(reasons[:most:most], fmt.Sprintf("%d other reasons", n-most))
		}
		if len(riding) > 0 {
			reasons = append(reasons, wording.Few(riding)+" "+verb(riding, "rides and does", "ride and do")+" not show it")
		}
		out.Why = strings.Join(reasons, "; ")
		all = append(all, out)
	}
	return all
}

// facts describes the flags. Those that the itinerary reads come first.
func (p *runView) facts(s *runner.State, run Run, now time.Time) {
	r := s.Facts
	value := make(map[string]string)
	for _, name := range r.Unknown {
		value[name] = "unknown"
	}
	for _, name := range r.False {
		value[name] = "false"
	}
	for _, name := range r.True {
		value[name] = "true"
	}
	evaluated := func(name string) when {
		t := run.Evaluated[name]
		if t.After(p.At.at) && !p.latest {
			t = time.Time{} // evaluated again later; the earlier time is not recorded
		}
		return when{t, now}
	}
	if p.plan != nil {
		g := p.plan.Graph()
		reads := g.Reads()
		for _, def := range g.Vocabulary().Defs() {
			if !reads.Has(def.Flag) {
				continue
			}
			f := flagView(g, def)
			f.Value = value[def.Name]
			if f.Value == "" {
				f.Value = "unknown"
			}
			f.Evaluated = evaluated(def.Name)
			p.Facts = append(p.Facts, f)
			delete(value, def.Name)
		}
	}
	rest := make([]string, 0, len(value))
	for name := range value {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	for _, name := range rest {
		p.Facts = append(p.Facts, factView{Flag: name, Value: value[name], Evaluated: evaluated(name)})
	}
}

// flagView describes a flag that an itinerary reads.
func flagView(g *machine.Graph, def phases.FlagDef) factView {
	f := factView{Flag: def.Name, Description: def.Description, Live: def.Live, Read: true}
	for i := range g.Len() {
		if g.Phase(i).Decides.Has(def.Flag) {
			f.DecidedBy = append(f.DecidedBy, g.Phase(i).Name)
		}
	}
	return f
}

// timeline describes the visits to phases up to the moment of index i.
func (p *runView) timeline(run Run, i int, now time.Time) {
	var all []visit
	var last *runner.State
	for k := range run.Moments[:i+1] {
		m := &run.Moments[k]
		s := &m.State
		if last != nil && len(all) > 0 && (s.Visit != last.Visit || s.Phase != last.Phase || s.Itinerary != last.Itinerary || s.Done) {
			open := &all[len(all)-1]
			if open.Current {
				end := m.At
				if s.Entered != nil && s.Visit != last.Visit && !s.Done {
					end = s.Entered.Time
				}
				open.Took = length(max(end.Sub(open.Entered.at), 0))
				open.Current = false
			}
		}
		begins := last == nil || s.Visit != last.Visit || s.Phase != last.Phase || s.Itinerary != last.Itinerary
		if begins && s.Phase != "" && !s.Done {
			v := visit{Itinerary: s.Itinerary, Phase: s.Phase, Entered: when{m.At, now}, Current: true}
			if s.Entered != nil {
				v.Entered.at = s.Entered.Time
			}
			if step := s.Pipeline.Current(); step != nil {
				v.Step = step.Name
			}
			all = append(all, v)
		}
		if len(all) > 0 && s.PhaseFailed() {
			all[len(all)-1].Failed = true
		}
		last = s
	}
	if n := len(all); n > 0 && all[n-1].Current {
		all[n-1].Took = length(max(now.Sub(all[n-1].Entered.at), 0))
	}
	for k := range run.Moments[:i+1] {
		if s := &run.Moments[k].State; k == i || s.Run != run.Moments[k+1].State.Run { // the last moment of each run has its failures
			markFailed(all, s.Failures)
		}
	}
	scale(all)
	p.Timeline = all
	next := int64(1)
	p.complete = run.DroppedMoments == 0
	for k := range run.Moments[:i+1] {
		visit := run.Moments[k].State.Visit
		p.complete = p.complete && visit <= next
		next = visit + 1
	}
}

// markFailed marks the visits whose phases have failed.
func markFailed(all []visit, failures []runner.Failure) {
	for _, f := range failures {
		for k := range all {
			if v := &all[k]; v.Phase == f.Phase && v.Itinerary == f.Itinerary && !f.At.Time.Before(v.Entered.at) &&
				(k+1 == len(all) || !f.At.Time.After(all[k+1].Entered.at)) {
				v.Failed = true
			}
		}
	}
}

// scale places the bars of a timeline between 0 and 100.
func scale(all []visit) {
	if len(all) == 0 {
		return
	}
	begin, end := all[0].Entered.at, all[0].Entered.at
	for _, v := range all {
		if t := v.Entered.at.Add(time.Duration(v.Took)); t.After(end) {
			end = t
		}
		if v.Entered.at.Before(begin) {
			begin = v.Entered.at
		}
	}
	whole := end.Sub(begin).Seconds()
	for k := range all {
		v := &all[k]
		v.part = 100
		if whole > 0 {
			v.begin = v.Entered.at.Sub(begin).Seconds() / whole * 100
			v.part = time.Duration(v.Took).Seconds() / whole * 100
		}
		v.part = max(v.part, 0.5) // minimum visible length
		v.begin = min(v.begin, 100-v.part)
	}
}

// MomentPage is the page of the moment with the given number. The latest is the page of
// the run itself.
func (p *runView) MomentPage(n int) string {
	if n >= p.Newest {
		return runLink("run", p.name)
	}
	return runLink("run", p.name, "moment", strconv.Itoa(n))
}

// Previous is the page of the preceding moment; empty if there is none.
func (p *runView) Previous() string {
	if p.Moment <= p.Oldest {
		return ""
	}
	return p.MomentPage(p.Moment - 1)
}

// Following is the page of the next moment; empty if there is none.
func (p *runView) Following() string {
	if p.Moment >= p.Newest {
		return ""
	}
	return p.MomentPage(p.Moment + 1)
}

// Read are the flags that the itinerary reads.
func (p *runView) Read() []factView { return p.Facts[:p.unread()] }

// Unread are the other flags.
func (p *runView) Unread() []factView { return p.Facts[p.unread():] }

func (p *runView) unread() int {
	i := slices.IndexFunc(p.Facts, func(f factView) bool { return !f.Read })
	if i < 0 {
		return len(p.Facts)
	}
	return i
}

// Latest reports whether the shown moment is the latest.
func (p *runView) Latest() bool { return p.latest }

// ObjectName is the parameter "name" of the page.
func (p *runView) ObjectName() string { return p.name.object() }

// Graph is the link to the graph at this moment.
func (p *runView) Graph(format string) string {
	n := ""
	if !p.latest {
		n = strconv.Itoa(p.Moment)
	}
	return runLink("graph", p.name, "moment", n, "format", format)
}

// History is the link to the whole history.
func (p *runView) History() string { return runLink("history", p.name) }

// EventStream is the link to the events of the run.
func (p *runView) EventStream() string { return runLink("events", p.name) }

func (p *runView) page() string  { return "run" }
func (p *runView) title() string { return p.FullName() }

func (p *runView) text(t *text) {
	t.line(p.FullName())
	t.line(p.Doing)
	if !p.latest {
		t.line(fmt.Sprintf("Moment %d of %d, at %s.", p.Moment, p.Newest, p.At.Exact()))
	}
	pairs := [][]string{
		{"itinerary", p.Itinerary}, {"step", p.Step}, {"phase", p.Phase}, {"progress", p.Progress},
		{"next try", p.Next.Due()}, {"deadline", p.Deadline.Away()}, {"last error", p.Error},
	}
	pairs = slices.DeleteFunc(pairs, func(pair []string) bool { return pair[1] == "" })
	if len(pairs) > 0 {
		t.heading("Overview")
		t.table(nil, pairs)
	}
	t.heading("Pipeline")
	var rows [][]string
	for _, s := range p.Pipeline {
		took := ""
		if s.Timed() {
			took = s.Took.String()
		}
		texts := s.Progress
		if s.Message != "" {
			texts = append([]string{s.Message}, texts...)
		}
		rows = append(rows, []string{s.Name, s.Look.Text, took, strings.Join(texts, "; ")})
	}
	if len(rows) == 0 {
		t.line("No step has started, and none is planned yet.")
	} else {
		t.table([]string{"STEP", "STATE", "TOOK", "MESSAGE"}, rows)
	}
	section(t, "May still come", nil, p.MaybeSteps, func(s string) []string { return []string{s} })
	section(t, "Left out", []string{"STEP", "WHY"}, p.LeftOut, func(l leftOut) []string { return []string{l.Step, l.Why} })
	if none := p.NoneLeftOut(); none != "" {
		t.heading("Left out")
		t.line(none)
	}
	section(t, "Flags", []string{"FLAG", "VALUE", "EVALUATED", "WHO DECIDES IT"}, p.Facts, func(f factView) []string {
		return []string{f.Flag, f.Value, f.Evaluated.Away(), f.Decided()}
	})
	section(t, "Timeline", []string{"ENTERED", "PHASE", "TOOK", ""}, p.Timeline, func(v visit) []string {
		return []string{v.Entered.Clock(), v.Phase, v.Took.String(), v.Word()}
	})
	section(t, "Phases", []string{"PHASE", "STEP", "PLAN", "WHY"}, p.Phases, func(v phaseView) []string {
		return []string{v.Name, v.Step, v.Plan(), v.Reason()}
	})
	section(t, "Failures", []string{"AT", "ITINERARY", "PHASE", "REASONS"}, p.Failures, func(f failureView) []string {
		return []string{f.At.Clock(), f.Itinerary, f.Phase, strings.Join(f.Reasons, "; ")}
	})
	section(t, "Switches", []string{"AT", "FROM", "TO", "WHY"}, p.Switches, func(s switched) []string {
		return []string{s.At.Clock(), s.From, s.To, s.Reason}
	})
	section(t, "Runs before", []string{"RESULT", "ITINERARY", "PHASE", "ENDED"}, p.Runs, func(r pastRun) []string {
		return []string{string(r.Result), r.Itinerary, r.Phase, r.Ended.Away()}
	})
	section(t, "Events, latest first", []string{"AT", "EVENT"}, p.Events, func(e eventView) []string {
		return []string{e.Shown().Clock(), e.Text + e.Times()}
	})
	if text := p.DroppedText(); text != "" {
		t.line("")
		t.line(text)
	}
	if p.Unplanned != "" {
		t.line("")
		t.line(p.Unplanned)
	}
}

// Word describes how the visit ended: "failed", or "current" if it has not ended.
func (v visit) Word() string {
	switch {
	case v.Failed:
		return "failed"
	case v.Current:
		return "current"
	}
	return ""
}

// DroppedText describes what the bounds of the history dropped; empty if nothing.
func (p *runView) DroppedText() string {
	var parts []string
	if p.DroppedMoments > 0 {
		parts = append(parts, plural(p.DroppedMoments, "moment"))
	}
	if p.DroppedEvents > 0 {
		parts = append(parts, plural(p.DroppedEvents, "event"))
	}
	var sentences []string
	if len(parts) > 0 {
		sentences = append(sentences, "The oldest of the history was dropped to bound its size: "+wording.List(parts, "and")+".")
	}
	if p.Cut {
		sentences = append(sentences, "The state of this moment was too large to be recorded whole: texts of it are missing.")
	}
	return strings.Join(sentences, " ")
}

// section writes a table with a heading, unless it has no rows.
func section[T any](t *text, heading string, head []string, all []T, cells func(T) []string) {
	if len(all) == 0 {
		return
	}
	t.heading(heading)
	rows := make([][]string, len(all))
	for i, one := range all {
		rows[i] = cells(one)
	}
	t.table(head, rows)
}
