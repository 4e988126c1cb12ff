// Package example is a migration controller, built only from the public
// packages of this project: MTC's itineraries, flags read through the API, and
// handlers that do API work for each phase.
//
// It runs for one of two custom resources: MTC's own MigMigration, or a
// variant with a status subresource. The command in cmd/controller runs it as
// a process; manifests/ has the definitions and the rights that it needs in a
// cluster.
//
// It is the subject of the end-to-end tests, and does not move any data.
package example
