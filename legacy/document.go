package legacy

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// status is a parsed status. [status.with] returns a changed copy and
// [status.text] writes it; members preserves what this package does not know.
// A status and its entries are immutable.
type status struct {
	raw              []byte         // the compact text that was parsed
	members          rawjson.Object // as parsed; the fields below replace phase and pipeline
	phase, itinerary string
	// The JSON texts of the phase and the itinerary; nil if absent.
	phaseText, itineraryText []byte

	listed  bool // whether there is a pipeline, possibly an empty one
	entries []*entry
}

// entry is a step of a pipeline. Its fields repeat the values in members.
type entry struct {
	members                                  rawjson.Object
	name, phase, message, started, completed string // empty if not set
	failed, skipped                          bool
}

// parseStatus parses a status. The error is a [*StatusError].
func parseStatus(raw []byte) (*status, error) {
	text, err := rawjson.Compact(raw)
	if err != nil {
		return nil, &StatusError{Place: "status", Problem: "is not JSON", Err: err}
	}
	s := &status{raw: text, members: rawjson.ParseObject(text)}
	if s.null() {
		return s, nil
	}
	if s.members == nil {
		return nil, &StatusError{Place: "status", Problem: "is not an object"}
	}
	r := reader{members: s.members}
	s.phase, s.phaseText = r.text("phase"), r.one("phase")
	s.itinerary, s.itineraryText = r.text("itinerary"), r.one("itinerary")
	if s.itinerary == "" && r.one("itenerary") != nil { // as MTC 1.2 spelled it
		s.itinerary, s.itineraryText = r.text("itenerary"), r.one("itenerary")
	}
	pipeline := r.one("pipeline")
	switch {
	case r.err != nil:
		return nil, r.err.in("status")
	case rawjson.IsNull(pipeline):
		return s, nil
	case pipeline[0] != '[':
		return nil, &StatusError{Place: "status.pipeline", Problem: "is not an array"}
	}
	s.listed, s.entries = true, make([]*entry, 0, rawjson.Len(pipeline))
	for raw := range rawjson.Elements(pipeline) {
		e, err := parseEntry(raw)
		if err != nil {
			return nil, err.in(fmt.Sprintf("status.pipeline[%d]", len(s.entries)))
		}
		s.entries = append(s.entries, e)
	}
	return s, nil
}

// parseEntry parses a step. The place in its error is relative to the step.
func parseEntry(raw []byte) (*entry, *StatusError) {
	e := &entry{members: rawjson.ParseObject(raw)}
	if e.members == nil {
		return nil, &StatusError{Problem: "is not an object"}
	}
	r := reader{members: e.members}
	e.name, e.phase, e.message = r.text("name"), r.text("phase"), r.text("message")
	e.started, e.completed = r.text("started"), r.text("completed")
	e.failed, e.skipped = r.truth("failed"), r.truth("skipped")
	if r.err == nil && rawjson.IsNull(r.one("name")) {
		return nil, &StatusError{Problem: "has no name; give it the name of its step"}
	}
	return e, r.err
}

// reader reads members of an object and keeps the first error.
type reader struct {
	members rawjson.Object
	err     *StatusError
}

func (r *reader) fail(name, problem string) {
	if r.err == nil {
		r.err = &StatusError{Place: "." + name, Problem: problem}
	}
}

// one returns the value of a member, or nil if there is none. A second member of
// that name is an error, since it is unknown which of the two counts.
func (r *reader) one(name string) []byte {
	i := r.members.Index(name)
	if i < 0 {
		return nil
	}
	if r.members[:i].Index(name) >= 0 {
		r.fail(name, "is there twice; remove one")
	}
	return r.members[i].Value
}

// text returns a member as a string. A null or absent member is empty, as in
// encoding/json.
func (r *reader) text(name string) string {
	v := r.one(name)
	if rawjson.IsNull(v) {
		return ""
	}
	if v[0] != '"' {
		r.fail(name, "is not a string")
		return ""
	}
	return rawjson.Unquote(v)
}

