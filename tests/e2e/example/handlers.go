package example

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Labels of the objects that a migration creates.
const (
	MigrationLabel = "work.konveyor.io/migration"
	KindLabel      = "work.konveyor.io/kind"
)

// The kinds of tasks.
const (
	registry           = "Registry"
	initialBackup      = "InitialBackup"
	dataBackup         = "DataBackup"
	dataRestore        = "DataRestore"
	finalRestore       = "FinalRestore"
	directImage        = "DirectImage"
	directVolume       = "DirectVolume"
	lastDirectVolume   = "LastDirectVolume"
	directVolumeBack   = "DirectVolumeBack"
	hook               = "Hook"
	quiesceSource      = "QuiesceSource"
	quiesceDestination = "QuiesceDestination"
	scaleUp            = "ScaleUp"
	annotations        = "Annotations"
	swap               = "Swap"
	verification       = "Verification"
	restart            = "Restart"
)

// conditionStagePods is the condition from which HasStagePods is derived.
const conditionStagePods = "StagePodsCreated"

// work is the work of a phase for a migration.
type work func(ctx context.Context, e *environment, m Migration) (runner.Result, error)

// works holds the work of the phases. All of it is idempotent: the name of an
// object follows from the migration, so it is created once, however often the
// phase runs.
var works = map[string]work{
	// Prepare.
	"Created":                         nothing,
	"Started":                         planIsThere,
	"StartRefresh":                    startRefresh,
	"WaitForRefresh":                  waitForRefresh,
	"CleanStaleAnnotations":           remove(annotations),
	"CleanStaleResticCRs":             nothing,
	"CleanStaleVeleroCRs":             remove(initialBackup, dataBackup, dataRestore, finalRestore),
	"RestartVelero":                   create(restart),
	"CleanStaleStagePods":             removeStagePods,
	"WaitForStaleStagePodsTerminated": stagePodsGone,
	"CreateRegistries":                create(registry),
	"WaitForVeleroReady":              finish(restart),
	"WaitForRegistriesReady":          finish(registry),
	"EnsureCloudSecretPropagated":     nothing,

	// Hooks.
	"PreBackupHooks":   finish(hook + "PreBackup"),
	"PostBackupHooks":  finish(hook + "PostBackup"),
	"PreRestoreHooks":  finish(hook + "PreRestore"),
	"PostRestoreHooks": finish(hook + "PostRestore"),

	// Copies.
	"CreateDirectImageMigration":             create(directImage),
	"WaitForDirectImageMigrationToComplete":  finish(directImage),
	"CreateDirectVolumeMigrationStage":       create(directVolume),
	"CreateDirectVolumeMigrationFinal":       create(lastDirectVolume),
	"WaitForDirectVolumeMigrationToComplete": finish(directVolume),
	"EnsureInitialBackup":                    create(initialBackup),
	"InitialBackupCreated":                   finish(initialBackup),
	"EnsureInitialBackupReplicated":          finish(initialBackup),
	"AnnotateResources":                      create(annotations),
	"EnsureStageBackup":                      create(dataBackup),
	"StageBackupCreated":                     finish(dataBackup),
	"EnsureStageBackupReplicated":            finish(dataBackup),
	"EnsureStageRestore":                     create(dataRestore),
	"StageRestoreCreated":                    finish(dataRestore),
	"EnsureFinalRestore":                     create(finalRestore),
	"FinalRestoreCreated":                    finish(finalRestore),

	// Stage pods.
	"EnsureStagePodsFromRunning":      createStagePods("running", 2),
	"EnsureStagePodsFromTemplates":    createStagePods("template", 1),
	"EnsureStagePodsFromOrphanedPVCs": createStagePods("orphaned", 0),
	"StagePodsCreated":                stagePodsRun,
	"RestartRestic":                   nothing,
	"WaitForResticReady":              nothing,
	"EnsureStagePodsDeleted":          removeStagePods,
	"EnsureStagePodsTerminated":       stagePodsGone,

	// Applications.
	"QuiesceSourceApplications":      create(quiesceSource),
	"EnsureSrcQuiesced":              finish(quiesceSource),
	"QuiesceDestinationApplications": create(quiesceDestination),
	"EnsureDestQuiesced":             finish(quiesceDestination),
	"UnQuiesceSrcApplications":       finish(scaleUp + "Source"),
	"UnQuiesceDestApplications":      finish(scaleUp + "Destination"),
	"SwapPVCReferences":              finish(swap),
	"Verification":                   finish(verification),

	// Ends.
	"DeleteRegistries":                               remove(registry),
	"EnsureAnnotationsDeleted":                       remove(annotations),
	"Canceling":                                      nothing,
	"Rollback":                                       nothing,
	"DeleteBackups":                                  remove(initialBackup, dataBackup),
	"DeleteRestores":                                 remove(dataRestore, finalRestore),
	"DeleteHookJobs":                                 remove(hook+"PreBackup", hook+"PostBackup", hook+"PreRestore", hook+"PostRestore"),
	"DeleteDirectVolumeMigrationResources":           remove(directVolume, lastDirectVolume),
	"DeleteDirectImageMigrationResources":            remove(directImage),
	"CreateDirectVolumeMigrationRollback":            create(directVolumeBack),
	"WaitForDirectVolumeMigrationToRollbackComplete": finish(directVolumeBack),
	"DeleteMigrated":                                 remove(finalRestore),
	"EnsureMigratedDeleted":                          nothing,
	"Canceled":                                       condition("Canceled"),
	"MigrationFailed":                                condition("Failed"),
}

