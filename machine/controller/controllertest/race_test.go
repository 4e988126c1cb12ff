//go:build race

package controllertest_test

// raced reports whether the race detector is on. It makes lives slow, so fewer are
// played.
const raced = true
