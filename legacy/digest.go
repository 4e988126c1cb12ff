package legacy

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// sum is a hash of JSON values (FNV-1a, 64 bits). Those have one sum that differ
// only in the order of keys and in how strings are spelled: an API server
// changes both. Numbers count as they are written, and so do strings that are
// not UTF-8, of which decoding would lose a part.
//
// It guards against accidents only. Who can write to a status can write to its
// remainder as well, where the sum is.
type sum uint64

const (
	noSum    sum = 14695981039346656037
	sumPrime sum = 1099511628211
)

func (s sum) mark(c byte) sum { return (s ^ sum(c)) * sumPrime }

func (s sum) write(text []byte) sum {
	for _, c := range text {
		s = s.mark(c)
	}
	return s
}

func (s sum) number(n uint64) sum {
	for range 8 {
		s = s.mark(byte(n))
		n >>= 8
	}
	return s
}

// string adds a decoded string, so that nothing else has the same sum.
func (s sum) string(text []byte) sum {
	return s.mark('"').number(uint64(len(text))).write(text)
}

// sumOf returns the sum of compact texts; one that is nil counts as well.
func sumOf(values ...[]byte) sum {
	s := noSum
	var d digest
	for _, v := range values {
		if v != nil {
			s, _ = d.value(s, v, 0)
		}
		s = s.mark('\n')
	}
	return s
}

// digest adds values to sums. It reads a text once, and keeps no more than the
// members of the objects that are open at one moment.
type digest struct {
	parts []part // of the objects that are open, the outer ones first
}

// part is a member of an object: its key, decoded, and the sum of its value.
type part struct {
	key []byte
	sum sum
}

// value adds the value that begins at index i of a compact text. It returns the
// sum and the index behind the value.
func (d *digest) value(s sum, raw []byte, i int) (sum, int) {
	switch from := i; raw[i] {
	case '"':
		i = stringEnd(raw, i)
		return s.string(decoded(raw[from:i])), i
	case '{':
		return d.object(s, raw, i)
	case '[':
		s = s.mark('[')
		for i++; raw[i] != ']'; s = s.mark(',') {
			if s, i = d.value(s, raw, i); raw[i] == ',' {
				i++
			}
		}
		return s.mark(']'), i + 1
	default:
		i = literalEnd(raw, i)
		return s.write(raw[from:i]), i
	}
}

// object adds the members sorted by their keys; those of one key keep their
// order.
func (d *digest) object(s sum, raw []byte, i int) (sum, int) {
	outer := len(d.parts)
	for i++; raw[i] != '}'; {
		if raw[i] == ',' {
			i++
		}
		end := stringEnd(raw, i)
		p := part{key: decoded(raw[i:end])}
		p.sum, i = d.value(noSum, raw, end+len(":"))
		if len(d.parts) == cap(d.parts) {
			d.parts = slices.Grow(d.parts, len(d.parts)+1) // twice as many
		}
		d.parts = append(d.parts, p)
	}
	parts := d.parts[outer:]
	if !slices.IsSortedFunc(parts, byKey) {
		slices.SortStableFunc(parts, byKey)
	}
	s = s.mark('{')
	for _, p := range parts {
		s = s.string(p.key).number(uint64(p.sum))
	}
	d.parts = d.parts[:outer]
	return s.mark('}'), i + 1
}

func byKey(a, b part) int { return bytes.Compare(a.key, b.key) }

// decoded returns what a JSON string spells, or its inside as it is if that is
// not UTF-8.
func decoded(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 || !utf8.Valid(inner) {
		return inner
	}
	return decode(make([]byte, 0, len(inner)), inner)
}
