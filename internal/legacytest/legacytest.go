package legacytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Line is a line of a data file: a migration with a status in the old form.
type Line struct {
	ID           string          `json:"id"`
	Stage        bool            `json:"stage"`
	MigrateState bool            `json:"migrateState"`
	Rollback     bool            `json:"rollback"`
	Canceled     bool            `json:"canceled"`
	Flags        []string        `json:"flags"`
	Status       json.RawMessage `json:"status"`
	Remaining    []string        `json:"remaining"` // the expected remaining steps
}

// Parse parses a line.
func Parse(line []byte) (Line, error) {
	var l Line
	err := json.Unmarshal(line, &l)
	return l, err
}

// Selected returns what the state of the migration selects. The listed flags are
// true, all others false.
func (l Line) Selected() (legacy.Selected, error) {
	m := mtc.Migration{Spec: mtc.MigrationSpec{
		Stage: l.Stage, MigrateState: l.MigrateState, Rollback: l.Rollback, Canceled: l.Canceled,
	}}
	if err := json.Unmarshal(l.Status, &m.Status); err != nil {
		return legacy.Selected{}, err
	}
	yes, err := mtc.Vocabulary().Parse(l.Flags...)
	if err != nil {
		return legacy.Selected{}, err
	}
	return legacy.Selected{Itinerary: mtc.Current(&m), Facts: phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)}, nil
}

// Itineraries returns mig-controller's itineraries with steps named by naming. All
// calls share one set, which is safe for concurrent use.
func Itineraries(naming mtc.Naming) *machine.Set {
	if naming == mtc.StateNames {
		return stateSet()
	}
	return dataSet()
}

var (
	dataSet  = sync.OnceValue(func() *machine.Set { return compile(mtc.DataNames) })
	stateSet = sync.OnceValue(func() *machine.Set { return compile(mtc.StateNames) })
)

func compile(naming mtc.Naming) *machine.Set {
	all := mtc.Itineraries()
	for i := range all {
		all[i] = naming.Rename(all[i])
	}
	return machine.MustCompileSet(all...)
}

// Members that the adapter does not know, for the front and the back of an object.
const (
	unknownFront = `"fr\u006fnt":"\u00e9 <&> \ud83d\ude00 \/","odd":[1e400,1.0,-0,1E+2,{"a":null,"a":{"\"":"}]"}}],`
	unknownBack  = `,"back":{"":"","started ":false},"zero":-0.0`
)

var inject = strings.NewReplacer("{", "{"+unknownFront, "}", unknownBack+"}")

// Inject adds members that the adapter does not know to every object of a status.
// Strings in the status must not contain braces.
func Inject(status []byte) []byte { return []byte(inject.Replace(string(status))) }

// Check checks everything that an adapter promises about the status of a line, in
// both naming schemes, with and without unknown members: the current form is
// complete and in order, a second upgrade changes nothing, a downgrade returns the
// original, and nothing is lost if the migration progresses in between. The error
// names the line and the violation.
func Check(line []byte) error {
	l, err := Parse(line)
	if err != nil {
		return err
	}
	now, err := l.Selected()
	if err != nil {
		return fmt.Errorf("%s: %w", l.ID, err)
	}
	for _, naming := range []mtc.Naming{mtc.DataNames, mtc.StateNames} {
		c := &check{Line: l, now: now, naming: naming, set: Itineraries(naming)}
		c.adapter = legacy.NewAdapter(c.set, naming)
		for _, status := range [][]byte{l.Status, Inject(l.Status)} {
			if err := c.status(status); err != nil {
				return fmt.Errorf("%s, %s: %w\nstatus: %s", l.ID, naming, err, status)
			}
		}
		if err := c.progressed(); err != nil {
			return fmt.Errorf("%s, %s, after progress: %w\nstatus: %s", l.ID, naming, err, l.Status)
		}
	}
	return nil
}

// check checks one line in one naming scheme.
type check struct {
	Line
	now     legacy.Selected
	naming  mtc.Naming
	set     *machine.Set
	adapter *legacy.Adapter
}

// status has the members that the checks read.
type status struct {
	Phase     string         `json:"phase"`
	Itinerary string         `json:"itinerary"`
	Pipeline  steps.Pipeline `json:"pipeline"`
}

func parse(raw []byte) (status, error) {
	var s status
	err := json.Unmarshal(raw, &s)
	return s, err
}

