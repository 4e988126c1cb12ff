// Package record watches migrations, keeps every version of them that a watcher
// sees, and checks the rules that hold for every version.
//
// It changes nothing on the API server.
package record
