package debug

import (
	"encoding/binary"
	"slices"
)

// log is the history of a run in bytes: records of what happened, oldest first, each
// prefixed by a tag and its length. The record of a moment follows those of the events
// that led to it.
type log struct {
	buf []byte
	// head is the offset of the oldest record.
	head int
	// last is the offset of the last event, and fresh that of the first event of the
	// current reconcile; -1 if there is none.
	last, fresh int
	// moments and events count the records.
	moments, events int
}

// The tag of a record is the kind of an event, or tagMoment. An event that did not change
// the state also has the bit tagBefore: its moment is the one before.
const (
	tagMoment = 0
	tagBefore = 1 << 7
)

func emptyLog() log { return log{last: -1, fresh: -1} }

// at returns the record at an offset, and the offset of the next.
func (l *log) at(offset int) (tag byte, body []byte, next int) {
	n, size := binary.Uvarint(l.buf[offset+1:])
	start := offset + 1 + size
	next = start + int(n)
	return l.buf[offset], l.buf[start:next], next
}

func (l *log) size() int { return len(l.buf) - l.head }

// append adds a record. It drops the oldest records if there is no room for all.
func (l *log) append(tag byte, body []byte, room int) {
	var length [binary.MaxVarintLen64]byte
	size := 1 + binary.PutUvarint(length[:], uint64(len(body))) + len(body)
	if size > room {
		if tag == tagMoment { // without this record, earlier moments cannot be reconstructed
			*l = emptyLog()
		}
		return
	}
	for l.size()+size > room {
		l.drop()
	}
	if need := l.size() + size; need > cap(l.buf) {
		l.move(make([]byte, 0, max(need, min(room, need+need/2))))
	} else if len(l.buf)+size > cap(l.buf) {
		l.move(l.buf)
	}
	offset := len(l.buf)
	l.buf = append(l.buf, tag)
	l.buf = binary.AppendUvarint(l.buf, uint64(len(body)))
	l.buf = append(l.buf, body...)
	if tag == tagMoment {
		l.moments++
		return
	}
	l.events++
	l.last = offset
	if l.fresh < 0 {
		l.fresh = offset
	}
}

// move moves the records to the beginning of a buffer.
func (l *log) move(buf []byte) {
	l.buf = append(buf[:0], l.buf[l.head:]...)
	l.last, l.fresh = max(l.last-l.head, -1), max(l.fresh-l.head, -1)
	l.head = 0
}

// trim drops the oldest records until the others fit, and shrinks the buffer to the room.
func (l *log) trim(room int) {
	for l.size() > max(room, 0) {
		l.drop()
	}
	if cap(l.buf) > max(room, 0) {
		l.move(make([]byte, 0, l.size()))
	}
}

// drop drops the oldest record.
func (l *log) drop() {
	tag, _, next := l.at(l.head)
	if tag == tagMoment {
		l.moments--
	} else {
		l.events--
	}
	for _, offset := range []*int{&l.last, &l.fresh} {
		if *offset == l.head {
			*offset = -1
		}
	}
	l.head = next
}

// cut removes the last event.
func (l *log) cut() {
	_, _, next := l.at(l.last)
	if l.fresh == l.last {
		l.fresh = -1
	}
	l.buf = slices.Delete(l.buf, l.last, next)
	l.events--
	l.last = -1
}

// takeFresh removes and returns the events of the current reconcile.
func (l *log) takeFresh() (fresh log) {
	if l.fresh < 0 {
		return fresh
	}
	fresh.buf = slices.Clone(l.buf[l.fresh:])
	for offset := 0; offset < len(fresh.buf); {
		_, _, offset = fresh.at(offset)
		l.events--
	}
	l.buf = l.buf[:l.fresh]
	l.last, l.fresh = -1, -1
	return fresh
}

// unchanged notes that the events of the current reconcile changed no state.
func (l *log) unchanged() {
	for offset := l.fresh; offset >= 0 && offset < len(l.buf); {
		tag, _, next := l.at(offset)
		l.buf[offset] = tag | tagBefore
		offset = next
	}
	l.fresh = -1
}
