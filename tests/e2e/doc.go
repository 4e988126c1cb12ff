// Package e2e has the end-to-end tests: they run the example controller on a real
// API server and etcd. It is not meant to be imported; see README.md.
package e2e
