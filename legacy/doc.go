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
//	phases           names of many releases      names of today
//
// [Adapter.Upgrade] makes the current form of a status, and a remainder: what
// it dropped or changed. Keep the remainder in the annotation [Annotation].
// [Adapter.Downgrade] makes the old form of the present status, whatever has
// happened to it since, with the help of the remainder. If nothing has
// happened, that is the original, byte for byte once both are compacted.
//
// Both work on raw JSON, so that fields unknown to this package, odd timestamps
// and number literals come through as they are. [UpgradeStatus] and
// [DowngradeStatus] do the same for typed statuses.
//
// The package is for statuses of MTC. It does not look at the rest of the
// object and writes nothing to a cluster.
package legacy
