package verify

import (
	"encoding/json"
	"io"
)

// WriteJSON writes findings, breaks or rules as one JSON array, which is empty if there
// are none. The fields are a contract. The error is that of w.
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
