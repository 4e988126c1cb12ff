package legacy

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/steps"
)

// status is a status cut into pieces. It is not changed once it is made.
type status struct {
	raw              []byte // the compact text that it was cut from
	phase, itinerary string
	// The text of the phase, of the itinerary, and of a pipeline that is null.
	// Nil if there is none.
	phaseText, itineraryText, pipelineText []byte

	listed  bool // there is a pipeline; it may be empty
	entries []*entry
}

// entry is a step of a pipeline. It is not changed once it is made.
type entry struct {
	raw                                      []byte
	name, phase, message, started, completed string // empty if not set
	failed, skipped                          bool
	hasPhase, hasSkipped                     bool // the member is there, whatever it holds
}

// ran reports whether the step has started, as [steps.Step.Ran] does.
func (e *entry) ran() bool { return e.started != "" || e.completed != "" || e.failed }

// open reports whether the step has started and is not completed.
func (e *entry) open() bool { return e.ran() && e.completed == "" }

// ended returns what people read in the completed step.
func (e *entry) ended() string {
	switch {
	case e.failed:
		return steps.MessageFailed
	case e.message == steps.MessageCanceled:
		return steps.MessageCanceled
	}
	return steps.MessageCompleted
}

// parseStatus reads a status. The error is a [*StatusError].
func parseStatus(raw []byte) (*status, error) {
	text, err := compact(raw)
	if err != nil {
		return nil, &StatusError{Place: "status", Problem: "is not JSON", Err: err}
	}
	s := &status{raw: text}
	if s.null() {
		return s, nil
	}
	if text[0] != '{' {
		return nil, &StatusError{Place: "status", Problem: "is not an object"}
	}
	r := read(text)
	s.phase, s.phaseText = r.text("phase"), r.one("phase")
	s.itinerary, s.itineraryText = r.text("itinerary"), r.one("itinerary")
	if s.itinerary == "" && r.one("itenerary") != nil { // as MTC 1.2 spelled it
		s.itinerary, s.itineraryText = r.text("itenerary"), r.one("itenerary")
	}
	pipeline := r.one("pipeline")
	switch {
	case r.err != nil:
		return nil, r.err.in("status")
	case pipeline == nil || isNull(pipeline):
		s.pipelineText = pipeline
		return s, nil
	case pipeline[0] != '[':
		return nil, &StatusError{Place: "status.pipeline", Problem: "is not an array"}
	}
	s.listed = true
	for raw := range elements(pipeline) {
		e, err := parseEntry(raw)
		if err != nil {
			return nil, err.in(fmt.Sprintf("status.pipeline[%d]", len(s.entries)))
		}
		s.entries = append(s.entries, e)
	}
	return s, nil
}

// parseEntry reads a step from compact text. The place in the error is one in
// the step.
func parseEntry(raw []byte) (*entry, *StatusError) {
	if raw[0] != '{' {
		return nil, &StatusError{Problem: "is not an object"}
	}
	r := read(raw)
	e := &entry{
		raw:  raw,
		name: r.text("name"), phase: r.text("phase"), message: r.text("message"),
		started: r.text("started"), completed: r.text("completed"),
		failed: r.truth("failed"), skipped: r.truth("skipped"),
		hasPhase: r.one("phase") != nil, hasSkipped: r.one("skipped") != nil,
	}
	if name := r.one("name"); r.err == nil && (name == nil || isNull(name)) {
		return nil, &StatusError{Problem: "has no name; give it the name of its step"}
	}
	return e, r.err
}

// reader reads members of an object and keeps the first error.
type reader struct {
	values [14][]byte // by the index in names
	twice  [14]bool
	err    *StatusError
}

// read reads the members of an object that have one of [names].
func read(object []byte) (r reader) {
	for key, value := range members(object) {
		name := known(key)
		if name == "" {
			continue
		}
		i := slices.Index(names, name)
		if r.values[i] != nil {
			r.twice[i] = true
			continue
		}
		r.values[i] = value
	}
	return r
}

