package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// fleet is the custom resource of an embedder with many runs in one object: the upgrade of
// each of its databases. The backup store of the databases is another object.
type fleet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   fleetSpec   `json:"spec"`
	Status fleetStatus `json:"status,omitzero"`
}

type fleetSpec struct {
	// Store is the BackupStore of the databases to back up.
	Store     string     `json:"store,omitempty"`
	Databases []database `json:"databases"`
}

type database struct {
	Name     string `json:"name"`
	Replicas int    `json:"replicas,omitempty"`
	Schema   bool   `json:"schemaChanges,omitempty"`
	Canceled bool   `json:"canceled,omitempty"`
}

type fleetStatus struct {
	Databases []databaseStatus `json:"databases,omitempty"`
}

type databaseStatus struct {
	Name string        `json:"name"`
	Run  *runner.State `json:"run,omitempty"`
}

// databaseRun is what the runner reconciles: one database of a fleet.
type databaseRun struct {
	spec   *database
	status *databaseStatus
	backup bool
}

func (d *database) selects() string {
	if d.Canceled {
		return "Cancel"
	}
	return "Upgrade"
}

// sources returns the sources of the flags of a database, for the controller and for the
// command. Another object decides whether there is a backup store.
func (d *database) sources(v *phases.Vocabulary, backup func() (bool, error)) (*phases.Sources, error) {
	known := func(value bool) func() (bool, error) { return func() (bool, error) { return value, nil } }
	var all []phases.Source
	for name, value := range map[string]func() (bool, error){
		"BackupWanted": backup, "HasReplicas": known(d.Replicas > 0), "ReplicasLeft": known(d.Replicas > 0),
		"SchemaChanges": known(d.Schema), "TrafficStopped": known(d.Schema || d.Replicas > 0), "TrafficCut": known(false),
	} {
		if flag, err := v.Parse(name); err == nil { // if the release has the flag
			all = append(all, phases.Source{Flag: flag, Evaluate: phases.Bool(func(context.Context) (bool, error) { return value() })})
		}
	}
	return phases.NewSources(v, all...)
}

// upgradesText returns the file of the embedder's itineraries.
func upgradesText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/upgrades.yaml")
	require.NoError(t, err)
	return string(text)
}

func loadSet(t *testing.T, text string) *machine.Set {
	t.Helper()
	f, err := phases.Load(strings.NewReader(text), "upgrades.yaml")
	require.NoError(t, err)
	set, err := machine.CompileSet(f.Itineraries...)
	require.NoError(t, err)
	return set
}

func vocabulary(t *testing.T, set *machine.Set) *phases.Vocabulary {
	t.Helper()
	g, err := set.Graph(set.Names()[0])
	require.NoError(t, err)
	return g.Vocabulary()
}

