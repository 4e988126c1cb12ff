package cli

import "github.com/konveyor/dynamic-pipeline/machine/command"

// texts are the help texts about MTC. They replace the general ones.
var texts = map[string]command.Text{
	"": {
		Short: "Shows what a migration will do, and why",
		Long: `Shows which steps a migration will run before it runs them, and why it leaves
the others out; or simulates it.

It reads what kubectl prints and does not connect to a cluster. The itineraries of
the Migration Toolkit for Containers (MTC) are built in; those of other
controllers are read from YAML files.

Exit code: 0 on success; 1 if there was a problem with what was read, or a flag
that matters is unknown (all other results are printed); 2 if the command line is
invalid; 130 if Ctrl-C ended a simulation.`,
		Example: `  # What will each migration of these objects do?
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline plan -f objects.yaml -f images.yaml

  # Why is there no step DataBackup?
  dynamic-pipeline explain DataBackup -f objects.yaml`,
	},
	"plan": {
		Short: "Shows which steps each migration runs",
		Long: `Shows for each MigMigration its itinerary, its phase and its steps in order:
those that have started, even if nothing would start them now, and those that it
will run from the recorded phase on. --whole plans the itinerary from its first
phase, and shows all its steps, in its order.

-f reads what kubectl prints: MigMigrations with their MigPlans, MigClusters and
MigrationControllers, and the ImageStreams of the source cluster; from files or
from a directory such as must-gather makes. Objects that were not read are
unknown, not absent: without any ImageStream it is unknown whether there are
images, unless --no-image-streams declares that there are none; without a
MigCluster or a MigPlan, the flags that depend on it are unknown. Only without a
MigrationController are images taken to be copied. Statuses of earlier releases
are understood.

With -i alone there are no objects: it plans an itinerary with the flags that you
name.

A step in parentheses depends on a flag that is unknown. A step with a question
mark may still change: WaitForRefresh reads the plan again, and decides flags that
the step depends on. In json and yaml these are maybeSteps and tentativeSteps; the
latter also lists steps that are not shown but may still come.

--name, --itinerary-name and --runs select some migrations; --runs selects those
that run a step by the flags known now, or may run it. Names of earlier releases,
such as StageBackup, are understood. A name that does not exist is an error;
selecting nothing is not.

--set overrides a flag of the objects, or of --flags, and its relations to other
flags apply: a note lists what else changes. --diff shows only what --set changes:
flags, steps that appear (+), vanish (-) or become uncertain (?), and phases with
the reason. In json and yaml each change has before and after.

--explain also shows what is left out, and why. json and yaml always hold every
phase, whether it runs, and why not.`,
		Example: `  # The objects of a cluster, and the image streams of the source cluster
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline plan -f objects.yaml -f images.yaml

  # What is left out, and why
  dynamic-pipeline plan -f objects.yaml --explain

  # Straight from the cluster, as JSON; the source cluster has no image streams
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml | dynamic-pipeline plan -f - --no-image-streams -o json

  # Which migrations will run DirectVolume, and for which may that still change?
  dynamic-pipeline plan -f objects.yaml --runs DirectVolume

  # What would run if images were copied through a backup? What would change?
  dynamic-pipeline plan -f objects.yaml --set IndirectImage=true --whole
  dynamic-pipeline plan -f objects.yaml --set IndirectImage=true --diff --name under-way

  # Without a cluster: a final migration with volumes that go through a backup
  dynamic-pipeline plan -i Final --flags HasPVs,IndirectVolume,HasStageBackup,DirectImage

  # It is not known yet whether there are images
  dynamic-pipeline plan -i Stage --flags IndirectImage,EnableImage --unknown HasISs,HasStageBackup

  # An itinerary of your own
  dynamic-pipeline plan -i warm.yaml#Warm --flags CutoverDue`,
	},
	"explain": {
		Short: "Explains why a phase runs or a step is shown, or why not",
		Long: `Explains a phase, a step or a flag for each MigMigration. For a phase or a step:
whether it runs or is shown, its guard, which flags prevent it, and which phases
decide them. For a flag: its value, which phases read it, which decide it, and
what another value would change.

NAME is the name of a phase, a step or a flag; names of earlier releases, such as
StageBackup, are understood. If it names several of these, as DirectImage does,
all are explained; choose one with --phase, --step or --flag. A phase that rides
never makes its step visible, so no step depends on it.

For a flag, json and yaml have its value under runs. The object under flag has
description, live, readBy, decidedBy, relations, and ifOther with what each other
value would change, as plan --diff shows it.

Input, and -f, -i, --flags, --unknown, --set, --name, --itinerary-name and
--whole, are as for plan.`,
		Example: `  # Why do some migrations have no step DataBackup? Why does this one have none?
  dynamic-pipeline explain DataBackup -f objects.yaml
  dynamic-pipeline explain DataBackup -f objects.yaml --name under-way

  # Only the phase, not the step of the same name
  dynamic-pipeline explain PreBackupHooks --phase -f objects.yaml

  # What must be true for it to run?
  dynamic-pipeline explain EnsureStageBackup -i Final --flags HasPVs,DirectImage

  # What depends on a flag, what decides it, and what would change with it?
  dynamic-pipeline explain IndirectImage -f objects.yaml
  dynamic-pipeline explain HasStageBackup -i Final --flags HasPVs,DirectImage`,
	},
	"graph": {
		Example: `  # An itinerary
  dynamic-pipeline graph -i Final

  # What runs of it with these flags, and why the rest does not
  dynamic-pipeline graph -i Final --flags HasPVs,DirectVolume,EnableVolume,DirectImage
  dynamic-pipeline graph -i Final --flags HasPVs,DirectVolume,EnableVolume,DirectImage --only-run

  # Where a migration is, as a picture
  dynamic-pipeline graph -f objects.yaml --name under-way -o svg > migration.svg

  # What would run from another phase
  dynamic-pipeline graph -f objects.yaml --name under-way --at StageBackupCreated

  # Which transitions lead to a phase, and from it?
  dynamic-pipeline graph -i Final --around EnsureStageBackup

  # All of MTC on one page, for a document
  dynamic-pipeline graph -i Stage -i Final -i Cancel -i Failed -i Rollback -o mermaid > mtc.mmd

  # An itinerary of your own
  dynamic-pipeline graph -i warm.yaml#Warm -o dot > warm.dot`,
	},
	"run": {
		Example: `  # Watch a final migration with volumes that are copied directly
  dynamic-pipeline run -i Final --flags HasPVs,DirectVolume,EnableVolume,DirectImage

  # What users see when a backup fails, and when they cancel
  dynamic-pipeline run -i Final --flags DirectImage --fail-at EnsureInitialBackup
  dynamic-pipeline run -i Final --flags DirectImage --cancel-at InitialBackupCreated

  # Volumes appear while the plan is refreshed
  dynamic-pipeline run -i Stage --flags DirectImage,EnableVolume --flag-flips-at WaitForRefresh=HasPVs=true --flag-flips-at WaitForRefresh=DirectVolume=true

  # One migration of a cluster, from its recorded phase
  dynamic-pipeline run -f objects.yaml --name under-way --speed 1000x

  # An itinerary of your own: the cutover is due once the disks are copied
  dynamic-pipeline run -i warm.yaml#Warm --flag-flips-at Copy=CutoverDue=true

  # Every event, for a program
  dynamic-pipeline run -i Stage --flags DirectImage -o json`,
	},
}
