//go:build !race

package list_test

// plans is how many lives are played.
const plans = allPlans