// runTo runs the upgrade of a database until it reaches a phase.
func (d *databaseRun) runTo(t *testing.T, set *machine.Set, phase string) {
	t.Helper()
	v := vocabulary(t, set)
	now := clock(t, "10:00:00")
	r, err := runner.New(runner.Options[*databaseRun]{
		Itineraries: set,
		Select:      func(_ context.Context, d *databaseRun) (string, error) { return d.spec.selects(), nil },
		Sources: func(_ context.Context, d *databaseRun) (*phases.Sources, error) {
			return d.spec.sources(v, func() (bool, error) { return d.backup, nil })
		},
		Storage: runner.NewStatusStorage(func(d *databaseRun) *runner.State {
			if d.status.Run == nil {
				d.status.Run = new(runner.State)
			}
			return d.status.Run
		}),
		Handler: runner.VisitFunc[*databaseRun](func(_ context.Context, _ *databaseRun, v runner.Visit) (runner.Result, error) {
			if v.Phase == phase {
				return runner.Wait(time.Minute, "waiting"), nil
			}
			return runner.Done(), nil
		}),
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	for d.status.Run == nil || d.status.Run.Phase != phase {
		require.Less(t, now, clock(t, "11:00:00"), "%s is not reached", phase)
		_, err := r.Reconcile(t.Context(), d)
		require.NoError(t, err)
		now = now.Add(time.Minute)
	}
}

// testdata/fleet.yaml holds what the runner wrote, and later changes by users.
func TestFleetFileIsWrittenByTheRunner(t *testing.T) {
	set := loadSet(t, upgradesText(t))
	// In this earlier release StartBackup has another name and the flag TrafficStopped does
	// not exist.
	earlier := loadSet(t, strings.NewReplacer(
		"StartBackup, step: Backup, all: [BackupWanted], formerly: [Dump]", "Dump, step: Backup, all: [BackupWanted]",
		"TrafficStopped", "TrafficCut",
	).Replace(upgradesText(t)))

	f := &fleet{Spec: fleetSpec{Store: "s3"}}
	f.APIVersion, f.Kind, f.Name, f.Namespace = "ops.example.com/v1", "Fleet", "shop", "databases"
	f.CreationTimestamp = metav1.NewTime(time.Date(2026, 11, 20, 9, 59, 0, 0, time.UTC))
	for _, of := range []struct {
		database
		set    *machine.Set
		phase  string
		backup bool
		since  func(*database, *runner.State)
	}{
		{database{Name: "orders"}, set, "WaitForBackup", true, nil},
		{database{Name: "carts", Replicas: 2}, set, "WaitForReplica", true, func(d *database, _ *runner.State) { d.Canceled = true }},
		{database{Name: "users", Canceled: true}, set, "ReportCancel", true, func(d *database, _ *runner.State) { d.Canceled = false }},
		{database{Name: "stock", Schema: true}, set, "ChangeSchema", true, func(d *database, _ *runner.State) { d.Schema = false }},
		{database{Name: "mails"}, earlier, "Dump", true, nil},
		{database{Name: "typo"}, set, "WaitForBackup", true, func(_ *database, s *runner.State) { s.Phase = "WaitForBakcup" }},
		{database{Name: "new", Replicas: 1}, set, "", false, nil},
	} {
		d, s := of.database, databaseStatus{Name: of.Name}
		if of.phase != "" {
			(&databaseRun{&d, &s, of.backup}).runTo(t, of.set, of.phase)
		}
		if of.since != nil {
			of.since(&d, s.Run)
		}
		f.Spec.Databases, f.Status.Databases = append(f.Spec.Databases, d), append(f.Status.Databases, s)
	}
	out, err := yaml.Marshal(f)
	require.NoError(t, err)
	goldentest.Compare(t, "testdata/fleet.yaml", string(out))
}

const noStoresOption = "no-stores"

// fleets is a catalogue that uses all fields for objects, options, texts and commands.
func fleets(t *testing.T) command.Catalogue {
	set := loadSet(t, upgradesText(t))
	v := vocabulary(t, set)
	of := func(o *command.Object, item string) (*fleet, *database, error) {
		f := new(fleet)
		if err := json.Unmarshal(o.JSON, f); err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(f.Spec.Databases, func(d database) bool { return d.Name == item })
		if i < 0 {
			return nil, nil, fmt.Errorf("spec.databases has no %q", item)
		}
		return f, &f.Spec.Databases[i], nil
	}
	return command.Catalogue{
		Command: "fleetctl", Version: "v2.1.0", Itineraries: set,
		Kind: "Fleet", Noun: "database", List: "kubectl get fleets,backupstores -A -o yaml",
		Select: func(o *command.Object, item string) (string, error) {
			_, d, err := of(o, item)
			if err != nil {
				return "", err
			}
			return d.selects(), nil
		},
		Sources: func(o *command.Object, item string, all *command.Objects) (*phases.Sources, error) {
			f, d, err := of(o, item)
			if err != nil {
				return nil, err
			}
			return d.sources(v, func() (bool, error) {
				if f.Spec.Store == "" || all.Has(noStoresOption) {
					return false, nil
				}
				isStore := func(o *command.Object) bool { return o.Kind == "BackupStore" && o.Ref.Name == f.Spec.Store }
				if !slices.ContainsFunc(all.List, isStore) {
					return false, fmt.Errorf("BackupStore %s was not read; list it as well, or give --%s if there is none",
						f.Spec.Store, noStoresOption)
				}
				return true, nil
			})
		},
		KindOf: func(apiVersion, kind string) (string, bool) {
			ours := apiVersion == "" || strings.HasPrefix(apiVersion, "ops.example.com/")
			return kind, ours && (kind == "Fleet" || kind == "BackupStore")
		},
		Options: []command.Option{{Name: noStoresOption, Usage: "there are no backup stores", Instead: "with -i leave BackupWanted out of --flags"}},
		Read: func(tool *command.Tool, all *command.Objects) command.Reading {
			r := tool.StateRuns(all)
			// A fleet whose databases have not begun holds no state.
			r.Runs = slices.DeleteFunc(r.Runs, func(run *command.Run) bool { return run.Item == "" })
			r.Notes = func() (notes []string) {
				for _, apiVersion := range slices.Sorted(maps.Keys(all.Foreign)) {
					notes = append(notes, fmt.Sprintf("%d of %s left out", all.Foreign[apiVersion], apiVersion))
				}
				return notes
			}
			return r
		},
		StepNow: func(name string) string {
			if name == "Dump" {
				return "Backup"
			}
			return name
		},
		Texts: map[string]command.Text{"": {Short: "Shows the upgrades of fleets", Long: "Shows the upgrades of fleets.", Example: "  <command> plan -f fleets.yaml"}},
		Own: func(tool *command.Tool) []*cobra.Command {
			cmd := &cobra.Command{Use: "count -f FILE...", Short: "Counts the databases of fleets", Args: tool.NoArguments}
			o := tool.RegisterObjects(cmd)
			format := tool.RegisterOutput(cmd)
			cmd.RunE = func(cmd *cobra.Command, _ []string) error {
				if len(o.Files()) == 0 {
					return errors.New("nothing to count; give -f FILE")
				}
				if err := errors.Join(o.Check(), tool.CheckOutput(cmd, *format)); err != nil {
					return err
				}
				all, reading := o.Read()
				backed := 0
				for _, r := range reading.Runs {
					facts, err := o.Facts(cmd.Context(), r, reading)
					if err != nil {
						tool.Problem(r.Object.Wrong(err))
						continue
					}
					if flag, _ := v.Parse("BackupWanted"); facts.Of(flag) == phases.True {
						backed++
					}
				}
				tool.Warn("note: %d databases, %d with a backup", len(reading.Runs), backed)
				return tool.Print(all, *format)
			}
			return []*cobra.Command{cmd}
		},
	}
}

const backupStore = "\n---\n{apiVersion: ops.example.com/v1, kind: BackupStore, metadata: {name: s3, namespace: databases}}\n"

func fleetText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/fleet.yaml")
	require.NoError(t, err)
	return string(text)
}

// The table of a fleet covers most rules of states: recorded facts are the flags, the
// runner's rules decide the itinerary, and an invalid item is reported without hiding the
// others.
func TestFleet(t *testing.T) {
	const (
		edited = "fleetctl: note: Fleet databases/shop: item stock: the objects give SchemaChanges=false and TrafficStopped=false " +
			"today; the run uses its recorded flags (plan --today uses the objects)\n"
		typo = `fleetctl: Fleet databases/shop: item typo: planned from the first phase: itinerary "Upgrade" has no phase ` +
			`"WaitForBakcup"; did you mean "WaitForBackup"?` + "\n"
		store = "flag BackupWanted is unknown: BackupStore s3 was not read; list it as well, or give --no-stores if there is none\n"
	)
	const begun = `NAME           ITINERARY   PHASE                       STEPS
shop[orders]   Upgrade     WaitForBackup               Prepare > Backup > Cutover
shop[carts]    Cancel      WaitForReplica of Upgrade   Prepare > Backup > Replicas > Cancel
shop[users]    Cancel      ReportCancel                Cancel
shop[stock]    Upgrade     ChangeSchema                Prepare > Backup > Cutover
shop[mails]    Upgrade     StartBackup                 Prepare > Backup > Cutover
shop[typo]     Upgrade     WaitForBakcup               Prepare > Backup > Cutover
`
	for _, tt := range []struct {
		about, objects string
		args           []string
		out, stderr    string
	}{
		{"all that its flags need was read", fleetText(t) + backupStore, nil,
			begun + "shop[new]      Upgrade     -                           Prepare > Backup > Replicas > Cutover\n", edited + typo},
		{"an object that it refers to is missing", fleetText(t), nil,
			begun + "shop[new]      Upgrade     -                           Prepare > (Backup) > Replicas > Cutover > (Cleanup)\n\n" +
				"(NAME)  depends on a flag that is unknown, or on a choice that is not made\n",
			edited + typo + "fleetctl: Fleet databases/shop: item new: " + store},
		{"by the objects of today", fleetText(t) + backupStore, []string{"--today"},
			begun + "shop[new]      Upgrade     -                           Prepare > Backup > Replicas > Cutover\n", typo},
		{"an object of another project is left out", fleetText(t) + backupStore + "---\n{apiVersion: ships.example.com/v1, kind: Fleet, metadata: {name: navy}}\n", nil,
			begun + "shop[new]      Upgrade     -                           Prepare > Backup > Replicas > Cutover\n",
			edited + typo + "fleetctl: note: 1 of ships.example.com/v1 left out\n"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			code, out, stderr := execute(t, fleets(t), tt.objects, append([]string{"plan", "-f", "-"}, tt.args...)...)
			assert.Equal(t, 1, code) // for the typo
			assert.Equal(t, tt.out, out)
			assert.Equal(t, tt.stderr, stderr)
		})
	}

	// The option that the catalogue adds.
	_, out, _ := execute(t, fleets(t), fleetText(t), "plan", "-f", "-", "--no-stores")
	assert.Contains(t, out, "shop[new]      Upgrade     -                           Prepare > Replicas > Cutover > Cleanup\n")
	code, _, stderr := execute(t, fleets(t), "", "plan", "-i", "Upgrade", "--no-stores")
	assert.Equal(t, 2, code)
	assert.Equal(t, "fleetctl: --no-stores needs -f; with -i leave BackupWanted out of --flags\n", stderr)
}

