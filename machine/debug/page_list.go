package debug

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// row is a run in the list. The page of a run begins with the same fields.
type row struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Item      string `json:"item,omitempty"`
	Itinerary string `json:"itinerary,omitempty"`
	Step      string `json:"step,omitempty"`
	Phase     string `json:"phase,omitempty"`
	// Activity is what the run does, and Since is when it began to.
	Activity string `json:"activity"`
	Since    when   `json:"since,omitzero"`
	// Why is what it waits for, or the last error.
	Why      string   `json:"why,omitempty"`
	Flags    []string `json:"flags,omitempty"`
	Attempts int64    `json:"attempts,omitempty"`
	Next     when     `json:"next,omitzero"`
	Deadline when     `json:"deadline,omitzero"`
	Overdue  bool     `json:"overdue,omitempty"`
	// NeedsAttention reports whether the run does not proceed on its own, or not in time.
	NeedsAttention bool `json:"needsAttention,omitempty"`
	// Failing reports whether something failed: the run is stopped, overdue or retrying,
	// or one of its phases has failed.
	Failing  bool          `json:"failing,omitempty"`
	Done     bool          `json:"done,omitempty"`
	Result   phases.Result `json:"result,omitempty"`
	Progress string        `json:"progress,omitempty"`

	name Name
	look look
	rank int
}

// FullName is the name of the run in one word.
func (r row) FullName() string { return r.name.String() }

// Page is the page of the run.
func (r row) Page() string { return runLink("run", r.name) }

// Look describes how the activity is shown.
func (r row) Look() look { return r.look }

// newRow describes a run at a moment.
func newRow(rec *Recorder, run Run, m Moment, now time.Time) row {
	n := run.Name
	s := m.State.Status(now)
	if m.State.Retry != nil {
		s.Attempts = max(s.Attempts, run.Attempts)
	}
	at := func(t time.Time) when { return when{t, now} }
	r := row{
		Namespace: n.Namespace, Name: n.Name, Item: n.Item,
		Itinerary: s.Itinerary, Phase: s.Phase, Step: s.Step,
		Activity: string(s.Activity), Since: at(s.Since),
		Why: s.Message, Flags: s.Flags, Attempts: s.Attempts, Next: at(s.Next), Deadline: at(s.Deadline),
		Overdue: s.Overdue, NeedsAttention: s.NeedsAttention,
		Done: m.State.Done,
		name: n,
	}
	if r.Done {
		r.Result = s.Result
	}
	if !r.Done && run.Next.After(r.Next.at) && (run.Next.After(now) || !r.Next.IsZero()) { // the state may be older
		r.Next.at = run.Next
	}
	r.Failing = r.NeedsAttention || m.State.Retry != nil || m.State.FailedPhases+m.State.FailedInCleanup > 0
	if plan := rec.Plan(m); plan != nil {
		if p := steps.ProgressOf(m.State.Pipeline, plan); p.AtMost > 0 {
			r.Progress = p.String()
		}
	}
	failed := 0
	for _, step := range m.State.Pipeline {
		failed += int(bit(step.Failed))
	}
	if r.Progress != "" && failed > 0 {
		r.Progress += fmt.Sprintf(", %d failed", failed)
	}
	r.look = lookOf(s)
	r.rank = attention(s)
	return r
}

// runList is the page of all runs.
type runList struct {
	meta
	// Total is the number of recorded runs. Dropped counts how often a run was dropped to
	// make room for others; a dropped run may be listed again.
	Total   int   `json:"total"`
	Dropped int   `json:"dropped"`
	Counts  []tab `json:"counts"`
	Items   []row `json:"items"`

	Query   listQuery `json:"-"`
	Choices choices   `json:"-"`
	// AllCount is the number of runs that pass all filters except the activity. AllPage
	// lists them.
	AllCount int    `json:"-"`
	AllPage  string `json:"-"`
}

