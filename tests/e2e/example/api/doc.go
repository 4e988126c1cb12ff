// Package api has the types of the example's custom resources: MTC's
// MigMigration, as MTC defines it, a variant of it that has a status
// subresource and room for the checkpoint, MTC's MigPlan and MigCluster, and
// Task, which stands for all that others do for a migration.
package api