func (r *reader) fail(name, problem string) {
	if r.err == nil {
		r.err = &StatusError{Place: "." + name, Problem: problem}
	}
}

// one returns a member that may be there once: of two, it is unknown which
// counts. It is nil if there is none.
func (r *reader) one(name string) []byte {
	i := slices.Index(names, name)
	if r.twice[i] {
		r.fail(name, "is there twice; leave one")
	}
	return r.values[i]
}

// text returns a string; null and no member are empty, as for encoding/json.
func (r *reader) text(name string) string {
	v := r.one(name)
	if v == nil || isNull(v) {
		return ""
	}
	if v[0] != '"' {
		r.fail(name, "is not a string")
		return ""
	}
	return unquote(v)
}

// truth returns a boolean; null and no member are false.
func (r *reader) truth(name string) bool {
	switch v := r.one(name); string(v) {
	case "true":
		return true
	case "", "null", "false":
		return false
	}
	r.fail(name, "is neither true nor false")
	return false
}

// with returns the entry with other members.
func (e *entry) with(changes ...change) *entry {
	if len(changes) == 0 {
		return e
	}
	out := *e
	out.raw = splice(e.raw, changes...)
	for _, c := range changes {
		var text string
		if len(c.value) > 0 && c.value[0] == '"' {
			text = unquote(c.value)
		}
		switch c.name {
		case "name":
			out.name = text
		case "phase":
			out.phase, out.hasPhase = text, c.value != nil
		case "message":
			out.message = text
		case "started":
			out.started = text
		case "failed":
			out.failed = string(c.value) == "true"
		case "skipped":
			out.skipped, out.hasSkipped = string(c.value) == "true", c.value != nil
		}
	}
	return &out
}

// with returns the status with another phase and pipeline. The phase is compact
// text, or nil for none. Without a pipeline the entries are ignored.
func (s *status) with(phase []byte, entries []*entry) *status {
	out := *s
	out.phase, out.phaseText, out.entries = "", phase, entries
	if phase != nil && !isNull(phase) {
		out.phase = unquote(phase)
	}
	return &out
}

func (s *status) null() bool { return isNull(s.raw) }

// text puts the status together.
func (s *status) text() []byte {
	if s.null() {
		return s.raw
	}
	changes := []change{{name: "phase", value: s.phaseText, before: []string{"itinerary", "itenerary", "pipeline"}}}
	if s.listed {
		size := len("[]")
		for _, e := range s.entries {
			size += len(e.raw) + len(",")
		}
		b := append(make([]byte, 0, size), '[')
		for i, e := range s.entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, e.raw...)
		}
		changes = append(changes, change{name: "pipeline", value: append(b, ']')})
	}
	return splice(s.raw, changes...)
}

// sum is a fingerprint of the phase, the itinerary and the pipeline.
func (s *status) sum() string {
	values := append(make([][]byte, 0, 3+len(s.entries)), s.phaseText, s.itineraryText, s.pipelineText)
	if s.listed {
		values[2] = []byte("[]")
	}
	for _, e := range s.entries {
		values = append(values, e.raw)
	}
	return fmt.Sprintf("%016x", uint64(sumOf(values...)))
}

// same reports whether two entries read the same.
func (e *entry) same(other *entry) bool {
	return bytes.Equal(e.raw, other.raw) || sumOf(e.raw) == sumOf(other.raw)
}

// byName are the entries by their names, of one name the first.
func byName(entries []*entry) map[string]*entry {
	out := make(map[string]*entry, len(entries))
	for _, e := range entries {
		if out[e.name] == nil {
			out[e.name] = e
		}
	}
	return out
}

// sameStarted reports whether two pipelines have the same steps that started, in
// the same order.
func sameStarted(a, b []*entry) bool {
	return slices.EqualFunc(started(a), started(b), (*entry).same)
}

// started are the entries that have started.
func started(entries []*entry) []*entry {
	var ran []*entry
	for _, e := range entries {
		if e.ran() {
			ran = append(ran, e)
		}
	}
	return ran
}