func nothing(context.Context, *environment, Migration) (runner.Result, error) {
	return runner.Done(), nil
}

func condition(kind string) work {
	return func(_ context.Context, _ *environment, m Migration) (runner.Result, error) {
		m.SetCondition(kind, true)
		return runner.Done(), nil
	}
}

func planIsThere(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	_, err := e.plan(ctx, m)
	if apierrors.IsNotFound(err) {
		return runner.Fail(err.Error()), nil
	}
	return runner.Done(), err
}

func startRefresh(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	plan, err := e.plan(ctx, m)
	if err != nil {
		return runner.Result{}, err
	}
	plan.Spec.Refresh = true
	patch := client.RawPatch(client.Merge.Type(), []byte(`{"spec":{"refresh":true}}`))
	return runner.Done(), e.client.Patch(ctx, plan, patch)
}

func waitForRefresh(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	plan, err := e.plan(ctx, m)
	if err != nil {
		return runner.Result{}, err
	}
	if plan.Spec.Refresh {
		return runner.Wait(0, "The plan is being refreshed"), nil
	}
	return runner.Done(), nil
}

// create starts a task without waiting for it.
func create(kind string) work {
	return func(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
		_, err := e.ensure(ctx, m, kind)
		return runner.Done(), err
	}
}

// finish starts a task, if it has not started, and waits for its end.
func finish(kind string) work {
	return func(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
		task, err := e.ensure(ctx, m, kind)
		switch {
		case err != nil:
			return runner.Result{}, err
		case task.Status.Phase == api.TaskFailed:
			return runner.Fail(fmt.Sprintf("%s: %s", kind, task.Status.Message)), nil
		case task.Status.Phase == api.TaskCompleted:
			return runner.Done(), nil
		}
		return runner.Wait(0, "", kind+" is running"), nil
	}
}

// ensure returns the task of a kind. It creates the task if it does not exist.
func (e *environment) ensure(ctx context.Context, m Migration, kind string) (*api.Task, error) {
	task := &api.Task{ObjectMeta: named(m, kind, kind)}
	err := e.client.Get(ctx, client.ObjectKeyFromObject(task), task)
	if !apierrors.IsNotFound(err) {
		return task, err
	}
	task.Spec.Kind = kind
	// The cache may not have the task yet.
	return task, client.IgnoreAlreadyExists(e.client.Create(ctx, task))
}

func named(m Migration, kind, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: m.GetNamespace(), Name: m.GetName() + "-" + strings.ToLower(name),
		Labels: map[string]string{MigrationLabel: m.GetName(), KindLabel: kind},
	}
}

// remove deletes the tasks of these kinds.
func remove(kinds ...string) work {
	return func(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
		for _, kind := range kinds {
			task := &api.Task{ObjectMeta: named(m, kind, kind)}
			if err := e.client.Delete(ctx, task); client.IgnoreNotFound(err) != nil {
				return runner.Result{}, err
			}
		}
		return runner.Done(), nil
	}
}

const stagePod = "StagePod"

// createStagePods starts pods, and records that there are some.
func createStagePods(from string, number int) work {
	return func(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
		for i := range number {
			pod := &corev1.Pod{
				ObjectMeta: named(m, stagePod, fmt.Sprintf("%s-%d", from, i)),
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "sleep", Image: "stage"}}},
			}
			if err := e.client.Create(ctx, pod); client.IgnoreAlreadyExists(err) != nil {
				return runner.Result{}, err
			}
			m.SetCondition(conditionStagePods, true)
		}
		return runner.Done(), nil
	}
}

func (e *environment) stagePods(ctx context.Context, m Migration) ([]corev1.Pod, error) {
	var pods corev1.PodList
	labels := client.MatchingLabels{MigrationLabel: m.GetName(), KindLabel: stagePod}
	err := e.live.List(ctx, &pods, client.InNamespace(m.GetNamespace()), labels)
	return pods.Items, err
}

func stagePodsRun(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	pods, err := e.stagePods(ctx, m)
	if err != nil {
		return runner.Result{}, err
	}
	running := 0
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodRunning {
			running++
		}
	}
	if running < len(pods) {
		return runner.Wait(0, "", fmt.Sprintf("%d of %d stage pods run", running, len(pods))), nil
	}
	return runner.Done(), nil
}

func removeStagePods(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	labels := client.MatchingLabels{MigrationLabel: m.GetName(), KindLabel: stagePod}
	err := e.client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(m.GetNamespace()), labels)
	return runner.Done(), err
}

func stagePodsGone(ctx context.Context, e *environment, m Migration) (runner.Result, error) {
	pods, err := e.stagePods(ctx, m)
	if err != nil {
		return runner.Result{}, err
	}
	if len(pods) > 0 {
		return runner.Wait(0, "", fmt.Sprintf("%d stage pods remain", len(pods))), nil
	}
	m.SetCondition(conditionStagePods, false)
	return runner.Done(), nil
}
