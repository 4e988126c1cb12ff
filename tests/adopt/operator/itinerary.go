package main

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Flags of the itineraries.
const (
	WantsBackup phases.Flags = 1 << iota
	HasNewServers
	CollationChanged
	ReplicasMissing
)

var flags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: WantsBackup, Name: "WantsBackup", Description: "the user wants a backup"},
	{Flag: HasNewServers, Name: "HasNewServers", Description: "new servers can be removed"},
	{Flag: CollationChanged, Name: "CollationChanged", Description: "text is sorted differently"},
	{Flag: ReplicasMissing, Name: "ReplicasMissing", Description: "there were more replicas"},
})

// itineraries are the upgrade of a cluster and its rollback. A run that is
// rolled back ends as Failed if a phase failed, otherwise as Canceled.
var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Upgrade", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Check", Step: "Check"},
		{Name: "BackUp", Step: "Backup", Guard: phases.Guard{All: WantsBackup}},
		{Name: "CreatePrimary", Step: "Primary", Decides: HasNewServers | CollationChanged},
		{Name: "Reindex", Step: "Indexes", Guard: phases.Guard{All: CollationChanged},
			Decides: CollationChanged},
		{Name: "RebuildReplica", Step: "Replicas", Guard: phases.Guard{All: ReplicasMissing},
			Decides: ReplicasMissing, Jumps: []phases.Jump{{To: "RebuildReplica"}}},
		{Name: "StopWrites", Step: "Cutover"},
		{Name: "CatchUp", Step: "Cutover", Description: "Waiting for the last writes to arrive"},
		{Name: "Promote", Step: "Cutover"},
		{Name: "AcceptWrites", Step: "Cutover", Decides: HasNewServers},
		{Name: "RemoveOldServers", Step: "Cleanup"},
	}},
	phases.Itinerary{Name: "Rollback", Vocabulary: flags, Cleanup: true, Result: phases.Canceled,
		Phases: []phases.Phase{
			{Name: "ResumeWrites", Step: "Rollback", Guard: phases.Guard{All: HasNewServers}},
			{Name: "RemoveNewServers", Step: "Rollback", Guard: phases.Guard{All: HasNewServers},
				Decides: HasNewServers | ReplicasMissing},
		}},
)
