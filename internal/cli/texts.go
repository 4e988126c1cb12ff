package cli

import "github.com/konveyor/dynamic-pipeline/machine/command"

// texts are the help of the commands, about MTC.
var texts = map[string]command.Text{
	"": {
		Short: "Shows what a migration will do, and why",
		Long: `Shows which steps a migration will run before it runs them, and why the others
are left out; or runs it, with simulated work.

It works on what kubectl prints, and talks to no cluster. Migrations of the
Migration Toolkit for Containers (MTC) are built in; itineraries of other
controllers are read from YAML files.

Exit code: 0; 1 if something is wrong with what was read, or a flag that matters
is unknown (what could be done is printed all the same); 2 if the command line
makes no sense; 130 if Ctrl-C has stopped a run.`,
		Example: `  # What will each migration of these objects do?
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline plan -f objects.yaml -f images.yaml

  # Why is there no step DataBackup?
  dynamic-pipeline explain DataBackup -f objects.yaml`,
	},
	"plan": {
		Short: "Shows which steps each migration runs",
		Long: `Shows for each MigMigration its itinerary, its phase, and its steps in order:
those that have started, even if by now nothing would start them, and those that
its phases from the recorded one on will run. With --whole the itinerary is
planned from its first phase, and the steps are all that it shows, in its order.

The objects are what kubectl prints: MigMigrations with their MigPlans,
MigClusters and MigrationControllers, and, of the source cluster, its
ImageStreams; or a directory of such files, as must-gather makes it. What was
not read is not absent: without any ImageStream it is unknown whether there are
images, unless --no-image-streams says that there are none; without a MigCluster
or a MigPlan, the flags that depend on it are unknown. Statuses that older
releases wrote are understood.

With -i there are no objects: an itinerary is planned with the flags that you
name.

A step in parentheses depends on a flag that is unknown. A step with a question
mark may still change: WaitForRefresh reads the plan again, and decides flags that
the step depends on. In json and yaml these are maybeSteps and tentativeSteps; the
latter also has steps that are not shown, but may still come.

--name, --itinerary-name and --runs leave only some migrations; --runs leaves
those that run a step by what is known now, or may run it; names of earlier
releases, such as StageBackup, are understood. A name that does not exist is an
error; filters that leave nothing are none.

--set gives a flag another value than the objects, or --flags, and follows the
relations between flags: what else changes is noted. --diff shows what that
changes, and nothing else: flags, steps that appear (+), vanish (-) or become
uncertain (?), and phases with the reason; in json and yaml each with before and
after.

With --explain also what is left out, and why. The formats json and yaml always
hold all of it: every phase, whether it runs, and why not.`,
		Example: `  # The objects of a cluster, and the image streams of the source cluster
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline plan -f objects.yaml -f images.yaml

  # What is left out, and why
  dynamic-pipeline plan -f objects.yaml --explain

  # Straight from the cluster, as JSON; the source cluster has no image streams
  kubectl get migmigrations,migplans,migclusters -n openshift-migration -o yaml | dynamic-pipeline plan -f - --no-image-streams -o json

  # Which migrations will run DirectVolume, and in which may that still change?
  dynamic-pipeline plan -f objects.yaml --runs DirectVolume

  # What would run if images were copied through a backup? What is different then?
  dynamic-pipeline plan -f objects.yaml --set IndirectImage=true --whole
  dynamic-pipeline plan -f objects.yaml --set IndirectImage=true --diff --name under-way

  # No cluster at hand: a final migration with volumes that go through a backup
  dynamic-pipeline plan -i Final --flags HasPVs,IndirectVolume,HasStageBackup,DirectImage

  # Whether there are images is not known yet
  dynamic-pipeline plan -i Stage --flags IndirectImage,EnableImage --unknown HasISs,HasStageBackup

  # An itinerary of your own
  dynamic-pipeline plan -i warm.yaml#Warm --flags CutoverDue`,
	},
	"explain": {
		Short: "Explains why a phase runs or a step is shown, or why not",
		Long: `Explains a phase, a step or a flag, for each MigMigration: whether a phase runs or
a step is shown, what its guard asks for, which flags are in the way, and which
phases decide those; of a flag what it is now, which phases read it, which decide
it, and what would change with it.

NAME is the name of a phase, a step or a flag; names of earlier releases, such as
StageBackup, are understood. If it is several, as DirectImage is, all are
explained, unless --phase, --step or --flag says which. A phase that rides never
makes its step visible, so that no step depends on it.

Of a flag, json and yaml have under runs its value, and under flag: description,
live, readBy, decidedBy, relations, and ifOther with what each other value would
change, as plan --diff shows it.

What is read, and -f, -i, --flags, --unknown, --set, --name, --itinerary-name and
--whole, are as for plan.`,
		Example: `  # Why do some migrations have no step DataBackup? Why has this one none?
  dynamic-pipeline explain DataBackup -f objects.yaml
  dynamic-pipeline explain DataBackup -f objects.yaml --name under-way

  # Only the phase, not the step of the same name
  dynamic-pipeline explain PreBackupHooks --phase -f objects.yaml

  # What would it take?
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

  # How it would go on from another phase
  dynamic-pipeline graph -f objects.yaml --name under-way --at StageBackupCreated

  # From where does the machine come to a phase, and where does it go?
  dynamic-pipeline graph -i Final --around EnsureStageBackup

  # All of MTC on one page, for a document
  dynamic-pipeline graph -i Stage -i Final -i Cancel -i Failed -i Rollback -o mermaid > mtc.mmd

  # An itinerary of your own
  dynamic-pipeline graph -i warm.yaml#Warm -o dot > warm.dot`,
	},
	"run": {
		Example: `  # Watch a final migration with volumes that are copied directly
  dynamic-pipeline run -i Final --flags HasPVs,DirectVolume,EnableVolume,DirectImage

  # What people see when a backup fails, and when they cancel
  dynamic-pipeline run -i Final --flags DirectImage --fail-at EnsureInitialBackup
  dynamic-pipeline run -i Final --flags DirectImage --cancel-at InitialBackupCreated

  # Volumes appear while the plan is refreshed
  dynamic-pipeline run -i Stage --flags DirectImage,EnableVolume --flag-flips-at WaitForRefresh=HasPVs=true --flag-flips-at WaitForRefresh=DirectVolume=true

  # One migration of a cluster, from where it stands
  dynamic-pipeline run -f objects.yaml --name under-way --speed 1000x

  # An itinerary of your own: the cutover is due once the disks are copied
  dynamic-pipeline run -i warm.yaml#Warm --flag-flips-at Copy=CutoverDue=true

  # Every event, for a program
  dynamic-pipeline run -i Stage --flags DirectImage -o json`,
	},
}
