// Package rawjson changes JSON without decoding it. Decoding and encoding with encoding/json would
// sort keys, round numbers and respell strings. An [Object] is instead split into the texts of its
// members, changed in that form, and written once.
//
// Texts must be valid JSON; [Compact] checks that. Users can write to the objects that are read
// here: each function reads its text once or twice, whatever it contains, and allocates at most a
// small multiple of its length.
//
// It does not validate what a document means, and is not for values that a program computes with:
// decode those with encoding/json.
package rawjson
