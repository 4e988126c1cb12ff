package rawjson

import "bytes"

// fewMembers is the number of members up to which no index is used.
const fewMembers = 16

// AppendMergePatch appends the JSON merge patch (RFC 7386) that turns before into after. It appends
// nothing if they are equal. Both must be written by the same encoder: keys and values are the same
// only if their texts are.
func AppendMergePatch(b []byte, before, after Object) []byte {
	start := len(b)
	begin := func(key []byte) {
		next := byte(',')
		if len(b) == start {
			next = '{'
		}
		b = append(append(append(b, next), key...), ':')
	}
	was, is := index(before), index(after)
	for _, m := range after {
		i := was(m.Key)
		switch {
		case i >= 0 && bytes.Equal(before[i].Value, m.Value):
		case i >= 0 && before[i].Value[0] == '{' && m.Value[0] == '{':
			at := len(b)
			begin(m.Key)
			value := len(b)
			if b = AppendMergePatch(b, ParseObject(before[i].Value), ParseObject(m.Value)); len(b) == value {
				b = b[:at] // equal, in another order
			}
		default:
			begin(m.Key)
			b = append(b, m.Value...)
		}
	}
	for _, m := range before {
		if is(m.Key) < 0 {
			begin(m.Key)
			b = append(b, "null"...)
		}
	}
	if len(b) > start {
		b = append(b, '}')
	}
	return b
}

// index returns a function that finds the members of an object by the texts of their keys. It
// returns -1 for an unknown key.
func index(o Object) func(key []byte) int {
	if len(o) <= fewMembers {
		return func(key []byte) int {
			for i := range o {
				if bytes.Equal(o[i].Key, key) {
					return i
				}
			}
			return -1
		}
	}
	at := make(map[string]int, len(o))
	for i := range o {
		at[string(o[i].Key)] = i
	}
	return func(key []byte) int {
		if i, ok := at[string(key)]; ok {
			return i
		}
		return -1
	}
}
