// Package legacy adapts the status of a MigMigration between the form that
// mig-controller stores today, "old" here, and the form of this project,
// "current".
//
//	                 old                         current
//	steps            StageBackup, StageRestore   DataBackup, DataRestore
//	                                             (or StateBackup, StateRestore)
//	will not run     listed, marked skipped      not listed
//	completed steps  any message and phase       Completed, Failed or Canceled
//	entries          several of one name         one of each name
//	first phase      ""                          Created
//	phases           names of any release        present names
//
// [Adapter.Upgrade] returns the current form of a status and a remainder, which
// holds whatever the upgrade dropped or changed. Store the remainder in the
// annotation [Annotation]. [Adapter.Downgrade] takes the present status and the
// remainder, and returns the old form, even if the migration has progressed in
// the meantime. If the status has not changed, the result is the original, byte
// for byte once both are compacted.
//
// Both work on raw JSON, and therefore preserve fields unknown to this package,
// odd timestamps and number literals. [UpgradeStatus] and [DowngradeStatus] do
// the same for typed statuses.
//
// The package handles only statuses of MTC's MigMigration. It reads no other
// part of the object and writes nothing to a cluster.
package legacy
