// Package world simulates everything that works beside a migration controller:
// it completes tasks like Velero, runs stage pods like a kubelet, and
// refreshes plans.
//
// Work fails only if a test asks for it.
package world
