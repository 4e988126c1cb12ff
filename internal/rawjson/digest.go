package rawjson

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// sum is a running hash of bytes.
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

// string adds a decoded string with its length, so the encoding is unambiguous.
func (s sum) string(text []byte) sum {
	return s.mark('"').number(uint64(len(text))).write(text)
}

// Digest is a hash of JSON values (FNV-1a, 64 bits), given as compact texts. Values that differ
// only in the order of keys and in the spelling of strings have the same hash, because an API
// server changes both. Numbers are hashed as written, and so are strings that are not UTF-8, since
// decoding would lose part of them.
//
// Digest guards against accidents only: a user can construct two values with the same hash.
//
// It reads a text once, and stores only the members of the objects that are currently open.
type Digest struct {
	sum   sum
	parts []part // of the open objects, the outer ones first
}

// NewDigest returns a digest of no values.
func NewDigest() *Digest { return &Digest{sum: noSum} }

// Value adds a value. A nil text stands for a missing value, which also changes the hash.
func (d *Digest) Value(text []byte) {
	if text != nil {
		d.sum, _ = d.value(d.sum, text, 0)
	}
	d.sum = d.sum.mark('\n')
}

// Object adds an object, as Value adds its text.
func (d *Digest) Object(o Object) {
	for _, m := range o {
		s, _ := d.value(noSum, m.Value, 0)
		d.add(m.Key, s)
	}
	d.sum = d.close(d.sum, 0).mark('\n')
}

// Sum returns the hash of all values added.
func (d *Digest) Sum() uint64 { return uint64(d.sum) }

// part is a member of an object: its decoded key, and the sum of its value.
type part struct {
	key []byte
	sum sum
}

// value adds the value that begins at index i of a compact text. It returns the sum and the index
// after the value.
func (d *Digest) value(s sum, text []byte, i int) (sum, int) {
	switch from := i; text[i] {
	case '"':
		i = stringEnd(text, i)
		return s.string(decoded(text[from:i])), i
	case '{':
		return d.object(s, text, i)
	case '[':
		s = s.mark('[')
		for i++; text[i] != ']'; s = s.mark(',') {
			if s, i = d.value(s, text, i); text[i] == ',' {
				i++
			}
		}
		return s.mark(']'), i + 1
	default:
		i = literalEnd(text, i)
		return s.write(text[from:i]), i
	}
}

// object adds the object that begins at index i.
func (d *Digest) object(s sum, text []byte, i int) (sum, int) {
	outer := len(d.parts)
	for i++; text[i] != '}'; {
		if text[i] == ',' {
			i++
		}
		var value sum
		key := text[i:stringEnd(text, i)]
		value, i = d.value(noSum, text, i+len(key)+len(":"))
		d.add(key, value)
	}
	return d.close(s, outer), i + 1
}

// add adds a member to the innermost open object.
func (d *Digest) add(key []byte, value sum) {
	if len(d.parts) == cap(d.parts) {
		d.parts = slices.Grow(d.parts, len(d.parts)+1) // twice as many
	}
	d.parts = append(d.parts, part{decoded(key), value})
}

// close adds the members from index outer on, sorted by key. Members with the same key keep their
// order.
func (d *Digest) close(s sum, outer int) sum {
	parts := d.parts[outer:]
	if !slices.IsSortedFunc(parts, byKey) {
		slices.SortStableFunc(parts, byKey)
	}
	s = s.mark('{')
	for _, p := range parts {
		s = s.string(p.key).number(uint64(p.sum))
	}
	d.parts = d.parts[:outer]
	return s.mark('}')
}

func byKey(a, b part) int { return bytes.Compare(a.key, b.key) }

// decoded returns the decoded content of a JSON string, or its raw content if that is not UTF-8.
func decoded(text []byte) []byte {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 || !utf8.Valid(inner) {
		return inner
	}
	return decode(make([]byte, 0, len(inner)), inner)
}
