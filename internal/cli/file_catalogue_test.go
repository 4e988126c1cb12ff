package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// upgrades is a file of another controller: its itineraries, or its objects.
func upgrades(name string) string {
	return filepath.Join("..", "..", "machine", "command", "testdata", name)
}

// With the itineraries of a file, any object that holds a state is read, and no output
// mentions migrations.
func TestObjectsOfAnotherCatalogue(t *testing.T) {
	const (
		undecided = "flag TrafficStopped is unknown: the object does not record it"
		typo      = `Fleet databases/shop: item typo: planned from the first phase: itinerary "Upgrade" has no phase "WaitForBakcup"; ` +
			`did you mean "WaitForBackup"?`
		notBegun = "Fleet databases/shop: item new: it has not begun, and may be on any of the itineraries Upgrade, Abort, Cancel, " +
			"Rollback; plan one with -i FILE#NAME --flags FLAG,FLAG"
	)
	for _, tt := range []struct {
		about string
		args  []string
		code  int
		out   []string // lines
		lines []string
	}{
		{"states in statuses and in annotations", []string{"plan", "-f", upgrades("runs.yaml")}, 1, []string{
			"waiting             Upgrade     WaitForReplica   Prepare > Replicas > Cutover > Cleanup",
			"waiting-overdue     Upgrade     WaitForBackup    Prepare > Backup > Cutover", // annotated
			"rolled-back         Rollback    -                Prepare > Replicas > Rollback",
		}, []string{
			"Upgrade databases/waiting-for-later: " + undecided,
			"Upgrade databases/retrying-flags: flag ReplicasLeft is unknown: the object does not record it",
		}},
		{"many runs in one object", []string{"plan", "-f", upgrades("fleet.yaml")}, 1, []string{
			"shop[orders]   Upgrade     WaitForBackup    Prepare > Backup > Cutover",
			"shop[carts]    Upgrade     WaitForReplica   Prepare > Backup > Replicas > Cutover",
			"shop[mails]    Upgrade     StartBackup      Prepare > Backup > Cutover", // of an earlier release
		}, []string{"Fleet databases/shop: item mails: " + undecided, typo, notBegun}},
		{"a place that is named", []string{"plan", "-f", upgrades("fleet.yaml"), "--state-at", ".status.databases[0].run"}, 0, []string{
			"shop   Upgrade     WaitForBackup   Prepare > Backup > Cutover",
		}, []string{}},
		{"one of many", []string{"graph", "-f", upgrades("fleet.yaml"), "--name", "shop[stock]"}, 0, []string{
			"databases/shop[stock]", "    >   ChangeSchema     current; if SchemaChanges",
		}, []string{}},
		{"one that continues", []string{"run", "-f", upgrades("fleet.yaml"), "--name", "shop[orders]"}, 0, []string{
			"     0s  databases/shop[orders], in phase WaitForBackup of itinerary Upgrade",
			"  1m18s  done: Succeeded",
		}, []string{}},
		{"an unknown one", []string{"run", "-f", upgrades("fleet.yaml"), "--name", "shop[order]"}, 2, nil,
			[]string{`there is no run "shop[order]"; did you mean "shop[orders]"?`}},
		{"objects of ours, without a state", []string{"plan", "-f", recorded("objects.json")}, 1, nil, []string{
			"there is no object that holds a state in " + recorded("objects.json") + "; list them with: kubectl get KIND --all-namespaces -o yaml",
		}},
		{"options for the built-in objects", []string{"plan", "-f", upgrades("runs.yaml"), "--today"}, 2, nil, []string{
			"--today applies only to the objects of the built-in itineraries; leave it out with -i FILE",
		}},
		{"an option of our catalogue", []string{"plan", "-f", upgrades("runs.yaml"), "--no-image-streams"}, 2, nil, []string{
			"--no-image-streams applies only to the objects of the built-in itineraries; leave it out with -i FILE",
		}},
	} {
		t.Run(tt.about, func(t *testing.T) {
			r := run(t, "", append(tt.args, "-i", upgrades("upgrades.yaml"))...)
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.lines, r.lines(t))
			for _, line := range tt.out {
				assert.Contains(t, strings.Split(r.out, "\n"), line)
			}
			assert.NotRegexp(t, `(?i)migration|HasISs`, r.out)
		})
	}
}
