package legacy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/steps"
)

// status is a status cut into pieces. It is not changed once it is made.
type status struct {
	object           // nil where the status is null
	phase, itinerary string
	listed           bool // there is a pipeline, be it empty
	entries          []*entry
}

// entry is a step of a pipeline. It is not changed once it is made.
type entry struct {
	object
	raw                []byte
	name, phase        string
	message            string
	started, completed string // as they were written; empty where not set
	failed, skipped    bool
}

// ran says whether the step has started, as [steps.Step.Ran] does.
func (e *entry) ran() bool { return e.started != "" || e.completed != "" || e.failed }

// open says whether the step has started and is not completed.
func (e *entry) open() bool { return e.ran() && e.completed == "" }

// parseStatus reads a status. The error is a [*StatusError].
func parseStatus(raw []byte) (*status, error) {
	text, err := compact(raw)
	if err != nil {
		return nil, &StatusError{Place: "status", Problem: "is not JSON", Err: err}
	}
	if isNull(text) {
		return &status{}, nil
	}
	if text[0] != '{' {
		return nil, &StatusError{Place: "status", Problem: "is not an object"}
	}
	s := &status{object: parseObject(text)}
	r := reader{object: s.object, place: "status"}
	s.phase, s.itinerary = r.text("phase"), r.text("itinerary")
	pipeline := r.one("pipeline")
	switch {
	case r.err != nil:
		return nil, r.err
	case pipeline == nil || isNull(pipeline):
		return s, nil
	case pipeline[0] != '[':
		return nil, &StatusError{Place: "status.pipeline", Problem: "is not an array"}
	}
	s.listed = true
	for i, raw := range parseArray(pipeline) {
		e, err := parseEntry(raw, fmt.Sprintf("status.pipeline[%d]", i))
		if err != nil {
			return nil, err
		}
		s.entries = append(s.entries, e)
	}
	return s, nil
}

// parseEntry reads a step from compact text. The error is a [*StatusError].
func parseEntry(raw []byte, place string) (*entry, error) {
	if raw[0] != '{' {
		return nil, &StatusError{Place: place, Problem: "is not an object"}
	}
	e := &entry{object: parseObject(raw), raw: raw}
	r := reader{object: e.object, place: place}
	e.name = r.text("name")
	e.phase, e.message = r.text("phase"), r.text("message")
	e.started, e.completed = r.text("started"), r.text("completed")
	e.failed, e.skipped = r.truth("failed"), r.truth("skipped")
	if name := e.value("name"); r.err == nil && (name == nil || isNull(name)) {
		return nil, &StatusError{Place: place, Problem: "has no name; give it the name of its step"}
	}
	if r.err != nil {
		return nil, r.err
	}
	return e, nil
}

// reader reads members of an object and keeps the first error.
type reader struct {
	object object
	place  string
	err    error
}

func (r *reader) fail(name, problem string) {
	if r.err == nil {
		r.err = &StatusError{Place: r.place + "." + name, Problem: problem}
	}
}

// one reads a member that may be there once: of two, nobody knows which counts.
func (r *reader) one(name string) []byte {
	i := r.object.find(name)
	if i < 0 {
		return nil
	}
	if r.object[i+1:].find(name) >= 0 {
		r.fail(name, "is there twice; leave one")
	}
	return r.object[i].value
}

// text reads a string; null and no member are empty, as for encoding/json.
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

// truth reads a boolean; null and no member are false.
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

// made is the entry of an object that was made from one that parsed.
func made(o object) *entry {
	e, err := parseEntry(o.text(), "")
	if err != nil {
		panic(err) // only names, phases, messages and times were set
	}
	return e
}

// set returns the entry with a string in place of another.
func (e *entry) set(name, value string) *entry { return made(e.with(name, quote(value))) }

// make returns the status with another phase and pipeline. The phase is
// compact text, or nil for none.
func (s *status) make(phase []byte, entries []*entry) *status {
	out := *s
	out.entries = entries
	out.phase = ""
	if phase == nil {
		out.object = out.without("phase")
	} else {
		out.phase = unquote(phase)
		out.object = out.with("phase", phase, "itinerary", "pipeline")
	}
	if s.listed {
		raws := make([][]byte, len(entries))
		for i, e := range entries {
			raws[i] = e.raw
		}
		out.object = out.with("pipeline", arrayText(raws))
	}
	return &out
}

// text puts the status together.
func (s *status) text() []byte {
	if s.object == nil {
		return []byte("null")
	}
	return s.object.text()
}

// sum is a fingerprint of what tells how far the migration is.
func (s *status) sum() string {
	h := sha256.New()
	for _, name := range []string{"phase", "itinerary", "pipeline"} {
		h.Write(append(canonical(s.value(name)), '\n')) // no JSON is an empty line
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
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

// unite makes one entry of all that have one name. It stands where the first
// of them that has started stood, else where the first did.
func unite(entries []*entry) []*entry {
	groups := make(map[string][]*entry, len(entries))
	ran := make(map[string]bool, len(entries))
	for _, e := range entries {
		groups[e.name] = append(groups[e.name], e)
		ran[e.name] = ran[e.name] || e.ran()
	}
	out := make([]*entry, 0, len(groups))
	for _, e := range entries {
		if group := groups[e.name]; group != nil && e.ran() == ran[e.name] {
			out = append(out, merge(group))
			groups[e.name] = nil
		}
	}
	return out
}

// merge makes one entry of several of one name, which two controllers wrote
// side by side: those that started as one run of the step, or, if none has,
// the first that is not skipped.
func merge(group []*entry) *entry {
	var ran []*entry
	for _, e := range group {
		if e.ran() {
			ran = append(ran, e)
		}
	}
	switch {
	case len(group) == 1:
		return group[0]
	case len(ran) == 0:
		for _, e := range group {
			if !e.skipped {
				return e
			}
		}
		return group[0]
	}
	base, started, completed, failed := ran[0], ran[0].started, ran[0].completed, ran[0].failed
	for _, e := range ran[1:] {
		if e.open() || !base.open() && !before(e.completed, base.completed) {
			base = e
		}
		if e.started != "" && (started == "" || before(e.started, started)) {
			started = e.started
		}
		if before(completed, e.completed) {
			completed = e.completed
		}
		failed = failed || e.failed
	}
	o := base.object
	if started != base.started {
		o = o.with("started", quote(started), "completed", "name")
	}
	if !base.open() && completed != base.completed {
		o = o.with("completed", quote(completed), "name")
	}
	if failed && !base.failed {
		o = o.with("failed", []byte("true"))
		if base.message == steps.MessageCompleted {
			o = o.with("message", quote(steps.MessageFailed))
		}
	}
	return made(o)
}

// before compares timestamps. One that is no timestamp is before none.
func before(a, b string) bool {
	at, errA := time.Parse(time.RFC3339, a)
	bt, errB := time.Parse(time.RFC3339, b)
	return errA == nil && errB == nil && at.Before(bt)
}

// simultaneous says whether two timestamps are the same, for a client that
// keeps whole seconds.
func simultaneous(a, b string) bool {
	at, errA := time.Parse(time.RFC3339, a)
	bt, errB := time.Parse(time.RFC3339, b)
	if errA != nil || errB != nil {
		return a == b
	}
	return at.Truncate(time.Second).Equal(bt.Truncate(time.Second))
}

// sameStarted says whether two pipelines have the same steps that started, in
// the same order.
func sameStarted(a, b []*entry) bool {
	return slices.EqualFunc(started(a), started(b), func(a, b *entry) bool {
		return bytes.Equal(canonical(a.raw), canonical(b.raw))
	})
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
