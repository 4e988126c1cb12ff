package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plugin is the program in a directory of the PATH.
type plugin struct {
	t   *testing.T
	dir string
}

// TestPlugin builds the plugin and runs it.
func TestPlugin(t *testing.T) {
	p := plugin{t, t.TempDir()}
	out, err := exec.Command("go", "build", "-o", p.dir, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.FileExists(t, filepath.Join(p.dir, "kubectl-upgrade"))
	t.Run("commands", p.commands)
	t.Run("help", p.help)
	t.Run("completion", p.completion)
}

// result is the outcome of a program.
type result struct {
	code        int
	out, stderr string
}

// run runs a program of the directory.
func (p plugin) run(program, stdin string, args ...string) result {
	p.t.Helper()
	cmd := exec.CommandContext(context.Background(), filepath.Join(p.dir, program), args...)
	cmd.Env = append(os.Environ(), "PATH="+p.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(text)
}

// The itineraries are the same as those of package phases.
func TestItineraries(t *testing.T) {
	assert.Empty(t, cmp.Diff(read(t, "..", "..", "..", "..", "phases", "testdata", "database-upgrade.yaml"), read(t, "upgrade.yaml")))
}

// foreign matches what the output of an embedder's command must not contain.
var foreign = regexp.MustCompile(
	`(?i)\bMTC\b|migration|migplan|HasISs|image ?stream|dynamic-pipeline (plan|explain|graph|run)|%!|\ba (?:[aeiou]\w+)`)

func (p plugin) commands(t *testing.T) {
	begun := read(t, "..", "..", "testdata", "runs.yaml")
	const blue = "{apiVersion: ops.example.com/v1, kind: Upgrade, metadata: {name: blue, namespace: databases}}\n"
	for _, tt := range []struct {
		about string
		stdin string
		args  []string
		code  int
		// lines that standard output or standard error must have
		out, stderr []string
	}{
		{"what it is", "", nil, 0, []string{
			"Shows which steps each upgrade will run before it runs them, and why it leaves", "  kubectl upgrade COMMAND [options]",
			"  kubectl get upgrade --all-namespaces -o yaml > objects.yaml", "  kubectl upgrade plan -f objects.yaml",
			`Use "kubectl upgrade COMMAND --help" for more information about a command.`,
		}, nil},
		{"its version", "", []string{"--version"}, 0, []string{"kubectl upgrade (devel)"}, nil},
		{"plan without an object", "", []string{"plan", "-i", "Upgrade", "--flags", "HasReplicas,ReplicasLeft"}, 0,
			[]string{"Upgrade     Prepare > Replicas > Cutover > Cleanup"}, nil},
		{"plan of objects that have begun", begun, []string{"plan", "-f", "-"}, 1, []string{
			"waiting             Upgrade     WaitForReplica   Prepare > Replicas > Cutover > Cleanup",
			"waiting-overdue     Upgrade     WaitForBackup    Prepare > Backup > Cutover",
			"cleaning-up         Abort       RestoreTraffic   Prepare > Cutover > Abort",
		}, []string{
			`kubectl upgrade: Upgrade databases/canceled: unknown itinerary "Cancel"; known: "Upgrade" and "Abort"`,
		}},
		{"plan of an object that has not begun", blue, []string{"plan", "-f", "-"}, 1, []string{
			"blue   Upgrade     -       Prepare > (Backup) > (Replicas) > Cutover > (Cleanup)",
		}, []string{
			"kubectl upgrade: Upgrade databases/blue: it has not begun, and records no flag; give BackupWanted, HasReplicas and 3 more a value with --set",
		}},
		{"plan of nothing", "kind: Pod", []string{"plan", "-f", "-"}, 1, nil, []string{
			"kubectl upgrade: there is no Upgrade in standard input; list them with: kubectl get upgrade --all-namespaces -o yaml",
		}},
		{"explain", begun, []string{"explain", "StartBackup", "-f", "-"}, 1, nil, []string{
			`kubectl upgrade: Upgrade databases/rolled-back: unknown itinerary "Rollback"; known: "Upgrade" and "Abort"`,
		}},
		{"explain without an object", "", []string{"explain", "Cutover", "-i", "Upgrade"}, 0, []string{
			"Upgrade     step   yes    step Cutover is shown for UpgradePrimary",
		}, nil},
		{"explain of an unknown name", "", []string{"explain", "Cutovr", "-i", "Upgrade"}, 2, nil, nil},
		{"graph", begun, []string{"graph", "-f", "-", "--name", "waiting"}, 0, []string{
			"databases/waiting", "    >   WaitForReplica   current; if ReplicasLeft; decides ReplicasLeft",
		}, nil},
		{"run", begun, []string{"run", "-f", "-", "--name", "waiting", "--flag-flips-at", "WaitForReplica=ReplicasLeft=false"}, 0, []string{
			"     0s  databases/waiting, in phase WaitForReplica of itinerary Upgrade", "  1m59s  done: Succeeded",
		}, nil},
		{"run of a loop without an end", begun, []string{"run", "-f", "-", "--name", "waiting"}, 1, nil, []string{
			"kubectl upgrade: Upgrade databases/waiting: after 3 phases it is in an endless loop; leave it with --flag-flips-at WaitForReplica=ReplicasLeft=false",
		}},
		{"run that fails", "", []string{"run", "-i", "Upgrade", "--fail-at", "UpgradePrimary"}, 0, []string{
			"  1m29s  itinerary Abort, since UpgradePrimary of itinerary Upgrade failed",
		}, nil},
		{"run that is canceled", "", []string{"run", "-i", "Upgrade", "--cancel-at", "UpgradePrimary"}, 2, nil, []string{
			"kubectl upgrade: --cancel-at: there is no itinerary whose result is Canceled to continue in; name one with --on-cancel: Upgrade or Abort",
		}},
		{"status", begun, []string{"status", "-f", "-", "--now", "2026-11-20T12:00:00Z"}, 1, nil, nil},
		{"--today without sources", begun, []string{"plan", "-f", "-", "--today"}, 2, nil, []string{
			"kubectl upgrade: unknown option --today; see kubectl upgrade plan --help",
		}},
		{"an unknown command", "", []string{"plam"}, 2, nil, []string{`kubectl upgrade: unknown command "plam"; did you mean "plan"?`}},
		{"an option of MTC's", "", []string{"plan", "--no-image-str", "-f", "x"}, 2, nil, nil},
	} {
		t.Run(tt.about, func(t *testing.T) {
			r := p.run("kubectl-upgrade", tt.stdin, tt.args...)
			assert.Equal(t, tt.code, r.code, r.stderr)
			for _, line := range tt.out {
				assert.Contains(t, strings.Split(r.out, "\n"), line)
			}
			for _, line := range tt.stderr {
				assert.Contains(t, strings.Split(r.stderr, "\n"), line)
			}
			if !strings.Contains(tt.about, "MTC") && tt.stdin != begun { // its messages are those of its controller
				assert.Empty(t, foreign.FindAllString(r.out+r.stderr, -1))
			}
		})
	}

}

// The help of each command is about upgrades.
func (p plugin) help(t *testing.T) {
	for _, name := range []string{"", "plan", "explain", "graph", "run", "status", "serve", "completion"} {
		r := p.run("kubectl-upgrade", "", append(strings.Fields(name), "--help")...)
		assert.Equal(t, 0, r.code, name)
		assert.Empty(t, foreign.FindAllString(r.out, -1), name)
		assert.Contains(t, r.out, "  kubectl upgrade "+name, name)
		assert.NotContains(t, r.out, "kubectl-upgrade COMMAND", name)
	}
}

// kubectl completes a plugin with an executable beside it, which the plugin prints.
func (p plugin) completion(t *testing.T) {
	script := p.run("kubectl-upgrade", "", "completion")
	require.Equal(t, 0, script.code, script.stderr)
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "kubectl_complete-upgrade"), []byte(script.out), 0o755))
	for _, tt := range []struct {
		about string
		args  []string
		want  string
	}{
		{"commands", []string{"pl"}, "plan\tShows which steps each upgrade runs\n:4\n"},
		{"itineraries", []string{"plan", "-i", ""}, "Upgrade\nAbort\n:0\n"},
		{"flags", []string{"plan", "-i", "Upgrade", "--flags", "Has"}, "HasReplicas\n:6\n"},
		{"steps", []string{"explain", "--step", "Cu"}, "Cutover\n:4\n"},
		{"phases", []string{"run", "-i", "Upgrade", "--fail-at", "Stop"}, "StopTraffic\n:4\n"},
		{"values of flags", []string{"plan", "--set", "BackupWanted="}, "BackupWanted=true\nBackupWanted=false\nBackupWanted=unknown\n:4\n"},
		{"options", []string{"plan", "--wh"}, "--whole\twith -f, plan from the first phase of the itinerary on, not from the recorded one\n:4\n"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			r := p.run("kubectl_complete-upgrade", "", tt.args...)
			assert.Equal(t, 0, r.code, r.stderr)
			assert.Equal(t, tt.want, r.out)
		})
	}
	r := p.run("kubectl-upgrade", "", "completion", "bash")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, "kubectl upgrade: completion takes no argument \"bash\"; the script is for every shell that completes kubectl\n",
		r.stderr)
}
