package command

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// statusOptions are the options of status.
type statusOptions struct {
	subject
	// stuckFor is the value of --stuck, and stuck its duration.
	stuckFor string
	stuck    time.Duration
	now      string
	format   string
}

func (a *app) status() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:  "status -f FILE...",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now, err := o.check(cmd)
			if err != nil {
				return err
			}
			if _, err := a.itineraries(cmd, &o.subject); err != nil {
				return err
			}
			return a.printStatus(&o, now)
		},
	}
	o.app = a
	f := cmd.Flags()
	f.StringVarP(&o.itinerary, "itinerary", "i", "",
		"the `FILE.yaml` that defines the itineraries of the objects, if they are not built in")
	complete(cmd, "itinerary", a.completeItinerary)
	f.StringArrayVarP(&o.files, "file", "f", nil, filesUsage)
	f.Var(&a.stateAt, "state-at", "the `PATH` of the state on an object, such as .status.upgrade")
	complete(cmd, "state-at", cobra.NoFileCompletions)
	o.registerNames(cmd)
	f.StringVar(&o.stuckFor, "stuck", "",
		"only those that have not moved for a `DURATION` such as 30m, are stopped, or are past a deadline")
	complete(cmd, "stuck", cobra.NoFileCompletions)
	f.StringVar(&o.now, "now", "", "the `TIME` at which the objects were read, such as 2026-11-20T12:00:00Z (default now)")
	complete(cmd, "now", cobra.NoFileCompletions)
	a.readers = append(a.readers, cmd)
	registerOutput(cmd, &o.format, formatTable, "output `FORMAT`: table, json or yaml", formatTable, formatJSON, formatYAML)
	return cmd
}

// check returns the time of the status, or an error if options exclude each other.
func (o *statusOptions) check(cmd *cobra.Command) (now time.Time, err error) {
	if err := checkChoice("-o", o.format, formatTable, formatJSON, formatYAML); err != nil {
		return now, err
	}
	changed := cmd.Flags().Changed
	if now, err = parseNow(cmd, o.now); err != nil {
		return now, err
	}
	o.stuck, err = time.ParseDuration(o.stuckFor)
	switch {
	case len(o.files) == 0:
		return now, errors.New("status needs -f FILE with what kubectl get -o yaml prints")
	case changed("stuck") && (err != nil || o.stuck <= 0):
		return now, fmt.Errorf("--stuck takes a duration such as 30m or 2h, not %q", o.stuckFor)
	}
	return now, nil
}

// parseNow returns the time of --now, or the present time.
func parseNow(cmd *cobra.Command, text string) (time.Time, error) {
	if !cmd.Flags().Changed("now") {
		return time.Now(), nil
	}
	now, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now, fmt.Errorf("--now takes a time such as 2026-11-20T12:00:00Z, not %q", text)
	}
	return now, nil
}

// printStatus prints what the runs of the objects do.
func (a *app) printStatus(o *statusOptions, now time.Time) error {
	all := a.read(&o.subject)
	runs, err := a.chosen(all, &o.filter)
	if err != nil {
		return err
	}
	a.noteLeftOut()
	var rows []statusRow
	var unknown []string // runs that may be stuck
	var ahead []string   // runs with times after --now
	stuck := &stuckError{Of: len(runs), Noun: a.noun(), Unmoved: o.stuck}
	for _, r := range runs {
		row := a.statusOf(r, now, o.stuck)
		if o.now != "" && row.Since != nil && row.Since.After(now) {
			ahead = append(ahead, r.ref())
		}
		switch {
		case row.Stuck:
			stuck.Runs = append(stuck.Runs, r.ref())
		case o.stuck == 0:
		case row.Since == nil && !row.Done:
			unknown = append(unknown, r.ref())
			continue
		default:
			continue
		}
		rows = append(rows, row)
	}
	if err := a.printRows(rows, o.format, now); err != nil {
		return err
	}
	if ahead != nil {
		a.line("note: --now is before times of %s, so runs that are overdue or stuck may be missed; "+
			"give the time at which the objects were read, with its time zone", many(ahead))
	}
	if unknown != nil {
		a.line("note: it is not known when these last moved: %s", many(unknown))
	}
	switch {
	case stuck.Runs != nil:
		a.problem(stuck)
	case o.stuck > 0 && stuck.Of > 0 && unknown == nil && !a.failed: // what could not be read may be stuck
		a.line("note: of %d %s, none is stuck", stuck.Of, plural(a.noun(), stuck.Of))
	}
	return nil
}

