package dump

import (
	"bytes"
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Version is the version of the JSON that [Drawing.JSON] returns. It is raised
// when a member is removed or changes its meaning.
const Version = 1

// JSON returns the whole drawing as JSON, as graph.schema.json beside this
// package describes it.
func (d *Drawing) JSON() []byte {
	out := jsonDrawing{Version: Version, Title: d.title, Itineraries: []jsonItinerary{}, Switches: []jsonSwitch{}, Notes: append([]string{}, d.notes...)}
	for _, p := range d.parts {
		out.Itineraries = append(out.Itineraries, p.json())
	}
	for _, a := range d.switches {
		out.Switches = append(out.Switches, jsonSwitch{d.parts[a.from].name(), d.parts[a.to].name(), a.when})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "    ")               // as kubectl does
	if err := enc.Encode(out); err != nil { // strings, lists and truths: nothing that JSON could refuse
		return nil
	}
	return b.Bytes()
}

type jsonDrawing struct {
	Version     int             `json:"version"`
	Title       string          `json:"title"`
	Itineraries []jsonItinerary `json:"itineraries"`
	Switches    []jsonSwitch    `json:"switches"`
	Notes       []string        `json:"notes"`
}

type jsonSwitch struct {
	From string `json:"from"`
	To   string `json:"to"`
	When string `json:"when"`
}

type jsonItinerary struct {
	Name     string      `json:"name"`
	Hash     string      `json:"hash"`
	Cleanup  bool        `json:"cleanup"`
	Result   string      `json:"result"`
	Plan     *jsonPlan   `json:"plan,omitempty"`
	Steps    []jsonStep  `json:"steps"`
	Phases   []jsonPhase `json:"phases"`
	EdgesAre string      `json:"edgesAre"`
	Edges    []jsonEdge  `json:"edges"`
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
	// With a plan only.
	*jsonRuns
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

// jsonEdge leads from a phase, or from the start, to a phase, or to the end.
type jsonEdge struct {
	From   *string      `json:"from"`
	To     *string      `json:"to"`
	Kind   string       `json:"kind"`
	Guard  *string      `json:"guard,omitempty"`
	Choice bool         `json:"choice,omitempty"`
	Taken  phases.Truth `json:"taken"`
}

// jsonStates are the states as JSON calls them, which never changes.
var jsonStates = [...]string{behind: "behind", current: "current", runs: "willRun", unknown: "unknown", byChoice: "dependsOnChoice", out: "willNotRun"}

func (p *part) json() jsonItinerary {
	v := p.graph.Vocabulary()
	guard := func(g phases.Guard) jsonGuard { return jsonGuard{v.Names(g.All), v.Names(g.Any), v.Names(g.None)} }
	out := jsonItinerary{
		Name: p.name(), Hash: p.graph.Hash(), Cleanup: p.graph.IsCleanup(), Result: string(p.graph.Result()),
		Steps: []jsonStep{}, Phases: []jsonPhase{}, EdgesAre: "reduction", Edges: []jsonEdge{},
	}
	if p.transits {
		out.EdgesAre = "transitions"
	}
	var reported []string
	if p.plan != nil {
		f, at := p.plan.Facts(), p.plan.Position()
		out.Plan = &jsonPlan{jsonPosition(at), v.Names(f.True()), v.Names(f.False()), v.Names(v.All() &^ f.Known()), steps.Visible(p.plan), steps.Possible(p.plan)}
		reported = steps.DisplaySteps(p.plan)
	}
	for _, b := range p.bands {
		step := jsonStep{Name: b.step}
		for _, n := range p.nodes[b.first : b.first+b.n] {
			step.Phases = append(step.Phases, n.name)
		}
		out.Steps = append(out.Steps, step)
	}
	for k := range p.nodes {
		n := &p.nodes[k]
		if !p.isPhase(n) {
			continue
		}
		phase := p.graph.Phase(n.index)
		one := jsonPhase{
			Name: n.name, Step: phase.Step, OtherSteps: []jsonGuardedStep{}, Description: phase.Description, Guard: guard(phase.Guard),
			End: n.end, Rides: n.rides, Decides: v.Names(phase.Decides), Jumps: []jsonJump{}, Failed: n.failed,
		}
		for _, s := range phase.Steps {
			one.OtherSteps = append(one.OtherSteps, jsonGuardedStep{s.Step, guard(s.Guard)})
		}
		for _, j := range phase.Jumps {
			one.Jumps = append(one.Jumps, jsonJump{j.To, guard(j.Guard), j.Choice})
		}
		if p.plan != nil {
			under := []string{}
			for step := range p.plan.Under(n.index) {
				under = append(under, p.graph.Steps()[step])
			}
			one.jsonRuns = &jsonRuns{jsonStates[n.state], p.plan.Runs(n.index), n.tentative, n.admits, under, reported[n.index], n.why}
		}
		out.Phases = append(out.Phases, one)
	}
	name := func(k int) *string {
		if n := &p.nodes[k]; p.isPhase(n) {
			return &n.name
		}
		return nil
	}
	for _, e := range p.edges {
		one := jsonEdge{From: name(e.from), To: name(e.to), Kind: e.kind.String(), Choice: e.choice, Taken: e.taken}
		if e.kind == jump {
			guard := e.guard
			one.Guard = &guard
		}
		out.Edges = append(out.Edges, one)
	}
	return out
}
