package legacy

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// status is a status as a document: parsed once, changed by [status.with], and
// written once by [status.text]. What this package does not know stays in
// members. A status and its entries are not changed once they are made.
type status struct {
	raw              []byte         // the compact text that was parsed
	members          rawjson.Object // as parsed; the fields below replace phase and pipeline
	phase, itinerary string
	// The text of the phase and of the itinerary. Nil if there is none.
	phaseText, itineraryText []byte

	listed  bool // there is a pipeline; it may be empty
	entries []*entry
}

// entry is a step of a pipeline. The fields are what the members hold.
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

// parseEntry parses a step. The place in the error is one in the step.
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

// one returns a member that may be there once: of two, it is unknown which
// counts. It is nil if there is none.
func (r *reader) one(name string) []byte {
	i := r.members.Index(name)
	if i < 0 {
		return nil
	}
	if r.members[:i].Index(name) >= 0 {
		r.fail(name, "is there twice; leave one")
	}
	return r.members[i].Value
}

// text returns a string; null and no member are empty, as for encoding/json.
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

// truth returns a boolean; null and no member are false.
func (r *reader) truth(name string) bool {
	v := string(r.one(name))
	if !slices.Contains([]string{"true", "false", "null", ""}, v) {
		r.fail(name, "is neither true nor false")
	}
	return v == "true"
}

// with returns the status with another phase and pipeline. The phase is compact
// text, or nil for none. Without a pipeline the entries are ignored.
func (s *status) with(phase []byte, entries []*entry) *status {
	out := *s
	out.phase, out.phaseText, out.entries = "", phase, entries
	if !rawjson.IsNull(phase) {
		out.phase = rawjson.Unquote(phase)
	}
	return &out
}

func (s *status) null() bool { return rawjson.IsNull(s.raw) }

// text writes the status.
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

// pipelineText writes the entries.
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

// sum is a fingerprint of the phase, the itinerary and the pipeline.
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

// ended returns the message of the completed step.
func (e *entry) ended() string {
	switch {
	case e.failed:
		return steps.MessageFailed
	case e.message == steps.MessageCanceled:
		return steps.MessageCanceled
	}
	return steps.MessageCompleted
}

// same reports whether two entries read the same.
func (e *entry) same(other *entry) bool {
	if e.members.Equal(other.members) {
		return true
	}
	a, b := rawjson.NewDigest(), rawjson.NewDigest()
	a.Object(e.members)
	b.Object(other.members)
	return a.Sum() == b.Sum()
}

// clone returns a copy to be changed.
func (e *entry) clone() *entry {
	out := *e
	out.members = slices.Clone(e.members)
	return &out
}

// set changes a member and its field, which is one of e's. A new member goes in
// front of those in before.
func (e *entry) set(name string, field *string, value string, before ...string) {
	if *field != value {
		*field = value
		e.members.Set(name, rawjson.Quote(value), before...)
	}
}

// renamed returns the entry under another name.
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

// byName returns the entries by their names, of one name the first.
func byName(entries []*entry) map[string]*entry {
	out := make(map[string]*entry, len(entries))
	for _, e := range entries {
		if out[e.name] == nil {
			out[e.name] = e
		}
	}
	return out
}
