package rawjson

import "iter"

// members iterates over the members of the object that begins at index i.
func members(text []byte, i int) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for i := spaceEnd(text, i+1); text[i] != '}'; {
			key := stringEnd(text, i)
			from := spaceEnd(text, spaceEnd(text, key)+len(":"))
			end := valueEnd(text, from)
			if !yield(Member{text[i:key:key], text[from:end:end]}) {
				return
			}
			i = nextItem(text, end)
		}
	}
}

// Elements iterates over the elements of an array. The text must be an array.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := spaceEnd(array, spaceEnd(array, 0)+1); array[i] != ']'; {
			end := valueEnd(array, i)
			if !yield(array[i:end:end]) {
				return
			}
			i = nextItem(array, end)
		}
	}
}

// Len returns the number of elements of an array.
func Len(array []byte) (n int) {
	for range Elements(array) {
		n++
	}
	return n
}

// nextItem returns the index of the next member or element after one that ends at index i, or else
// of the closing bracket.
func nextItem(text []byte, i int) int {
	if i = spaceEnd(text, i); text[i] == ',' {
		i = spaceEnd(text, i+1)
	}
	return i
}

// spaceEnd returns the index after the white space at index i.
func spaceEnd(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// valueEnd returns the index after the value that begins at index i.
func valueEnd(text []byte, i int) int {
	for depth := 0; ; {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
		default:
			i = literalEnd(text, i)
		}
		if depth == 0 {
			return i
		}
	}
}

// stringEnd returns the index after the string that begins at index i.
func stringEnd(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// literalEnd returns the index after the number, true, false or null that begins at index i.
func literalEnd(text []byte, i int) int {
	for i < len(text) && text[i] != ',' && text[i] != ']' && text[i] != '}' && !isSpace(text[i]) {
		i++
	}
	return i
}