func (a *app) printRows(rows []statusRow, format string, now time.Time) error {
	if format != formatTable {
		p := array{output: output{w: a.stdout}, yaml: format == formatYAML}
		for _, row := range rows {
			if err := p.add(row); err != nil {
				return err
			}
		}
		return p.close()
	}
	out := output{w: a.stdout, width: a.width}
	writeStatus(&out, a.colors, rows, now)
	return out.flush()
}

// stuckError reports runs that need attention: they are stopped or past a deadline, or have
// not moved for longer than the user allows.
type stuckError struct {
	// Runs are the names of these runs, and Of is the number of all runs.
	Runs []string
	Of   int
	// Noun is the word for a run.
	Noun string
	// Unmoved is how long a run may not move; zero means no limit.
	Unmoved time.Duration
}

func (e *stuckError) Error() string {
	verb := "are"
	if len(e.Runs) == 1 {
		verb = "is"
	}
	moved := ""
	if e.Unmoved > 0 {
		moved = ", or " + map[bool]string{true: "has", false: "have"}[len(e.Runs) == 1] + " not moved for " + wording.Duration(e.Unmoved)
	}
	return fmt.Sprintf("%d of %d %s %s stopped or past a deadline%s: %s", len(e.Runs), e.Of, plural(e.Noun, e.Of), verb, moved,
		wording.Few(e.Runs))
}

// plural returns a noun in the form for n.
func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// statusRow describes in JSON what a run does.
type statusRow struct {
	runName
	Itinerary string          `json:"itinerary"`
	Step      string          `json:"step,omitempty"`
	Phase     string          `json:"phase,omitempty"`
	Activity  runner.Activity `json:"activity"`
	// Since is when the activity began. For a run that has not begun, it is when its object
	// was created. For a run that does not fit the itineraries, it is when its state last
	// changed.
	Since    *time.Time `json:"since,omitempty"`
	Why      string     `json:"why,omitempty"`
	Flags    []string   `json:"flags,omitempty"`
	Attempts int64      `json:"attempts,omitempty"`
	Next     *time.Time `json:"next,omitempty"`
	Deadline *time.Time `json:"deadline,omitempty"`
	Overdue  bool       `json:"overdue"`
	Stuck    bool       `json:"stuck"`
	Done     bool       `json:"done"`
	// Result is how the run ended, or will end after its cleanup.
	Result phases.Result `json:"result,omitempty"`
}

// statusOf describes what a run does, as [newStatusRow] does, with the current name of the
// phase. A run that is not done and does not fit the itineraries counts as stopped, because
// no runner resumes it. It prints problems.
func (a *app) statusOf(r *Run, now time.Time, unmoved time.Duration) statusRow {
	recorded := r.Recorded()
	row := newStatusRow(r, recorded, now, unmoved)
	if err := cmp.Or(recorded.StateErr, recorded.Err); err != nil {
		a.problem(r.wrong(err))
		row.also(err.Error())
	}
	if recorded.Done || !a.isBuiltin() && recorded.Itinerary == "" {
		return row // the file does not show which itinerary the run will follow
	}
	g, err := a.graphOf(r)
	if err == nil {
		var at machine.Position
		at, err = a.position(r, recorded, g)
		row.Phase = cmp.Or(at.Phase, row.Phase)
	}
	if err != nil {
		a.problem(r.wrong(err))
		if !strings.Contains(row.Why, err.Error()) { // otherwise the run has recorded the error
			row.also(err.Error())
		}
		row.Stuck, row.Next = true, nil
		if row.Activity != runner.ActivityPaused { // a pause takes precedence
			row.Activity = runner.ActivityStopped
		}
	}
	return row
}

