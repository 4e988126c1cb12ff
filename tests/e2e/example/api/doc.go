// Package api defines the example's custom resources: MTC's MigMigration as MTC
// defines it, a variant of it with a status subresource and room for the
// checkpoint, MTC's MigPlan and MigCluster, and Task, which stands for the work
// of other clients for a migration.
package api
