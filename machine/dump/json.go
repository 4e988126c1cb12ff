package dump

import (
	"bytes"
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Version is the version of the JSON that [Drawing.JSON] returns. Within v0
// and v1 of this module, members are only added; if that changes, the version is raised.
const Version = 1

// JSON returns the whole drawing as indented JSON. The file graph.schema.json of this
// package describes the format.
func (d *Drawing) JSON() []byte {
	out := jsonDrawing{
		Version: Version, Title: d.title,
		Itineraries: []jsonItinerary{}, Switches: []jsonSwitch{}, Notes: append([]string{}, d.notes...),
	}
	for _, p := range d.parts {
		out.Itineraries = append(out.Itineraries, p.json())
	}
	if d.sides != nil {
		out.Diff = &jsonSides{d.sides.before, d.sides.after, d.Same()}
	}
	for _, a := range d.switches {
		out.Switches = append(out.Switches, jsonSwitch{d.parts[a.from].name(), d.parts[a.to].name(), a.when})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "    ")               // as kubectl does
	if err := enc.Encode(out); err != nil { // cannot fail: only strings, lists and truths
		return nil
	}
	return b.Bytes()
}

type jsonDrawing struct {
	Version     int             `json:"version"`
	Title       string          `json:"title"`
	Diff        *jsonSides      `json:"diff,omitempty"`
	Itineraries []jsonItinerary `json:"itineraries"`
	Switches    []jsonSwitch    `json:"switches"`
	Notes       []string        `json:"notes"`
}

// jsonSides are the titles of the two sides of a diff.
type jsonSides struct {
	Before string `json:"before"`
	After  string `json:"after"`
	Same   bool   `json:"same"`
}

// jsonDiff describes how an element compares; set only in a diff.
type jsonDiff struct {
	Change  string       `json:"change"`
	Changes []jsonAspect `json:"changes"`
}

type jsonAspect struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Now  string `json:"now"`
}

// json returns nil unless the part belongs to a diff.
func (d diff) json(p *part) *jsonDiff {
	if !p.compared() {
		return nil
	}
	out := &jsonDiff{d.change.String(), []jsonAspect{}}
	for _, a := range d.aspects {
		out.Changes = append(out.Changes, jsonAspect{a.what, a.was, a.now})
	}
	return out
}

type jsonSwitch struct {
	From string `json:"from"`
	To   string `json:"to"`
	When string `json:"when"`
}

type jsonItinerary struct {
	jsonWas
	Steps    []jsonStep  `json:"steps"`
	Phases   []jsonPhase `json:"phases"`
	EdgesAre string      `json:"edgesAre"`
	Edges    []jsonEdge  `json:"edges"`
	*jsonDiff
	Summary []string `json:"summary,omitempty"`
	Was     *jsonWas `json:"was,omitempty"`
}

// jsonWas is an itinerary of before, without its drawn content.
type jsonWas struct {
	Name    string    `json:"name"`
	Hash    string    `json:"hash"`
	Cleanup bool      `json:"cleanup"`
	Result  string    `json:"result"`
	Plan    *jsonPlan `json:"plan,omitempty"`
	Runs    []jsonRun `json:"runs,omitempty"`
}

type jsonRun struct {
	Name     string       `json:"name"`
	Position jsonPosition `json:"position"`
	Failed   bool         `json:"failed"`
}

type jsonPlan struct {
	Position jsonPosition `json:"position"`
	True     []string     `json:"true"`
	False    []string     `json:"false"`
	Unknown  []string     `json:"unknown"`
	Visible  []string     `json:"visibleSteps"`
	Maybe    []string     `json:"maybeSteps"`
}

type jsonPosition struct {
	Phase  string `json:"phase"`
	Step   string `json:"step"`
	Choice string `json:"choice"`
	Done   bool   `json:"done"`
}

// jsonStep is a band.
type jsonStep struct {
	Name   string   `json:"name"`
	Phases []string `json:"phases"`
	*jsonDiff
}

type jsonPhase struct {
	Name        string            `json:"name"`
	Step        string            `json:"step"`
	OtherSteps  []jsonGuardedStep `json:"otherSteps"`
	Description string            `json:"description"`
	Guard       jsonGuard         `json:"guard"`
	End         bool              `json:"end"`
	Rides       bool              `json:"rides"`
	Decides     []string          `json:"decides"`
	Jumps       []jsonJump        `json:"jumps"`
	Failed      bool              `json:"failed"`
	Coverage    string            `json:"coverage,omitempty"`
	// Set only with a plan.
	*jsonRuns
	*jsonDiff
	Was *jsonPhase `json:"was,omitempty"`
}

type jsonRuns struct {
	State     string       `json:"state"`
	Runs      phases.Truth `json:"runs"`
	Tentative bool         `json:"tentative"`
	Admits    phases.Truth `json:"admits"`
	Under     []string     `json:"under"`
	Reported  string       `json:"reportedUnder"`
	Why       *machine.Why `json:"why,omitempty"`
}

type jsonGuardedStep struct {
	Step  string    `json:"step"`
	Guard jsonGuard `json:"guard"`
}

type jsonJump struct {
	To     string    `json:"to"`
	Guard  jsonGuard `json:"guard"`
	Choice bool      `json:"choice"`
}

type jsonGuard struct {
	All  []string `json:"all"`
	Any  []string `json:"any"`
	None []string `json:"none"`
}

