// Package mtc is the built-in catalogue: the flags and itineraries of the
// Migration Toolkit for Containers (Konveyor's mig-controller), and how its
// objects give flags and an itinerary.
//
// [Vocabulary] is the vocabulary of its 19 flags with the relations between them;
// [Itineraries] are its five itineraries as tables. [Select] returns which of
// them a migration follows, [Current] which one it is on, and [Sources] how
// each flag is found in the MigMigration, its MigPlan and the two MigClusters,
// and, if nothing else settles it, by looking for ImageStreams on the
// source cluster.
//
// The objects are plain structs with the few fields that the flags need. Fill
// them from typed objects of your own, with [ConditionsFrom] for their
// conditions, or read them from JSON with [Decode].
//
// An embedder changes the catalogue with [NewCatalogue]: it adds flags, replaces
// phases, descriptions and names of steps. It replaces sources with the overrides
// of [Sources].
//
// Phases, their order and their guards are those of mig-controller. Steps that
// upstream calls StageBackup and StageRestore are [DataBackup] and
// [DataRestore] here, as the dynamic-pipeline enhancement proposes, and a few
// phases ride or stand in another step, so that neither of these two is shown
// if nothing is backed up.
package mtc