// maxWhy limits Why in the list, in bytes, so a thousand runs whose phases failed for
// many reasons fit on one page. The page of a run has it in full.
const maxWhy = 512

// tab counts the runs of an activity, and links to them.
type tab struct {
	Activity string `json:"activity"`
	Count    int    `json:"count"`
	Look     look   `json:"-"`
	Page     string `json:"-"`
	Chosen   bool   `json:"-"`
}

// choices are the values that the filters of the list offer.
type choices struct{ Itineraries, Steps, Phases, Activities, Results []string }

// listQuery holds the filters and the order of the list.
type listQuery struct {
	Q, Itinerary, Step, Phase, Activity, Result, Failing, Sort string
}

// The orders of the list.
const (
	byAttention = "attention"
	byName      = "name"
	bySince     = "since"
)

var listParameters = []parameter{
	{name: "q"}, {name: "itinerary"}, {name: "step"}, {name: "phase"},
	{name: "activity"}, {name: "result"}, {name: "failing"}, {name: "sort"},
}

func parseListQuery(q query) (listQuery, error) {
	l := listQuery{Q: q.get("q"), Itinerary: q.get("itinerary"), Step: q.get("step"), Phase: q.get("phase")}
	var err error
	oneOf := func(to *string, name string, values ...string) {
		if err == nil {
			*to, err = q.oneOf(name, values...)
		}
	}
	oneOf(&l.Activity, "activity", append([]string{""}, activityNames()...)...)
	oneOf(&l.Result, "result", "", string(phases.Succeeded), string(phases.Failed), string(phases.Canceled), string(phases.RolledBack))
	oneOf(&l.Failing, "failing", "", "true", "false")
	oneOf(&l.Sort, "sort", byAttention, byName, bySince)
	if l.Failing == "false" {
		l.Failing = ""
	}
	return l, err
}

// with is the link to the list with one parameter changed.
func (l listQuery) with(name, value string) string {
	all := []string{
		"q", l.Q, "itinerary", l.Itinerary, "step", l.Step, "phase", l.Phase,
		"activity", l.Activity, "result", l.Result, "failing", l.Failing, "sort", l.Sort,
	}
	for i := 0; i < len(all); i += 2 {
		if all[i] == name {
			all[i+1] = value
		}
		if all[i] == "sort" && all[i+1] == byAttention {
			all[i+1] = ""
		}
	}
	return link("./", all...)
}

// SortBy is the link to the same runs in another order.
func (l listQuery) SortBy(order string) string { return l.with("sort", order) }

// admits reports whether a run passes the filters other than its activity.
func (l listQuery) admits(r *row) bool {
	for _, f := range [...]struct{ want, is string }{
		{l.Itinerary, r.Itinerary}, {l.Step, r.Step}, {l.Phase, r.Phase}, {l.Result, string(r.Result)},
	} {
		if f.want != "" && f.want != f.is {
			return false
		}
	}
	if l.Failing != "" && !r.Failing {
		return false
	}
	if l.Q == "" {
		return true
	}
	text := strings.ToLower(strings.Join([]string{r.FullName(), r.Itinerary, r.Step, r.Phase, r.Why, r.look.Text}, "\n"))
	for _, word := range strings.Fields(strings.ToLower(l.Q)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// compare orders the list. Ties are broken by name.
func (l listQuery) compare(a, b *row) int {
	c := 0
	switch l.Sort {
	case byName:
	case bySince: // done runs wait for nothing
		c = cmp.Or(cmp.Compare(bit(a.Done), bit(b.Done)), a.bySince(b))
	default:
		c = cmp.Or(cmp.Compare(a.rank, b.rank), a.bySince(b))
	}
	return cmp.Or(c, cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Item, b.Item))
}

// bySince orders first the run that has done the same for longest. Of done runs, the one
// that was done last comes first.
func (r *row) bySince(o *row) int {
	if r.Done && o.Done {
		return bySinceFirst(o.Since, r.Since)
	}
	return bySinceFirst(r.Since, o.Since)
}

// bySinceFirst orders earlier times first, and unknown times last.
func bySinceFirst(a, b when) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.at.Compare(b.at)
}

