// Package world simulates the environment of a controller by a script: the
// plan, the clusters, and work that takes a while, fails or returns errors.
//
// It runs in memory, without a cluster.
package world
