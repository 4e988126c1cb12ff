// Package example is a migration controller, built only from the public
// packages of this project: MTC's itineraries, flags found through the API,
// and handlers that do real API work for each phase.
//
// It does for one of two custom resources: MTC's own MigMigration, or a
// variant with a status subresource. The command in cmd/controller runs it as
// a process; manifests/ has what it needs in a cluster, and no more.
package example