// A release with another definition resumes at the same phase, under its current name. New
// flags are unknown and evaluated; flags that are gone are ignored.
func TestStateOfAnEarlierRelease(t *testing.T) {
	c := fleets(t)
	flagsOf := func(c command.Catalogue) (flags, unknown []string) {
		_, out, stderr := execute(t, c, fleetText(t)+backupStore, "plan", "-f", "-", "-o", "json")
		type plan struct {
			Name, Item, Phase string
			Flags, Unknown    []string
		}
		var all []plan
		require.NoError(t, json.Unmarshal([]byte(out), &all), stderr)
		i := slices.IndexFunc(all, func(p plan) bool { return p.Name == "shop" && p.Item == "mails" })
		require.GreaterOrEqual(t, i, 0)
		assert.Equal(t, "StartBackup", all[i].Phase)
		return all[i].Flags, all[i].Unknown
	}
	flags, unknown := flagsOf(c)
	assert.Equal(t, []string{"BackupWanted"}, flags)
	assert.Empty(t, unknown)

	c.Sources = nil // flags come only from the state
	flags, unknown = flagsOf(c)
	assert.Equal(t, []string{"BackupWanted"}, flags)
	assert.Equal(t, []string{"TrafficStopped"}, unknown)
}

// A simulation follows the rules of the runner.
func TestRunOfADatabase(t *testing.T) {
	for name, want := range map[string][]string{
		"shop[carts]": {"itinerary Cancel, since itinerary Upgrade was left in WaitForReplica", "Replicas  canceled", "done: Canceled"},
		"shop[users]": {"databases/shop[users], in phase ReportCancel of itinerary Cancel", "done: Canceled"},
		"shop[mails]": {"Backup    running      StartBackup", "done: Succeeded"},
	} {
		code, out, stderr := execute(t, fleets(t), fleetText(t)+backupStore, "run", "-f", "-", "--name", name)
		assert.Equal(t, 0, code, "%s: %s", name, stderr)
		for _, text := range want {
			assert.Contains(t, out, text, name)
		}
	}
}

