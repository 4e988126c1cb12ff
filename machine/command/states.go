package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// StateAnnotation is the annotation that is searched first for the state of a run.
const StateAnnotation = "pipeline.konveyor.io/state"

// foundState is the state of a run that an object holds.
type foundState struct {
	// item distinguishes the runs of an object that has several; otherwise it is empty.
	item  string
	state runner.State
	// at is the position of the state in the object: ".status.vms[3].run", or "annotation
	// pipeline.konveyor.io/state".
	at string
}

// stateError reports a part of an object that should be the state of a run and cannot be
// read.
type stateError struct {
	// Place is the position of that part: ".status.vms[3].run", or "annotation
	// pipeline.konveyor.io/state".
	Place string
	Err   error
}

func (e *stateError) Error() string { return e.Place + ": " + e.Err.Error() }

// Unwrap returns the problem.
func (e *stateError) Unwrap() error { return e.Err }

// findStates finds the states of the runs that an object holds. The object must be valid
// JSON. Each error is a [*stateError] of a state that cannot be read; the others are
// still returned.
//
// If at is given, only that place is searched. Otherwise the states are in the first of
// these places that has one:
//
//   - the annotation [StateAnnotation], whatever it holds;
//   - another annotation;
//   - the status;
//   - fields of the status;
//   - a list in the status or in a field of it, whose items are states or hold one in a
//     field. If there are several such lists, the names of items have that of the list as
//     a prefix: vms/NAME.
//
// There, a state is recognized by its shape ([runner.IsState]). If one item of a list
// holds a state, each item has a run. An item with nothing in the same field has not
// begun; anything else in that field is an error.
//
// A state without a pipeline gets that of the enclosing object or item. A state in an
// annotation gets that of the status.
func findStates(object []byte, at statePath) (found []foundState, errs []error) {
	var nodes []stateNode
	if at.parts != nil {
		nodes = at.find(object)
	} else {
		nodes = usualStates(object)
	}
	for _, n := range nodes {
		f, err := n.read()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, f)
	}
	return found, errs
}

// holdsState reports whether an object holds the state of a run, even one that cannot be
// read.
func holdsState(object []byte, at statePath) bool {
	found, errs := findStates(object, at)
	return len(found)+len(errs) > 0
}

// stateNode is a part of an object that is the state of a run.
type stateNode struct {
	// text is the state, or a string that holds it; nil if the run has not begun.
	text  []byte
	place string
	item  string
	// around is the value that holds the pipeline if the state has none.
	around      rawjson.Object
	aroundPlace string
	// annotation reports whether the state is in an annotation: the fields of the status
	// take precedence then.
	annotation bool
	// unsure reports whether the place was found only by a path, so it may hold anything.
	unsure bool
}

