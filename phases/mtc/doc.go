// Package mtc is the built-in catalogue: the flags and itineraries of the
// Migration Toolkit for Containers (Konveyor's mig-controller), and the functions
// that derive them from its objects.
//
//   - [Vocabulary] has the 19 flags and the relations between them.
//   - [Itineraries] returns the five itineraries as tables.
//   - [Select] returns the itinerary that the state of a migration selects, and
//     [Current] the one that the migration is on.
//   - [Sources] evaluates the flags from the MigMigration, its MigPlan, the two
//     MigClusters and the MigrationController. It looks for ImageStreams on the
//     source cluster only if nothing else settles a flag.
//
// The objects are plain structs with the few fields that the flags need. Fill
// them from typed objects of your own, with [ConditionsFrom] for their
// conditions, or decode them from JSON with [Decode].
//
// [NewCatalogue] changes the catalogue: it adds flags, and replaces phases,
// descriptions and names of steps. The overrides of [Sources] replace sources.
//
// Phases, their order and their guards are those of mig-controller, except the
// flag [RollingBack] and what it guards, which replace decisions in code.
// Upstream's steps StageBackup and StageRestore are [DataBackup] and
// [DataRestore] here, as the proposal "dynamic pipeline" in
// github.com/konveyor/enhancements suggests. A few phases ride, or belong to
// another step than upstream; therefore neither of these two steps is shown if
// nothing is backed up and no volume is copied indirectly.
//
// The package is for MTC only. Define the itineraries of another controller with
// package phases.
package mtc
