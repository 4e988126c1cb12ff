//go:build race

package controllertest_test

// raced reports whether the race detector is on, which makes lives slow: fewer are
// played.
const raced = true
