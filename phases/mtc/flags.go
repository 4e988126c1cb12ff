package mtc

import "github.com/konveyor/dynamic-pipeline/phases"

// The flags of mig-controller's itineraries, in the order of [Vocabulary]. [Sources]
// evaluates them.
const (
	Quiesce phases.Flags = 1 << iota
	HasStagePods
	HasPVs
	HasVerify
	HasISs
	DirectImage
	IndirectImage
	DirectVolume
	IndirectVolume
	HasStageBackup
	EnableImage
	EnableVolume
	HasPreBackupHooks
	HasPostBackupHooks
	HasPreRestoreHooks
	HasPostRestoreHooks
	StorageConversion
	LiveVmMigration
	// RollingBack is not a flag of upstream, whose handler of Canceling reads
	// spec.rollback itself.
	RollingBack

	// FirstOwnFlag is the first flag that an embedder may define; see [Options].
	FirstOwnFlag
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{
	{Flag: Quiesce, Name: "Quiesce", Description: "applications are scaled down before their data is copied"},
	{Flag: HasStagePods, Name: "HasStagePods", Description: "stage pods, which mount the volumes to be backed up, are there"},
	{Flag: HasPVs, Name: "HasPVs", Description: "the plan has a volume that is not skipped"},
	{Flag: HasVerify, Name: "HasVerify", Description: "the applications are checked for health at the end"},
	{Flag: HasISs, Name: "HasISs", Description: "a source namespace holds an image stream"},
	{Flag: DirectImage, Name: "DirectImage", Description: "images are copied from cluster to cluster"},
	{Flag: IndirectImage, Name: "IndirectImage", Description: "images travel through a backup"},
	{Flag: DirectVolume, Name: "DirectVolume", Description: "a volume is copied from cluster to cluster"},
	{Flag: IndirectVolume, Name: "IndirectVolume", Description: "volumes travel through a backup"},
	{Flag: HasStageBackup, Name: "HasStageBackup", Description: "a backup of images or volumes is needed"},
	{Flag: EnableImage, Name: "EnableImage", Description: "images are part of the migration"},
	{Flag: EnableVolume, Name: "EnableVolume", Description: "volumes are part of the migration"},
	{Flag: HasPreBackupHooks, Name: "HasPreBackupHooks", Description: "the plan has a hook that runs before the backup"},
	{Flag: HasPostBackupHooks, Name: "HasPostBackupHooks", Description: "the plan has a hook that runs after the backup"},
	{Flag: HasPreRestoreHooks, Name: "HasPreRestoreHooks", Description: "the plan has a hook that runs before the restore"},
	{Flag: HasPostRestoreHooks, Name: "HasPostRestoreHooks", Description: "the plan has a hook that runs after the restore"},
	{Flag: StorageConversion, Name: "StorageConversion", Description: "volumes change their storage class within one cluster and namespace"},
	{Flag: LiveVmMigration, Name: "LiveVmMigration", Description: "virtual machines keep running while their volumes are migrated"},
	{Flag: RollingBack, Name: "RollingBack", Description: "the migration rolls an earlier one back"},
},
	// Images are copied either directly or indirectly.
	phases.Clause{True: DirectImage | IndirectImage},
	phases.Clause{False: DirectImage | IndirectImage},
	// If a volume is copied directly, there are volumes, and none is copied
	// indirectly.
	phases.Clause{False: DirectVolume, True: HasPVs},
	phases.Clause{False: DirectVolume | IndirectVolume},
	// Stage pods are made for the volumes of a backup.
	phases.Clause{False: HasStagePods, True: HasPVs},
	phases.Clause{False: HasStagePods, True: IndirectVolume},
	// A storage conversion stays within one cluster: it backs nothing up and copies
	// no images.
	phases.Clause{False: StorageConversion | HasStageBackup},
	phases.Clause{False: StorageConversion | EnableImage},
	// Otherwise an indirect copy needs a backup,
	phases.Clause{False: HasISs | IndirectImage, True: HasStageBackup | StorageConversion},
	phases.Clause{False: HasPVs | IndirectVolume, True: HasStageBackup | StorageConversion},
	// and a backup contains volumes, or images that are copied indirectly.
	phases.Clause{False: HasStageBackup, True: HasPVs | HasISs},
	phases.Clause{False: HasStageBackup, True: HasPVs | IndirectImage},
)

// Vocabulary returns the vocabulary of MTC's flags: their names in upstream's
// order, their descriptions, and the relations that hold between them in every
// realistic migration. It is immutable and safe for concurrent use. Every call
// returns the same value.
func Vocabulary() *phases.Vocabulary { return vocabulary }
