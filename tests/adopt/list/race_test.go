//go:build race

package list_test

// plans is the number of lives that are played.
const plans = 40
