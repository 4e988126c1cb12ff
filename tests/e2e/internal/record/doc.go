// Package record watches migrations, keeps every version of them that a
// watcher sees, and checks on each what has to hold in all of them.
package record