// truth returns a member as a boolean. A null or absent member is false.
func (r *reader) truth(name string) bool {
	v := string(r.one(name))
	if !slices.Contains([]string{"true", "false", "null", ""}, v) {
		r.fail(name, "is neither true nor false")
	}
	return v == "true"
}

// with returns a copy of the status with another phase and pipeline. The phase is
// compact JSON, or nil for none. If s has no pipeline, the entries are ignored.
func (s *status) with(phase []byte, entries []*entry) *status {
	out := *s
	out.phase, out.phaseText, out.entries = "", phase, entries
	if !rawjson.IsNull(phase) {
		out.phase = rawjson.Unquote(phase)
	}
	return &out
}

func (s *status) null() bool { return rawjson.IsNull(s.raw) }

// text returns the status as compact JSON.
func (s *status) text() []byte {
	if s.null() {
		return s.raw
	}
	out := slices.Clone(s.members)
	if s.phaseText == nil {
		out.Remove("phase")
	} else {
		out.Set("phase", s.phaseText, "itinerary", "itenerary", "pipeline")
	}
	if s.listed {
		out.Set("pipeline", s.pipelineText())
	}
	return out.Text()
}

// pipelineText returns the pipeline as compact JSON.
func (s *status) pipelineText() []byte {
	size := len("[]")
	for _, e := range s.entries {
		size += e.members.Size() + len(",")
	}
	b := append(make([]byte, 0, size), '[')
	for i, e := range s.entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.members.AppendTo(b)
	}
	return append(b, ']')
}

// sum returns a fingerprint of the phase, the itinerary and the pipeline.
func (s *status) sum() string {
	pipeline := s.members.Get("pipeline")
	if s.listed {
		pipeline = []byte("[]") // the entries follow
	}
	d := rawjson.NewDigest()
	d.Value(s.phaseText)
	d.Value(s.itineraryText)
	d.Value(pipeline)
	for _, e := range s.entries {
		d.Object(e.members)
	}
	return fmt.Sprintf("%016x", d.Sum())
}

// ran reports whether the step has started, as [steps.Step.Ran] does.
func (e *entry) ran() bool { return e.started != "" || e.completed != "" || e.failed }

// open reports whether the step has started and is not completed.
func (e *entry) open() bool { return e.ran() && e.completed == "" }

// ended returns the message that a completed step has in the current form.
func (e *entry) ended() string {
	switch {
	case e.failed:
		return steps.MessageFailed
	case e.message == steps.MessageCanceled:
		return steps.MessageCanceled
	}
	return steps.MessageCompleted
}

// same reports whether two entries have the same content, regardless of the order
// of keys and the spelling of strings.
func (e *entry) same(other *entry) bool {
	if e.members.Equal(other.members) {
		return true
	}
	a, b := rawjson.NewDigest(), rawjson.NewDigest()
	a.Object(e.members)
	b.Object(other.members)
	return a.Sum() == b.Sum()
}

// clone returns a copy that the caller may change.
func (e *entry) clone() *entry {
	out := *e
	out.members = slices.Clone(e.members)
	return &out
}

// set changes the named member and the field of e that repeats it. If the member
// is new, it is inserted in front of the first of before.
func (e *entry) set(name string, field *string, value string, before ...string) {
	if *field != value {
		*field = value
		e.members.Set(name, rawjson.Quote(value), before...)
	}
}

// renamed returns the entry with another name.
func (e *entry) renamed(name string) *entry {
	if name == e.name {
		return e
	}
	e = e.clone()
	e.set("name", &e.name, name)
	return e
}

// started returns the entries that have started.
func started(entries []*entry) []*entry {
	var ran []*entry
	for _, e := range entries {
		if e.ran() {
			ran = append(ran, e)
		}
	}
	return ran
}

// byName returns the entries by name. Of several with one name it has the first.
func byName(entries []*entry) map[string]*entry {
	out := make(map[string]*entry, len(entries))
	for _, e := range entries {
		if out[e.name] == nil {
			out[e.name] = e
		}
	}
	return out
}