// current returns the current name of a step. It is independent of package legacy
// on purpose.
func (c *check) current(name string) string {
	return strings.NewReplacer("StageBackup", c.naming.String()+"Backup", "StageRestore", c.naming.String()+"Restore",
		"DataBackup", c.naming.String()+"Backup", "DataRestore", c.naming.String()+"Restore").Replace(name)
}

func (c *check) status(raw []byte) error {
	was, err := parse(raw)
	if err != nil {
		return err
	}
	for _, now := range []*legacy.Selected{nil, &c.now} {
		up, err := c.adapter.Upgrade(raw, now)
		if err != nil {
			return err
		}
		if len(up.Warnings) > 0 {
			return fmt.Errorf("upgrade warns: %w", up.Warnings[0])
		}
		if err := c.upgraded(was, up.Status, now != nil); err != nil {
			return fmt.Errorf("upgraded: %w\nupgraded: %s", err, up.Status)
		}
		if err := c.unchanging(up.Status, now); err != nil {
			return err
		}
		if err := c.restored(raw, up); err != nil {
			return err
		}
	}
	return nil
}

// upgraded checks the current form.
func (c *check) upgraded(was status, raw []byte, planned bool) error {
	is, err := parse(raw)
	if err != nil {
		return err
	}
	if bytes.Contains(raw, []byte(`"skipped"`)) {
		return fmt.Errorf("it contains the member skipped")
	}
	if err := c.names(is.Pipeline, "Stage"); err != nil {
		return err
	}
	wantRan, ran := ran(was.Pipeline, c.current), ran(is.Pipeline, c.current)
	if !slices.Equal(wantRan, ran) {
		return fmt.Errorf("started steps are %q, want %q", ran, wantRan)
	}
	var want, waiting []string
	for _, step := range was.Pipeline {
		if !step.Ran() && !step.Skipped {
			want = append(want, c.current(step.Name))
		}
	}
	if planned {
		want = nil
		for _, name := range c.Remaining {
			want = append(want, c.current(name))
		}
	}
	for i, step := range is.Pipeline {
		if !step.Ran() {
			waiting = append(waiting, step.Name)
			if step.Message != steps.MessageNotStarted {
				return fmt.Errorf("step %s, not started, reads %q", step.Name, step.Message)
			}
		} else if i >= len(ran) {
			return fmt.Errorf("step %s has started, but a step before it has not", step.Name)
		} else if step.Completed == nil && step.Message == steps.MessageCompleted || step.Message == "Skipped" {
			return fmt.Errorf("step %s reads %q", step.Name, step.Message)
		}
	}
	if !slices.Equal(want, waiting) {
		return fmt.Errorf("steps not started are %q, want %q", waiting, want)
	}
	if g, err := c.set.Graph(is.Itinerary); err == nil {
		if i, err := g.Lookup(is.Phase); err == nil && g.Phase(i).Name != is.Phase {
			return fmt.Errorf("phase %s has its former name", is.Phase)
		}
	}
	if is.Phase == "" {
		return fmt.Errorf("it has no phase")
	}
	return sameCurrent(was.Pipeline, is.Pipeline, c.current)
}

// names checks that the names of steps are unique, not empty and safe in a URL, as
// user interfaces need, and that none is a word followed by Backup or Restore.
func (c *check) names(p steps.Pipeline, words ...string) error {
	seen := make(map[string]bool)
	for _, step := range p {
		if seen[step.Name] || step.Name == "" {
			return fmt.Errorf("step %q is listed twice or has no name", step.Name)
		}
		seen[step.Name] = true
		if url.PathEscape(step.Name) != step.Name {
			return fmt.Errorf("the name of step %q is not safe in a URL", step.Name)
		}
		for _, word := range words {
			if step.Name == word+"Backup" || step.Name == word+"Restore" {
				return fmt.Errorf("step %q has a name of the other form", step.Name)
			}
		}
	}
	return nil
}

// ran returns the steps that have started, with their times.
func ran(p steps.Pipeline, name func(string) string) []string {
	var out []string
	for _, step := range p {
		if step.Ran() {
			out = append(out, fmt.Sprint(name(step.Name), " ", step.Started, " ", step.Completed, " ", step.Failed))
		}
	}
	return out
}

