//go:build race

package list_test

// plans is how many lives are played. The race detector makes them slow.
const plans = 40