// usualStates finds the states of an object in the usual places.
func usualStates(object []byte) []stateNode {
	root := rawjson.ParseObject(object)
	annotations := rawjson.ParseObject(rawjson.ParseObject(root.Get("metadata")).Get("annotations"))
	statusText := root.Get("status")
	status := rawjson.ParseObject(statusText)
	if text := annotations.Get(StateAnnotation); !rawjson.IsNull(text) {
		return []stateNode{annotationNode(StateAnnotation, text, status)}
	}

	var nodes []stateNode
	for _, m := range annotations {
		if bytes.HasPrefix(m.Value, []byte(`"{`)) && runner.IsState([]byte(rawjson.Unquote(m.Value))) {
			name := rawjson.Unquote(m.Key)
			n := annotationNode(name, m.Value, status)
			n.item = name
			nodes = append(nodes, n)
		}
	}
	if nodes == nil && runner.IsState(statusText) {
		nodes = append(nodes, stateNode{text: statusText, around: status, aroundPlace: ".status", place: ".status"})
	}
	if nodes == nil {
		for _, m := range status {
			if isObject(m.Value) && runner.IsState(m.Value) {
				name := rawjson.Unquote(m.Key)
				nodes = append(nodes, stateNode{text: m.Value, item: name, place: ".status" + memberPath(name)})
			}
		}
	}
	if len(nodes) == 1 { // the object has one run
		nodes[0].item, nodes[0].around, nodes[0].aroundPlace = "", status, ".status"
	}
	if nodes == nil {
		lists := listedStates(status, ".status")
		for _, m := range status {
			if isObject(m.Value) {
				lists = append(lists, listedStates(rawjson.ParseObject(m.Value), ".status"+memberPath(rawjson.Unquote(m.Key)))...)
			}
		}
		for _, list := range lists {
			for _, n := range list.nodes {
				if len(lists) > 1 { // items of several lists may have the same name
					n.item = list.name + "/" + n.item
				}
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}

// stateList is a list whose items hold states. Its name is its path in the status.
type stateList struct {
	name  string
	nodes []stateNode
}

// annotationNode returns the state in an annotation.
func annotationNode(name string, text []byte, status rawjson.Object) stateNode {
	return stateNode{text: text, around: status, aroundPlace: ".status", place: "annotation " + name, annotation: true}
}

// listedStates finds the states in the lists of an object.
func listedStates(o rawjson.Object, place string) (lists []stateList) {
	for _, m := range o {
		if !isArray(m.Value) {
			continue
		}
		fields, list := stateFields(m.Value), place+memberPath(rawjson.Unquote(m.Key))
		nodes := itemStates(m.Value, list, func(item []byte, place string) []stateNode {
			if runner.IsState(item) {
				return []stateNode{{text: item, place: place}}
			}
			for _, m := range rawjson.ParseObject(item) {
				if name := rawjson.Unquote(m.Key); fields[name] && !rawjson.IsNull(m.Value) {
					return []stateNode{{text: m.Value, place: place + memberPath(name)}} // read refuses anything but a state
				}
			}
			return nil
		})
		if nodes != nil {
			lists = append(lists, stateList{strings.TrimPrefix(list, ".status."), nodes})
		}
	}
	return lists
}

// stateFields returns the fields in which items of a list hold the state of a run.
func stateFields(list []byte) map[string]bool {
	fields := make(map[string]bool)
	for item := range rawjson.Elements(list) {
		for _, m := range rawjson.ParseObject(item) {
			if isObject(m.Value) && runner.IsState(m.Value) {
				fields[rawjson.Unquote(m.Key)] = true
				break
			}
		}
	}
	return fields
}

// itemStates finds the states of the items of a list with a function. If no item has one,
// the list has no runs.
func itemStates(list []byte, place string, find func(item []byte, place string) []stateNode) []stateNode {
	var nodes []stateNode
	var items []rawjson.Object
	var at []int // index of the item of each node
	some := false
	for text := range rawjson.Elements(list) {
		itemPlace := fmt.Sprintf("%s[%d]", place, len(items))
		item := rawjson.ParseObject(text)
		of := find(text, itemPlace)
		some = some || of != nil
		if of == nil {
			of = []stateNode{{place: itemPlace}}
			if !isObject(text) {
				of[0].text = text // read refuses it
			}
		}
		for k := range of {
			if of[k].around == nil {
				of[k].around, of[k].aroundPlace = item, itemPlace
			}
			at = append(at, len(items))
		}
		nodes, items = append(nodes, of...), append(items, item)
	}
	if !some {
		return nil
	}
	key := itemKey(items)
	for k := range nodes {
		nodes[k].item = strings.TrimSuffix(key(at[k])+"/"+nodes[k].item, "/")
	}
	return nodes
}

// itemKey returns a function that names the items of a list. The name is the first of some
// fields whose values are distinct strings, or the index. Fields of nested objects are
// tried last, such as vm.name.
func itemKey(items []rawjson.Object) func(i int) string {
	names := []string{"name", "id", "key", "uid"}
	for _, name := range names {
		if key := distinct(items, func(o rawjson.Object) []byte { return o.Get(name) }); key != nil {
			return func(i int) string { return key[i] }
		}
	}
	if len(items) > 0 {
		for _, m := range items[0] {
			if !isObject(m.Value) {
				continue
			}
			field := rawjson.Unquote(m.Key)
			for _, name := range names {
				nested := func(o rawjson.Object) []byte { return rawjson.ParseObject(o.Get(field)).Get(name) }
				if key := distinct(items, nested); key != nil {
					return func(i int) string { return key[i] }
				}
			}
		}
	}
	return strconv.Itoa
}

// distinct returns the string of each item, or nil if one is empty or occurs twice.
func distinct(items []rawjson.Object, get func(rawjson.Object) []byte) []string {
	known := make(map[string]bool, len(items))
	all := make([]string, len(items))
	for i, item := range items {
		text := get(item)
		if !isString(text) {
			return nil
		}
		all[i] = rawjson.Unquote(text)
		if all[i] == "" || known[all[i]] {
			return nil
		}
		known[all[i]] = true
	}
	return all
}

// read decodes a state. The error is a [*stateError].
func (n stateNode) read() (foundState, error) {
	f := foundState{item: n.item, at: n.place}
	text := n.text
	if isString(text) {
		text = []byte(rawjson.Unquote(text))
		if !json.Valid(text) {
			return f, &stateError{n.place, errNoJSON}
		}
	}
	var state rawjson.Object
	if text != nil {
		if !isObject(text) {
			return f, &stateError{n.place, fmt.Errorf("holds %s where the state of a run is needed", rawjson.Type(text))}
		}
		state = rawjson.ParseObject(text)
		has := func(name string) bool { return !rawjson.IsNull(state.Get(name)) }
		if n.unsure && !runner.IsState(text) && slices.ContainsFunc([]string{"itinerary", "phase", "done"}, has) {
			return f, &stateError{n.place, errForeign}
		}
	}
	pipeline, at := state.Get("pipeline"), n.place+".pipeline"
	if rawjson.IsNull(pipeline) {
		pipeline, at = pipelineIn(n.around, n.aroundPlace)
	}
	if pipeline != nil {
		p, err := decodePipeline(pipeline, at)
		if err != nil {
			return f, err
		}
		if pipeline, err = json.Marshal(p); err != nil {
			return f, &stateError{at, err}
		}
		state = slices.Clone(state)
		state.Set("pipeline", pipeline)
	}
	s, err := runner.DecodeState(state.Text())
	if err != nil {
		return f, &stateError{n.place, err}
	}
	if n.annotation {
		if s, err = followFields(s, n.around); err != nil {
			return f, &stateError{n.place, err}
		}
	}
	f.state = s
	return f, nil
}

var (
	errNoJSON  = errors.New("not the state of a run: it is not JSON")
	errForeign = errors.New("not the state of a run: it has neither the field facts nor the field visit, so another controller wrote it")
)

// annotated is an object with a state in an annotation.
type annotated struct {
	metav1.ObjectMeta
	pipeline         steps.Pipeline
	itinerary, phase string
}

// stateOf is the name of the annotation in which annotatedState reads a state. The object
// itself may use another name.
const stateOf = "state"

var annotatedState = runner.NewAnnotationStorage(stateOf, runner.Fields[*annotated]{
	Pipeline:  func(o *annotated) *steps.Pipeline { return &o.pipeline },
	Itinerary: func(o *annotated) *string { return &o.itinerary },
	Phase:     func(o *annotated) *string { return &o.phase },
})

// followFields returns the state of an annotation as the runner reads it from an object
// with that status. If the status names another itinerary or phase, another controller has
// moved the run. A status without an itinerary has no such fields.
func followFields(s runner.State, status rawjson.Object) (runner.State, error) {
	o := &annotated{pipeline: s.Pipeline, itinerary: stringIn(status, "itinerary"), phase: stringIn(status, "phase")}
	if o.itinerary == "" {
		return s, nil
	}
	s.Pipeline = nil
	text, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	o.Annotations = map[string]string{stateOf: string(text)}
	return annotatedState.Read(context.Background(), o)
}

// stringIn returns the value of a member that is a string, or "".
func stringIn(o rawjson.Object, name string) string {
	if text := o.Get(name); isString(text) {
		return rawjson.Unquote(text)
	}
	return ""
}

// pipelineIn finds the pipeline in the value around a state: the field of that name, or
// else the only one of that shape.
func pipelineIn(around rawjson.Object, place string) (text []byte, at string) {
	if text = around.Get("pipeline"); !rawjson.IsNull(text) {
		return text, place + ".pipeline"
	}
	text = nil
	for _, m := range around {
		if !isPipeline(m.Value) {
			continue
		}
		if text != nil {
			return nil, ""
		}
		text, at = m.Value, place+memberPath(rawjson.Unquote(m.Key))
	}
	return text, at
}

// isPipeline reports whether a value has the shape of a pipeline: a list of objects with a
// name, and no members except those of [steps.Step].
func isPipeline(text []byte) bool {
	if !isArray(text) {
		return false
	}
	some, shown := false, false
	for element := range rawjson.Elements(text) {
		some = true
		step := rawjson.ParseObject(element)
		if !isString(step.Get("name")) {
			return false
		}
		for _, m := range step {
			switch rawjson.Unquote(m.Key) {
			case "name":
			case "started", "completed", "phase", "message", "progress", "failed", "skipped":
				shown = true
			default:
				return false
			}
		}
	}
	return some && shown
}

// decodePipeline decodes a pipeline, whose steps may be of an embedder's own type. A field
// whose type differs from that of [steps.Step] is left out, except for the times.
func decodePipeline(text []byte, place string) (steps.Pipeline, error) {
	if !isArray(text) {
		return nil, &stateError{place, fmt.Errorf("holds %s where the steps of a run are needed", rawjson.Type(text))}
	}
	var p steps.Pipeline
	for element := range rawjson.Elements(text) {
		at := fmt.Sprintf("%s[%d]", place, len(p))
		of := rawjson.ParseObject(element)
		step := steps.Step{Name: stringIn(of, "name"), Phase: stringIn(of, "phase"), Message: stringIn(of, "message")}
		if step.Name == "" {
			return nil, &stateError{at, errors.New("is not a step: it has no name")}
		}
		for name, to := range map[string]**metav1.Time{"started": &step.Started, "completed": &step.Completed} {
			if text := of.Get(name); !rawjson.IsNull(text) && json.Unmarshal(text, to) != nil {
				return nil, &stateError{at + "." + name, errors.New("is not a time as 2006-01-02T15:04:05Z")}
			}
		}
		if json.Unmarshal(of.Get("progress"), &step.Progress) != nil {
			step.Progress = nil
		}
		step.Failed = string(of.Get("failed")) == "true"
		step.Skipped = string(of.Get("skipped")) == "true"
		p = append(p, step)
	}
	return p, nil
}

func isObject(text []byte) bool { return len(text) > 0 && text[0] == '{' }
func isArray(text []byte) bool  { return len(text) > 0 && text[0] == '[' }
func isString(text []byte) bool { return len(text) > 0 && text[0] == '"' }