// jsonEdge leads from a phase or the start to a phase or the end.
type jsonEdge struct {
	From   *string      `json:"from"`
	To     *string      `json:"to"`
	Kind   string       `json:"kind"`
	Guard  *string      `json:"guard,omitempty"`
	Choice bool         `json:"choice,omitempty"`
	Taken  phases.Truth `json:"taken"`
	Change string       `json:"change,omitempty"`
	// Coverage is set only in a coverage drawing.
	Coverage string    `json:"coverage,omitempty"`
	Was      *jsonEdge `json:"was,omitempty"`
}

// jsonStates are the names of the states in JSON. They never change.
var jsonStates = [...]string{
	behind: "behind", current: "current", runs: "willRun", unknown: "unknown", byChoice: "dependsOnChoice", out: "willNotRun",
}

func (p *part) json() jsonItinerary {
	out := jsonItinerary{
		jsonWas: p.jsonHead(), jsonDiff: p.diff.json(p),
		Steps: []jsonStep{}, Phases: []jsonPhase{}, EdgesAre: "reduction", Edges: []jsonEdge{},
	}
	if p.transits {
		out.EdgesAre = "transitions"
	}
	if p.compared() {
		out.Summary = p.differences(arrowText)
		if p.change == same || p.change == changed {
			was := p.before.jsonHead()
			out.Was = &was
		}
	}
	reported := make(map[*part][]string)
	for _, side := range []*part{p, p.before, p.after} {
		if side != nil && side.plan != nil {
			reported[side] = steps.DisplaySteps(side.plan)
		}
	}
	for _, b := range p.bands {
		step := jsonStep{Name: b.step, jsonDiff: b.diff.json(p)}
		for _, n := range p.nodes[b.first : b.first+b.n] {
			step.Phases = append(step.Phases, n.name)
		}
		out.Steps = append(out.Steps, step)
	}
	for k := range p.nodes {
		n := &p.nodes[k]
		if !n.isPhase() {
			continue
		}
		one := n.json(reported)
		one.jsonDiff = n.diff.json(p)
		if n.was != nil && n.change == changed {
			was := n.was.json(reported)
			one.Was = &was
		}
		out.Phases = append(out.Phases, one)
	}
	for _, e := range p.edges {
		one := e.json(p)
		if p.compared() {
			one.Change = e.change.String()
		}
		if e.change == changed {
			was := *e.was
			was.from, was.to = e.from, e.to
			before := was.json(p)
			one.Was = &before
		}
		out.Edges = append(out.Edges, one)
	}
	return out
}

// jsonHead returns the itinerary without its drawn content.
func (p *part) jsonHead() jsonWas {
	out := jsonWas{Name: p.name(), Hash: p.graph.Hash(), Cleanup: p.graph.IsCleanup(), Result: string(p.graph.Result())}
	for _, r := range p.runs {
		out.Runs = append(out.Runs, jsonRun{r.Name, jsonPosition(r.At), r.Failed})
	}
	if p.plan != nil {
		v, f, at := p.graph.Vocabulary(), p.plan.Facts(), p.plan.Position()
		out.Plan = &jsonPlan{
			jsonPosition(at), v.Names(f.True()), v.Names(f.False()), v.Names(v.All() &^ f.Known()),
			steps.Visible(p.plan), steps.Possible(p.plan),
		}
	}
	return out
}

// json returns a phase. reported holds, for each plan, the steps under which its phases
// are reported.
func (n *node) json(reported map[*part][]string) jsonPhase {
	g, plan := n.part.graph, n.part.plan
	v := g.Vocabulary()
	guard := func(g phases.Guard) jsonGuard { return jsonGuard{v.Names(g.All), v.Names(g.Any), v.Names(g.None)} }
	phase := g.Phase(n.index)
	out := jsonPhase{
		Name: n.name, Step: phase.Step, OtherSteps: []jsonGuardedStep{}, Description: phase.Description, Guard: guard(phase.Guard),
		End: n.end, Rides: n.rides, Decides: v.Names(phase.Decides), Jumps: []jsonJump{}, Failed: n.failed,
	}
	if n.part.coverage != nil {
		out.Coverage = jsonMarks[markTaken[n.part.coverage.Phase(n.index)]]
	}
	for _, s := range phase.Steps {
		out.OtherSteps = append(out.OtherSteps, jsonGuardedStep{s.Step, guard(s.Guard)})
	}
	for _, j := range phase.Jumps {
		out.Jumps = append(out.Jumps, jsonJump{j.To, guard(j.Guard), j.Choice})
	}
	if plan != nil {
		under := []string{}
		for step := range plan.Under(n.index) {
			under = append(under, g.Steps()[step])
		}
		out.jsonRuns = &jsonRuns{jsonStates[n.state], plan.Runs(n.index), n.tentative, n.admits, under, reported[n.part][n.index], n.why}
	}
	return out
}

func (e edge) json(p *part) jsonEdge {
	name := func(k int) *string {
		if n := &p.nodes[k]; n.isPhase() {
			return &n.name
		}
		return nil
	}
	out := jsonEdge{From: name(e.from), To: name(e.to), Kind: e.kind.String(), Choice: e.choice, Taken: e.taken}
	if p.coverage != nil {
		out.Coverage, out.Taken = jsonMarks[e.taken], phases.TruthOf(e.taken != phases.False)
	}
	if e.kind == jump {
		guard := e.guard
		out.Guard = &guard
	}
	return out
}