// Steps of an earlier release are found, help shows the texts of the catalogue, and its own
// command reads objects as the others do.
func TestCatalogueFields(t *testing.T) {
	c := fleets(t)
	_, out, _ := execute(t, c, fleetText(t)+backupStore, "explain", "Dump", "--step", "-f", "-")
	assert.Contains(t, out, "shop[new]      Upgrade     step   yes    step Backup is shown for StartBackup and WaitForBackup\n")

	_, out, _ = execute(t, c, "", "--help")
	assert.Contains(t, out, "Shows the upgrades of fleets.\n")
	assert.Contains(t, out, "  fleetctl plan -f fleets.yaml\n")
	assert.Contains(t, out, "  count       Counts the databases of fleets\n")
	_, out, _ = execute(t, c, "", "--version")
	assert.Equal(t, "fleetctl v2.1.0\n", out)
	_, out, _ = execute(t, c, "", "count", "--help")
	assert.Contains(t, out, "--no-stores")

	code, out, stderr := execute(t, c, fleetText(t)+backupStore, "count", "-f", "-", "-o", "json")
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "fleetctl: note: 7 databases, 7 with a backup\n")
	assert.Contains(t, out, `"kind": "BackupStore"`)
	_, _, stderr = execute(t, c, fleetText(t), "count", "-f", "-")
	assert.Contains(t, stderr, "fleetctl: note: 7 databases, 5 with a backup\n", "it is not recorded for the others")
	_, _, stderr = execute(t, c, fleetText(t), "count", "-f", "-", "--set", "BackupWanted=true", "--no-stores")
	assert.Contains(t, stderr, "fleetctl: note: 7 databases, 7 with a backup\n")

	code, _, stderr = execute(t, c, "kind: BackupStore", "plan", "-f", "-")
	assert.Equal(t, 1, code)
	assert.Equal(t, "fleetctl: there is no Fleet in standard input; list them with: kubectl get fleets,backupstores -A -o yaml\n", stderr)
}
