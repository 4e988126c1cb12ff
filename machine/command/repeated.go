package command

import (
	"bytes"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

// repeated is a key that occurs twice in an object.
type repeated struct {
	item int // index of the item, or whole
	key  string
	at   int // offset of the second occurrence
}

// repeatedKeys finds keys that occur twice in an object of the text, which must be valid
// JSON. Readers disagree on which of the two counts. It returns at most one key. If the
// text is an array or has a list of items, it returns at most one for each item, in order,
// and none after one outside the items.
func repeatedKeys(text []byte) []repeated {
	var all []repeated
	var objects []map[string]bool // keys of the enclosing objects; nil for lists
	var last string               // last key of the outermost object
	item, found := whole, false   // current element, and whether it has a repeated key
	level := 0                    // depth of the elements
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
				key = []byte(rawjson.Unquote(text[begin : i+1]))
			}
			if len(objects) == 1 { // an object: for a list, keys would be nil
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