// newStatusRow describes what a run does at a time. The run is stuck if it is stopped or
// past a deadline or, unless unmoved is zero, has not moved for that long.
func newStatusRow(r *Run, recorded Recorded, now time.Time, unmoved time.Duration) statusRow {
	s := recorded.State
	if !recorded.Own {
		s.Itinerary, s.Phase, s.Done = recorded.Itinerary, recorded.Phase, recorded.Done
	}
	st := s.Status(now)
	row := statusRow{
		runName: r.names(), Itinerary: cmp.Or(s.Itinerary, r.Itinerary), Step: cmp.Or(st.Step, s.Step), Phase: cmp.Or(recorded.Phase, st.Phase),
		Activity: st.Activity, Why: st.Message, Flags: st.Flags, Attempts: st.Attempts,
		Next: timeOf(st.Next), Deadline: timeOf(st.Deadline), Overdue: st.Overdue,
		Stuck: st.NeedsAttention || unmoved > 0 && st.Stuck(unmoved), Done: s.Done, Result: s.Result,
	}
	since := st.Since
	if since.IsZero() && !s.Done && recorded.StateErr == nil {
		since = begun(r, &s)
		row.Stuck = row.Stuck || unmoved > 0 && !since.IsZero() && now.Sub(since) >= unmoved
	}
	row.Since = timeOf(since)
	if f := s.FailedAt; f != nil && !s.Done {
		row.also("after " + failureOf(&s, f))
	}
	if recorded.Reasons != nil {
		row.also(strings.Join(recorded.Reasons, "; "))
	}
	if r.Itinerary != "" && r.Itinerary != row.Itinerary && !s.Done {
		row.also("the object selects itinerary " + r.Itinerary + " now")
	}
	switch {
	case row.Why != "" || row.Activity != runner.ActivityNotBegun:
	case !reflect.ValueOf(recorded.State).IsZero():
		row.Why = "it has not entered a phase"
	case row.Since != nil:
		row.Why = "no controller has begun it"
	}
	return row
}

// also appends a text to Why.
func (r *statusRow) also(text string) { r.Why = strings.TrimPrefix(r.Why+"; "+text, "; ") }

// begun returns since when a run is at its position, if its state has no time for that:
// when its step began or, for an object that no controller has seen, when it was created.
func begun(r *Run, s *runner.State) time.Time {
	if step := s.Pipeline.Current(); step != nil {
		if step.Started.IsZero() {
			return time.Time{}
		}
		return step.Started.UTC()
	}
	if r.Item != "" || s.Phase != "" {
		return time.Time{} // an item may be waiting for its turn
	}
	created, err := time.Parse(time.RFC3339,
		stringIn(rawjson.ParseObject(rawjson.ParseObject(r.Object.JSON).Get("metadata")), "creationTimestamp"))
	if err != nil {
		return time.Time{}
	}
	return created.UTC()
}

// failureOf describes the failure because of which a run cleans up.
func failureOf(s *runner.State, at *runner.FailedAt) string {
	text := "phase " + at.Phase + " failed"
	for _, f := range s.Failures {
		if f.Itinerary == at.Itinerary && f.Phase == at.Phase && len(f.Reasons) > 0 {
			return text + ": " + strings.Join(f.Reasons, "; ")
		}
	}
	return text
}

