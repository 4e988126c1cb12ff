package legacy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"unicode/utf8"
)

// digest hashes JSON values, so that those have one sum that differ only in the
// order of keys and in how strings are spelled: an API server changes both.
// Numbers count as they are written, and so do strings that are not UTF-8, of
// which decoding would lose a part.
//
// It reads a text once. What it keeps while it does so are the members of the
// objects that are open at one moment.
type digest struct {
	parts []part      // of the objects that are open, the outer ones first
	free  []hash.Hash // to be used again
	buf   []byte
	one   [1]byte
	head  [9]byte
}

// part is a member of an object: its key, decoded, and the sum of its value.
type part struct {
	key []byte
	sum [16]byte
}

// sum returns the sum of compact texts; one that is nil counts as well.
func (d *digest) sum(values ...[]byte) (sum [16]byte) {
	h := d.take()
	for _, v := range values {
		if v != nil {
			d.value(h, v, 0)
		}
		d.mark(h, '\n')
	}
	return d.give(h)
}

func (d *digest) take() hash.Hash {
	if n := len(d.free); n > 0 {
		h := d.free[n-1]
		d.free = d.free[:n-1]
		return h
	}
	return sha256.New()
}

// give returns the sum, and h to where it was taken from.
func (d *digest) give(h hash.Hash) (sum [16]byte) {
	d.buf = h.Sum(d.buf[:0])
	copy(sum[:], d.buf)
	h.Reset()
	d.free = append(d.free, h)
	return sum
}

// value hashes the value that begins at index i of a compact text, and returns
// the index behind it.
func (d *digest) value(h hash.Hash, raw []byte, i int) int {
	switch from := i; raw[i] {
	case '"':
		i = stringEnd(raw, i)
		d.text(h, decoded(raw[from:i]))
		return i
	case '{':
		return d.object(h, raw, i)
	case '[':
		d.mark(h, '[')
		for i++; raw[i] != ']'; d.mark(h, ',') {
			if i = d.value(h, raw, i); raw[i] == ',' {
				i++
			}
		}
		d.mark(h, ']')
		return i + 1
	default:
		i = literalEnd(raw, i)
		h.Write(raw[from:i])
		return i
	}
}

// object hashes the members sorted by their keys; those of one key keep their
// order.
func (d *digest) object(h hash.Hash, raw []byte, i int) int {
	outer := len(d.parts)
	for i++; raw[i] != '}'; {
		if raw[i] == ',' {
			i++
		}
		end := stringEnd(raw, i)
		key := decoded(raw[i:end])
		member := d.take()
		i = d.value(member, raw, end+len(":"))
		if len(d.parts) == cap(d.parts) {
			d.parts = slices.Grow(d.parts, len(d.parts)+1)
		}
		d.parts = append(d.parts, part{key: key, sum: d.give(member)})
	}
	parts := d.parts[outer:]
	if !slices.IsSortedFunc(parts, byKey) {
		slices.SortStableFunc(parts, byKey)
	}
	d.mark(h, '{')
	for i := range parts {
		d.text(h, parts[i].key)
		h.Write(parts[i].sum[:])
	}
	d.mark(h, '}')
	d.parts = d.parts[:outer]
	return i + 1
}

func byKey(a, b part) int { return bytes.Compare(a.key, b.key) }

// text hashes a string so that no other value has the same sum.
func (d *digest) text(h hash.Hash, text []byte) {
	d.head[0] = '"'
	binary.BigEndian.PutUint64(d.head[1:], uint64(len(text)))
	h.Write(d.head[:])
	h.Write(text)
}

func (d *digest) mark(h hash.Hash, c byte) {
	d.one[0] = c
	h.Write(d.one[:])
}

// decoded returns what a JSON string spells, or its inside as it is if that is
// not UTF-8.
func decoded(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 || !utf8.Valid(inner) {
		return inner
	}
	return decode(make([]byte, 0, len(inner)), inner)
}
