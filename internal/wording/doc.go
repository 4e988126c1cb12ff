// Package wording formats parts of messages: suggestions for mistyped names, lists of names, and
// durations.
//
// It holds no sentences of its own: each message is written where it is reported.
package wording