// newRunList lists the runs.
func newRunList(rec *Recorder, l listQuery, now time.Time) *runList {
	runs, dropped := rec.Runs()
	p := &runList{Total: len(runs), Dropped: dropped, Query: l, Items: []row{}}
	counts := make(map[string]int)
	var c choices
	for _, run := range runs {
		r := newRow(rec, run, run.Last(), now)
		c.Itineraries = append(c.Itineraries, r.Itinerary)
		c.Steps = append(c.Steps, r.Step)
		c.Phases = append(c.Phases, r.Phase)
		c.Results = append(c.Results, string(r.Result))
		if !l.admits(&r) {
			continue
		}
		counts[r.Activity]++
		if l.Activity == "" || l.Activity == r.Activity {
			r.Why = cut(r.Why, maxWhy)
			p.Items = append(p.Items, r)
		}
	}
	slices.SortFunc(p.Items, func(a, b row) int { return l.compare(&a, &b) })
	all := 0
	for _, name := range activityNames() {
		all += counts[name]
		if counts[name] == 0 && name != l.Activity {
			continue
		}
		page := l.with("activity", name)
		if name == l.Activity {
			page = l.with("activity", "")
		}
		p.Counts = append(p.Counts, tab{
			Activity: name, Count: counts[name], Look: activityLook(name), Page: page, Chosen: name == l.Activity,
		})
	}
	p.Choices = choices{
		Itineraries: distinct(c.Itineraries, l.Itinerary), Steps: distinct(c.Steps, l.Step),
		Phases: distinct(c.Phases, l.Phase), Activities: activityNames(), Results: distinct(c.Results, l.Result),
	}
	p.AllCount, p.AllPage = all, l.with("activity", "")
	return p
}

// distinct sorts names and drops the empty one. The chosen name is always included.
func distinct(names []string, chosen string) []string {
	names = append(names, chosen)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 0 && names[0] == "" {
		names = names[1:]
	}
	return names
}

// order is an order of the list: the value of its parameter, which is empty for the
// default, and its name.
type order struct {
	Value, Text string
	Chosen      bool
}

// Orders are the possible orders of the list.
func (p *runList) Orders() []order {
	return []order{
		{"", "Needs attention first", p.Query.Sort == byAttention},
		{bySince, "Longest first", p.Query.Sort == bySince},
		{byName, "Name", p.Query.Sort == byName},
	}
}

func (p *runList) page() string  { return "list" }
func (p *runList) title() string { return "Runs" }

func (p *runList) text(t *text) {
	switch {
	case p.Total == 0:
		t.line(noRuns)
	case len(p.Items) == 0:
		t.line("No run matches these filters.")
	default:
		rows := make([][]string, len(p.Items))
		for i, r := range p.Items {
			rows[i] = []string{
				r.FullName(), r.Itinerary, r.Step, r.Phase, r.look.Text, r.Since.Ago(), r.Progress,
				r.Next.Due(), r.Deadline.Away(), r.Why,
			}
		}
		t.table([]string{"NAME", "ITINERARY", "STEP", "PHASE", "ACTIVITY", "SINCE", "PROGRESS", "NEXT TRY", "DEADLINE", "WHY"}, rows)
	}
	if p.Dropped > 0 {
		t.line(droppedRuns(p.Dropped))
	}
}

const noRuns = "No run has been seen yet. A run appears once the controller reconciles it."

// DroppedText describes in a sentence that runs were dropped; empty if none were.
func (p *runList) DroppedText() string {
	if p.Dropped == 0 {
		return ""
	}
	return droppedRuns(p.Dropped)
}

func droppedRuns(n int) string {
	return fmt.Sprintf("To bound the history, runs were dropped (%d in total): first done runs, then those that had not "+
		"been seen for the longest time. A dropped run is listed again once it is reconciled.", n)
}
