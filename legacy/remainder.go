package legacy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

// version is the version of the remainder's format. A remainder of any other is
// ignored.
const version = 1

// broken is the problem of a remainder that cannot be read.
const broken = "cannot be read"

// The remainder is a JSON object. It holds the original text of what the upgrade
// dropped or changed, and the names of the entries that stayed:
//
//	{
//	  "version": 1,
//	  "sum": "92d1...",           of the upgraded status, to detect changes
//	  "itinerary": "Final",       as recorded; absent if none was
//	  "phase": "Enqueued",        the original, if it was changed
//	  "phaseAbsent": true,        if there was none and one was added
//	  "pipeline": [               the original, if it was changed
//	    "Prepare",                an entry that is unchanged in the upgraded status
//	    {"name": "StageBackup"}   an entry that is not in it
//	  ]
//	}

// remainder is a parsed remainder.
type remainder struct {
	sum, itinerary string
	phaseChanged   bool
	phaseWas       string // empty if the phase was not changed, or absent
	phase          []byte // the JSON text of phaseWas; nil if absent
	pipeline       bool   // whether the pipeline was changed
	items          []item
}

// item is an entry of the original pipeline. If was is nil, it is the entry of
// that name in the present status.
type item struct {
	name string
	was  *entry
}

// remember returns the remainder of an upgrade from was to up. It refers to an
// entry by name at most once; a reader therefore never copies an entry twice.
func remember(was, up *status) []byte {
	changed := !slices.EqualFunc(was.entries, up.entries, func(a, b *entry) bool { return a.members.Equal(b.members) })
	size := len(`{"version":1,"sum":"0123456789abcdef","itinerary":,"phaseAbsent":true,"pipeline":[]}`)
	size += len(up.itineraryText) + len(was.phaseText)
	if changed {
		for _, e := range was.entries {
			size += e.members.Size() + len(",")
		}
	}
	b := append(make([]byte, 0, size), `{"version":`...)
	b = strconv.AppendInt(b, version, 10)
	b = append(b, `,"sum":"`+up.sum()+`"`...)
	if up.itinerary != "" {
		b = append(append(b, `,"itinerary":`...), up.itineraryText...)
	}
	switch {
	case was.phaseText == nil && up.phaseText != nil:
		b = append(b, `,"phaseAbsent":true`...)
	case !bytes.Equal(was.phaseText, up.phaseText):
		b = append(append(b, `,"phase":`...), was.phaseText...)
	}
	if changed {
		b = append(b, `,"pipeline":[`...)
		unnamed := byName(up.entries)
		for i, e := range was.entries {
			if i > 0 {
				b = append(b, ',')
			}
			if u := unnamed[e.name]; u != nil && u.members.Equal(e.members) {
				b = append(b, e.members.Get("name")...)
				delete(unnamed, e.name)
			} else {
				b = e.members.AppendTo(b)
			}
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// parseRemainder parses a remainder. The error is a [*RemainderError].
func parseRemainder(raw []byte) (*remainder, error) {
	text, err := rawjson.Compact(raw)
	if err != nil {
		return nil, &RemainderError{Problem: broken, Err: err}
	}
	r := reader{members: rawjson.ParseObject(text)}
	if r.members == nil {
		return nil, &RemainderError{Problem: "is not an object"}
	}
	switch v := r.one("version"); {
	case r.err != nil:
	case v == nil:
		return nil, &RemainderError{Problem: "has no version"}
	case string(v) != strconv.Itoa(version):
		const most = 20 // since v can be as long as the remainder
		return nil, &RemainderError{Problem: fmt.Sprintf("has version %.*s, but this release reads only version %d", most, v, version)}
	}
	out := &remainder{sum: r.text("sum"), itinerary: r.text("itinerary")}
	out.phaseWas, out.phase = r.text("phase"), r.one("phase")
	out.phaseChanged = r.truth("phaseAbsent") || out.phase != nil
	pipeline := r.one("pipeline")
	switch {
	case r.err != nil:
		return nil, &RemainderError{Problem: broken, Err: r.err.in("remainder")}
	case pipeline == nil:
		return out, nil
	case pipeline[0] != '[':
		return nil, &RemainderError{Problem: broken, Err: &StatusError{Place: "remainder.pipeline", Problem: "is not an array"}}
	}
	out.pipeline, out.items = true, make([]item, 0, rawjson.Len(pipeline))
	named := make(map[string]bool)
	for raw := range rawjson.Elements(pipeline) {
		i, err := item{}, (*StatusError)(nil)
		if raw[0] == '"' {
			if i.name = rawjson.Unquote(raw); named[i.name] {
				err = &StatusError{Problem: "names a step for the second time"}
			}
			named[i.name] = true
		} else if i.was, err = parseEntry(raw); err == nil {
			i.name = i.was.name
		}
		if err != nil {
			return nil, &RemainderError{Problem: broken, Err: err.in(fmt.Sprintf("remainder.pipeline[%d]", len(out.items)))}
		}
		out.items = append(out.items, i)
	}
	return out, nil
}
