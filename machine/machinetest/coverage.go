package machinetest

// Coverage is.
type Coverage struct{}
