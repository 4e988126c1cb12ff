package cli

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Objects are kept as JSON text, whatever they were read from. Decoding and
// encoding them again would sort keys and round numbers; so an object is cut
// into its members, and put together again from their texts.

// member is a key of a JSON object, and the text of its value.
type member struct {
	key   string
	value json.RawMessage
}

// members are a JSON object, in its order.
type members []member

// parseMembers cuts an object into its members. The text is known to be valid
// JSON; null and anything else that is no object give no members.
func parseMembers(text []byte) members {
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var m members
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return m
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return m
		}
		m = append(m, member{key.(string), value})
	}
	return m
}

// index is that of the last member of that key, which is the one that counts
// to all readers, or -1.
func (m members) index(key string) int {
	for i := len(m) - 1; i >= 0; i-- {
		if m[i].key == key {
			return i
		}
	}
	return -1
}

// get is the text of a value, or nil.
func (m members) get(key string) json.RawMessage {
	if i := m.index(key); i >= 0 {
		return m[i].value
	}
	return nil
}

// with returns the object with another value: in its place, or if it had
// none, at the end.
func (m members) with(key string, value []byte) members {
	out := slices.Clone(m)
	if i := m.index(key); i >= 0 {
		out[i].value = value
		return out
	}
	return append(out, member{key, value})
}

// without returns the object without that key.
func (m members) without(key string) members {
	return slices.DeleteFunc(slices.Clone(m), func(one member) bool { return one.key == key })
}

// text puts the object together.
func (m members) text() []byte {
	b := []byte{'{'}
	for i, one := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, one.key)
		b = append(append(b, ':'), one.value...)
	}
	return append(b, '}')
}

// arrayText puts an array together.
func arrayText(values []json.RawMessage) []byte {
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, ']')
}

// appendString appends a JSON string, without the escapes that only HTML
// needs.
func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // of a string there is no error
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// isNull reports whether there is no value, or null.
func isNull(text []byte) bool { return len(text) == 0 || string(text) == "null" }

// repeated is a key that an object has twice.
type repeated struct {
	item int // of the items of the text, or whole
	key  string
	at   int // where it stands again
}

// repeatedKeys finds keys that an object of the text, which is valid JSON, has
// twice. Readers do not agree on which of the two counts. It finds at most one;
// in a text that is an array, or has a list of items, one for each of them, in
// their order, and none behind one that is outside them.
func repeatedKeys(text []byte) []repeated {
	var all []repeated
	var objects []map[string]bool // the keys of the objects around; nil for lists
	var last string               // the key before, of the outermost object
	item, found := whole, false   // the element, and whether it has a repeated key
	level := 0                    // how deep the elements stand
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			objects = append(objects, make(map[string]bool))
		case '[':
			objects = append(objects, nil)
			if n := len(objects); n == 1 || n == 2 && last == "items" {
				item, level = 0, n
			}
		case '}', ']':
			if objects = objects[:len(objects)-1]; len(objects) < level {
				item, found, level = whole, false, 0
			}
		case ',':
			if len(objects) == level && item >= 0 {
				item, found = item+1, false
			}
		case '"':
			begin := i
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			var keys map[string]bool
			if len(objects) > 0 {
				keys = objects[len(objects)-1]
			}
			rest := bytes.TrimLeft(text[i+1:], " \t\r\n")
			if keys == nil || !bytes.HasPrefix(rest, []byte(":")) {
				continue
			}
			key := text[begin+1 : i]
			if bytes.IndexByte(key, '\\') >= 0 {
				var plain string
				_ = json.Unmarshal(text[begin:i+1], &plain) // valid, as all of it
				key = []byte(plain)
			}
			if len(objects) == 1 { // an object, or keys were nil
				last = string(key)
			}
			switch {
			case !keys[string(key)]:
				keys[string(key)] = true
			case !found:
				all = append(all, repeated{item, string(key), begin})
				if found = true; item == whole {
					return all
				}
			}
		}
	}
	return all
}
