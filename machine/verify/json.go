package verify

import (
	"encoding/json"
	"io"
)

// WriteJSON writes findings or breaks as one JSON array, whose fields are a
// contract. Without any it is an empty array.
func WriteJSON[T Finding | Break | Rule](w io.Writer, all []T) error {
	if all == nil {
		all = []T{}
	}
	return writeJSON(w, all)
}

// writeJSON writes a value without the escapes that only HTML needs.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "    ") // as kubectl does
	return enc.Encode(v)
}
