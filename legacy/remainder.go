package legacy

import (
	"bytes"
	"strconv"
)

// version is that of the remainder's format. A reader ignores any other.
const version = 1

// The remainder is a JSON object. What the status has lost is in it as it was
// written; what the status still has, only by name:
//
//	{
//	  "version": 1,
//	  "sum": "92d1...",           of the upgraded status, to see whether it has changed
//	  "itinerary": "Final",       as recorded; absent where none was
//	  "phase": "Enqueued",        as it was, where it was changed
//	  "phaseAbsent": true,        where there was none, and one was added
//	  "pipeline": [               as it was, where it was changed
//	    "Prepare",                an entry that the upgraded status has just so
//	    {"name": "StageBackup"}   an entry that it has not
//	  ]
//	}

// remainder is a remainder that was read.
type remainder struct {
	sum, itinerary string
	phaseChanged   bool
	phase          []byte // as it was; nil for none
	pipeline       bool   // whether the pipeline was changed
	items          []item
}

// item is an entry of the pipeline as it was: the one of that name in the
// present status, or an entry of its own.
type item struct {
	name string
	was  *entry
}

// remember writes down what upgrading has made of a status.
func remember(was, up *status) []byte {
	o := object{}.with("version", strconv.AppendInt(nil, version, 10)).with("sum", quote(up.sum()))
	if up.itinerary != "" {
		o = o.with("itinerary", quote(up.itinerary))
	}
	switch phase := was.value("phase"); {
	case phase == nil && up.value("phase") != nil:
		o = o.with("phaseAbsent", []byte("true"))
	case !bytes.Equal(phase, up.value("phase")):
		o = o.with("phase", phase)
	}
	if !bytes.Equal(was.value("pipeline"), up.value("pipeline")) {
		items, now := make([][]byte, len(was.entries)), byName(up.entries)
		for i, e := range was.entries {
			items[i] = e.raw
			if u := now[e.name]; u != nil && bytes.Equal(u.raw, e.raw) {
				items[i] = quote(e.name)
			}
		}
		o = o.with("pipeline", arrayText(items))
	}
	return o.text()
}

// parseRemainder reads a remainder. The error is a [*RemainderError].
func parseRemainder(raw []byte) (*remainder, error) {
	const broken = "cannot be read"
	text, err := compact(raw)
	if err != nil {
		return nil, &RemainderError{Problem: broken, Err: err}
	}
	if text[0] != '{' {
		return nil, &RemainderError{Problem: "is not an object"}
	}
	r := reader{object: parseObject(text), place: "remainder"}
	switch v := r.one("version"); {
	case r.err != nil:
	case v == nil:
		return nil, &RemainderError{Problem: "has no version"}
	case string(v) != strconv.Itoa(version):
		return nil, &RemainderError{Problem: "is of version " + string(v) + ", and this release knows " + strconv.Itoa(version)}
	}
	out := &remainder{sum: r.text("sum"), itinerary: r.text("itinerary")}
	_ = r.text("phase") // to see that it is one
	out.phase = r.one("phase")
	out.phaseChanged = r.truth("phaseAbsent") || out.phase != nil
	pipeline := r.one("pipeline")
	switch {
	case r.err != nil:
		return nil, &RemainderError{Problem: broken, Err: r.err}
	case pipeline == nil:
		return out, nil
	case pipeline[0] != '[':
		return nil, &RemainderError{Problem: broken, Err: &StatusError{Place: "remainder.pipeline", Problem: "is not an array"}}
	}
	out.pipeline = true
	for i, raw := range parseArray(pipeline) {
		if raw[0] == '"' {
			out.items = append(out.items, item{name: unquote(raw)})
			continue
		}
		e, err := parseEntry(raw, "remainder.pipeline["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, &RemainderError{Problem: broken, Err: err}
		}
		out.items = append(out.items, item{name: e.name, was: e})
	}
	return out, nil
}

// phaseWas is the phase as the remainder remembers it; empty where it does not.
func (r *remainder) phaseWas() string {
	if r.phase == nil || isNull(r.phase) {
		return ""
	}
	return unquote(r.phase)
}
