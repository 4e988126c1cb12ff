// Package record watches migrations, keeps every version of them that a watcher
// sees, and checks the rules that hold for every version.
package record
