package legacy

import (
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// unite merges all entries of each name into one. It takes the place of the first
// that has started or, if none has, of the first.
func unite(entries []*entry) []*entry {
	count := make(map[string]int, len(entries))
	for _, e := range entries {
		count[e.name]++
	}
	if len(count) == len(entries) {
		return entries
	}
	groups := make(map[string][]*entry)
	ran := make(map[string]bool)
	for _, e := range entries {
		if count[e.name] > 1 {
			groups[e.name] = append(groups[e.name], e)
			ran[e.name] = ran[e.name] || e.ran()
		}
	}
	out := make([]*entry, 0, len(count))
	for _, e := range entries {
		if count[e.name] == 1 {
			out = append(out, e)
		} else if group := groups[e.name]; group != nil && e.ran() == ran[e.name] {
			out = append(out, merge(group))
			groups[e.name] = nil
		}
	}
	return out
}

// merge returns one entry for several of one name, which two controllers wrote
// side by side or a user repeated. If none has started, it is the first that is
// not skipped. Otherwise, as in [steps.Sync], it is the entry that is open or was
// completed last, with the earliest start of all, and failed if any has failed.
func merge(group []*entry) *entry {
	ran := started(group)
	if len(ran) == 0 {
		for _, e := range group {
			if !e.skipped {
				return e
			}
		}
		return group[0]
	}
	base, first, failed := ran[0], ran[0], ran[0].failed
	progress := lines(base)
	for _, e := range ran[1:] {
		own := lines(e)
		if e.supersedes(base) {
			base = e
			if own != nil {
				progress = own
			}
		} else if progress == nil {
			progress = own
		}
		if e.started != "" && (first.started == "" || before(e.started, first.started)) {
			first = e
		}
		failed = failed || e.failed
	}
	base = base.clone()
	if first.started != base.started {
		base.started = first.started
		base.members.Set("started", first.members.Get("started"), "completed", "name")
	}
	if progress != nil {
		base.members.Set("progress", progress, "failed", "skipped")
	}
	if failed && !base.failed {
		base.failed = true
		base.members.Set("failed", []byte("true"), "skipped")
		if !base.open() {
			base.set("message", &base.message, steps.MessageFailed, "progress", "failed", "skipped")
		}
	}
	return base
}

// lines returns the JSON text of the entry's progress, or nil if it has none.
func lines(e *entry) []byte {
	v := e.members.Get("progress")
	if rawjson.IsNull(v) || string(v) == "[]" {
		return nil
	}
	return v
}

// supersedes reports whether e takes precedence over other, which precedes it in
// the pipeline: an open entry over a completed one, of two open ones the one with
// a phase, of two completed ones the later.
func (e *entry) supersedes(other *entry) bool {
	switch open, was := e.open(), other.open(); {
	case open && was:
		return e.phase != "" || other.phase == ""
	case open || was:
		return open
	}
	return !before(e.completed, other.completed)
}

// timestamp parses a timestamp. A text longer than any timestamp is not parsed,
// since one entry can be compared with many.
func timestamp(text string) (t time.Time, ok bool) {
	const longest = 64
	if len(text) > longest {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// before reports whether timestamp a is earlier than b. It is false if either is
// not a timestamp.
func before(a, b string) bool {
	at, okA := timestamp(a)
	bt, okB := timestamp(b)
	return okA && okB && at.Before(bt)
}

// simultaneous reports whether two timestamps are in the same second, since some
// clients store whole seconds. Texts that are not timestamps must be equal.
func simultaneous(a, b string) bool {
	at, okA := timestamp(a)
	bt, okB := timestamp(b)
	if !okA || !okB {
		return a == b
	}
	return at.Truncate(time.Second).Equal(bt.Truncate(time.Second))
}