// sameCurrent checks that mig-ui takes the same step of both pipelines for the
// current one: the last that has started and is not completed.
func sameCurrent(a, b steps.Pipeline, name func(string) string) error {
	last := func(p steps.Pipeline) (current string) {
		for _, step := range p {
			if step.Started != nil && step.Completed == nil {
				current = name(step.Name)
			}
		}
		return current
	}
	if was, is := last(a), last(b); was != is {
		return fmt.Errorf("current step is %q, want %q", is, was)
	}
	return nil
}

// unchanging checks that a second upgrade changes nothing.
func (c *check) unchanging(raw []byte, now *legacy.Selected) error {
	for _, now := range []*legacy.Selected{nil, now} {
		again, err := c.adapter.Upgrade(raw, now)
		if err != nil {
			return err
		}
		if !bytes.Equal(again.Status, raw) || again.Remainder != nil || len(again.Warnings) > 0 {
			return fmt.Errorf(
				"a second upgrade changes\n%s to\n%s, remainder %s, warnings %v", raw, again.Status, again.Remainder, again.Warnings)
		}
	}
	return nil
}

// restored checks the downgrade of a status that has not changed since the upgrade.
func (c *check) restored(raw []byte, up legacy.Upgraded) error {
	var want bytes.Buffer
	if err := json.Compact(&want, raw); err != nil {
		return err
	}
	down, err := c.adapter.Downgrade(up.Status, up.Remainder)
	if err != nil {
		return err
	}
	if want.String() != string(down.Status) || len(down.Warnings) > 0 {
		return fmt.Errorf("downgraded is\n%s, want\n%s, warnings %v, remainder %s", down.Status, want.String(), down.Warnings, up.Remainder)
	}
	// After a crash the annotation is still there.
	down, err = c.adapter.Downgrade(down.Status, up.Remainder)
	if err != nil {
		return err
	}
	if up.Remainder != nil && (want.String() != string(down.Status) || len(down.Warnings) > 0) {
		return fmt.Errorf("downgraded twice is\n%s, want\n%s, warnings %v", down.Status, want.String(), down.Warnings)
	}
	// Another member of the status has changed.
	const added = `,"observedDigest":"1.0"}`
	more := append(slices.Clone(up.Status[:len(up.Status)-1]), added...)
	down, err = c.adapter.Downgrade(more, up.Remainder)
	if err != nil {
		return err
	}
	if string(want.Bytes()[:want.Len()-1])+added != string(down.Status) || len(down.Warnings) > 0 {
		return fmt.Errorf("downgraded with one more member is\n%s, want\n%s and %s, warnings %v",
			down.Status, want.String(), added, down.Warnings)
	}
	return c.withoutRemainder(up)
}

