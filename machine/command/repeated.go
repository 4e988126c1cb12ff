package command

import (
	"bytes"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

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
				key = []byte(rawjson.Unquote(text[begin : i+1]))
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
