// Package wording formats parts of messages: suggestions for mistyped names, lists of names, and
// durations.
//
// It contains no whole messages: each package writes its own.
package wording