// withoutRemainder checks the downgrade of a status whose remainder is lost.
func (c *check) withoutRemainder(up legacy.Upgraded) error {
	down, err := c.adapter.Downgrade(up.Status, nil)
	if err != nil {
		return err
	}
	is, err := parse(down.Status)
	if err != nil {
		return err
	}
	now, err := parse(up.Status)
	if err != nil {
		return err
	}
	if err := c.names(is.Pipeline, "Data", "State"); err != nil {
		return err
	}
	if was, is := ran(now.Pipeline, c.current), ran(is.Pipeline, c.current); !slices.Equal(was, is) {
		return fmt.Errorf("without a remainder, started steps are %q, want %q", is, was)
	}
	again, err := c.adapter.Upgrade(down.Status, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(again.Status, up.Status) {
		return fmt.Errorf("downgraded without a remainder and upgraded again is\n%s, want\n%s", again.Status, up.Status)
	}
	return nil
}

// progressed runs the migration to its end after the upgrade. It checks the
// downgrade after each phase, and cancels a copy after some phases.
func (c *check) progressed() error {
	up, err := c.adapter.Upgrade(c.Status, &c.now)
	if err != nil {
		return err
	}
	s, err := parse(up.Status)
	if err != nil {
		return err
	}
	g, err := c.set.Graph(c.now.Itinerary)
	if err != nil {
		return err
	}
	var at machine.Position
	switch {
	case s.Phase == mtc.PhaseCompleted:
		at.Done = true
	case s.Itinerary == c.now.Itinerary || s.Itinerary == "":
		at.Phase = s.Phase
	}
	m, err := g.NewMachine(at, c.now.Facts)
	if err != nil {
		return err
	}
	run := &running{check: c, up: up, pipeline: s.Pipeline, clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	run.sync(m)
	for moment := 0; !m.Position().Done; moment++ {
		if moment%4 == 1 && c.now.Itinerary != mtc.Cancel {
			if err := run.canceled(); err != nil {
				return fmt.Errorf("canceled at moment %d: %w", moment, err)
			}
		}
		if err := run.advance(m); err != nil {
			return fmt.Errorf("at %s: %w", m.Position(), err)
		}
	}
	return nil
}

// running is a migration in progress.
type running struct {
	*check
	up       legacy.Upgraded
	pipeline steps.Pipeline
	clock    time.Time
}

func (r *running) sync(m *machine.Machine) {
	r.clock = r.clock.Add(30 * time.Second)
	r.pipeline = steps.Sync(r.pipeline, steps.Snapshot{Plan: m.Plan()}, r.clock)
}

func (r *running) advance(m *machine.Machine) error {
	if _, err := m.Advance(context.Background()); err != nil {
		return err
	}
	r.sync(m)
	return r.back(m)
}

// canceled runs a copy of the migration through the itinerary Cancel.
func (r *running) canceled() error {
	g, err := r.set.Graph(mtc.Cancel)
	if err != nil {
		return err
	}
	m, err := g.NewMachine(machine.Position{}, r.now.Facts)
	if err != nil {
		return err
	}
	fork := *r
	fork.sync(m)
	for !m.Position().Done {
		if err := fork.advance(m); err != nil {
			return err
		}
	}
	return nil
}

// back checks the downgrade of the present status.
func (r *running) back(m *machine.Machine) error {
	now := status{Phase: m.Position().Phase, Itinerary: m.Graph().Name(), Pipeline: r.pipeline}
	if m.Position().Done {
		now.Phase = mtc.PhaseCompleted
	}
	fields := make(map[string]json.RawMessage)
	if err := json.Unmarshal(r.up.Status, &fields); err != nil {
		return err
	}
	for name, v := range map[string]any{"phase": now.Phase, "itinerary": now.Itinerary, "pipeline": now.Pipeline} {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		fields[name] = raw
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	down, err := r.adapter.Downgrade(raw, r.up.Remainder)
	if err != nil {
		return err
	}
	if err := r.lossless(now, down); err != nil {
		return fmt.Errorf("%w\nis %s\nwas %s\nremainder %s", err, down.Status, raw, r.up.Remainder)
	}
	return nil
}

// lossless checks that a downgraded status has lost nothing of the present one.
func (r *running) lossless(now status, down legacy.Downgraded) error {
	if len(down.Warnings) > 0 {
		return down.Warnings[0]
	}
	is, err := parse(down.Status)
	if err != nil {
		return err
	}
	was, err := parse(r.Status)
	if err != nil {
		return err
	}
	if err := r.names(is.Pipeline, "Data", "State"); err != nil {
		return err
	}
	if was, is := ran(now.Pipeline, r.current), ran(is.Pipeline, r.current); !slices.Equal(was, is) {
		return fmt.Errorf("started steps are %q, want %q", is, was)
	}
	if now.Itinerary != is.Itinerary {
		return fmt.Errorf("itinerary is %q, want %q", is.Itinerary, now.Itinerary)
	}
	if want := strings.TrimPrefix(now.Phase, mtc.PhaseCreated); is.Phase != want && !r.formerly(is, now.Phase) {
		return fmt.Errorf("phase is %q, want %q", is.Phase, want)
	}
	listed := make(map[string]*steps.Step)
	for i := range is.Pipeline {
		listed[r.current(is.Pipeline[i].Name)] = &is.Pipeline[i]
	}
	for _, step := range now.Pipeline {
		then := listed[step.Name]
		if then == nil {
			return fmt.Errorf("step %s is lost", step.Name)
		}
		if then.Message != step.Message && !then.Skipped {
			return fmt.Errorf("step %s reads %q, want %q", step.Name, then.Message, step.Message)
		}
	}
	for _, step := range was.Pipeline {
		if listed[r.current(step.Name)] == nil && step.Skipped {
			return fmt.Errorf("skipped step %s did not come back", step.Name)
		}
	}
	return sameCurrent(now.Pipeline, is.Pipeline, r.current)
}

// formerly reports whether the recorded phase of a status is the named phase, under
// its present or a former name.
func (r *running) formerly(s status, phase string) bool {
	g, err := r.set.Graph(s.Itinerary)
	if err != nil {
		return false
	}
	i, err := g.Lookup(s.Phase)
	return err == nil && g.Phase(i).Name == phase
}
