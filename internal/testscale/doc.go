// Package testscale lets a test play all lives, or take its largest input, once, and fewer
// lives or a smaller input when it is repeated: under the race detector, which makes it
// some ten times slower, and with the build tag reduced, which stands for another version
// of Go or of Kubernetes. Such a repetition only needs to see each kind of life.
//
// It is for tests only, and not for benchmarks.
package testscale