// timeOf returns a pointer to t, or nil if t is zero.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// writeStatus writes rows as a table. The text repeats the meaning of the colours.
func writeStatus(out *output, c colors, rows []statusRow, now time.Time) {
	if len(rows) == 0 {
		return
	}
	t := table{colors: c, width: out.width}
	namespaces := slices.ContainsFunc(rows, func(r statusRow) bool { return *r.Namespace != *rows[0].Namespace })
	titles := []string{"NAME", "ITINERARY", "STEP", "PHASE", "NOW", "SINCE", "WHY"}
	if namespaces {
		titles = append([]string{"NAMESPACE"}, titles...)
	}
	t.head(titles...)
	for i := range rows {
		r := &rows[i]
		name := *r.Name
		if r.Item != "" {
			name += "[" + r.Item + "]"
		}
		row := []cell{
			{text: name}, orDash(r.Itinerary), orDash(r.Step), orDash(r.Phase), r.activity(), orDash(r.age(now)), orDash(r.why(now)),
		}
		if namespaces {
			row = append([]cell{{text: *r.Namespace}}, row...)
		}
		t.row(row...)
	}
	t.write(&out.buf, "")
}

// activityWords are the activities in the table.
var activityWords = map[runner.Activity]cell{
	runner.ActivityNotBegun:     {text: "not begun", color: dim},
	runner.ActivityWorking:      {text: "working"},
	runner.ActivityWaiting:      {text: "waiting"},
	runner.ActivityRetrying:     {text: "retrying", color: yellow},
	runner.ActivityFlagsUnknown: {text: "retrying flags", color: yellow},
	runner.ActivityPaused:       {text: "paused", color: yellow},
	runner.ActivityStopped:      {text: "stopped", color: red},
	runner.ActivityDone:         {text: "done"},
}

// resultWords are the results in the table.
var resultWords = map[phases.Result]cell{
	phases.Succeeded:  {text: "succeeded", color: green},
	phases.Failed:     {text: "failed", color: red},
	phases.Canceled:   {text: "canceled", color: yellow},
	phases.RolledBack: {text: "rolled back", color: yellow},
}

// activity describes what the run does.
func (r *statusRow) activity() cell {
	word := activityWords[r.Activity]
	if ended, ok := resultWords[r.Result]; ok && r.Activity == runner.ActivityDone {
		word = ended
	}
	if r.Overdue && r.Activity != runner.ActivityStopped {
		word = cell{text: word.text + ", overdue", color: red}
	}
	return word
}

// age returns how long the run has been doing that.
func (r *statusRow) age(now time.Time) string {
	if r.Since == nil {
		return ""
	}
	return wording.Duration(max(now.Sub(*r.Since), 0))
}

// why describes why the run does that, since when, and until when.
func (r *statusRow) why(now time.Time) string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if r.Why != "" {
		add("%s", r.Why)
	}
	if r.Since != nil {
		add("since %s", clockTime(*r.Since, now))
	}
	if r.Attempts > 0 {
		add("%d %s failed", r.Attempts, plural("attempt", int(r.Attempts)))
	}
	if r.Next != nil {
		what := "continues"
		if r.Attempts > 0 {
			what = "next try"
		}
		add("%s %s", what, moment(*r.Next, now))
	}
	if r.Deadline != nil && r.Activity != runner.ActivityStopped {
		if r.Overdue {
			add("past its deadline, which was %s", moment(*r.Deadline, now))
		} else {
			add("deadline %s", moment(*r.Deadline, now))
		}
	}
	return strings.Join(all, "; ")
}

// moment formats a time, both relative to now and exact.
func moment(t, now time.Time) string {
	if d := t.Sub(now); d > 0 {
		return "in " + wording.Duration(d) + " (" + clockTime(t, now) + ")"
	}
	return wording.Duration(now.Sub(t)) + " ago (" + clockTime(t, now) + ")"
}

// clockTime formats a time in UTC, without the date if it is that of now.
func clockTime(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05Z")
	}
	return t.Format(time.RFC3339)
}
