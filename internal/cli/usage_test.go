package cli_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
)

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"an unknown command", []string{"plna"}, `unknown command "plna"; did you mean "plan"?`},
		{"help for an unknown command", []string{"stauts", "--help"}, `unknown command "stauts"; did you mean "status"?`},
		{"an unknown command of help", []string{"help", "plna"}, `unknown command "plna"; did you mean "plan"?`},
		{"an unknown shell", []string{"completion", "powershel"}, `unknown command "powershel"; did you mean "powershell"?`},
		{"an unknown option", []string{"plan", "--itinerry", "Final"}, `unknown option --itinerry; did you mean "--itinerary"?`},
		{"an unknown option that resembles none", []string{"plan", "--zzz"}, `unknown option --zzz; see dynamic-pipeline plan --help`},
		{"an unknown letter", []string{"convert", "-z"}, `unknown shorthand flag: 'z' in -z; see dynamic-pipeline convert --help`},
		{"an option without its value", []string{"plan", "-f"}, `flag needs an argument: 'f' in -f; see dynamic-pipeline plan --help`},
		{
			"an option with too much", []string{"plan", "-i", "Final", "--explain=maybe"},
			`invalid argument "maybe" for "--explain" flag: strconv.ParseBool: parsing "maybe": invalid syntax; see dynamic-pipeline plan --help`,
		},
		{"an argument", []string{"plan", "objects.yaml"}, `plan takes no argument "objects.yaml"; files are given with -f`},
		{"an argument to convert", []string{"convert", "objects.yaml"}, `convert takes no argument "objects.yaml"; files are given with -f`},

		{"nothing to plan", []string{"plan"}, "nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY"},
		{
			"-i and -f", []string{"plan", "-i", "Final", "-f", "-"},
			"-i Final names an itinerary without objects and excludes -f; give one of them, or the FILE.yaml that defines the itineraries of the objects",
		},
		{"an empty -f", []string{"plan", "-f", ""}, `-f needs the name of a file, or "-"`},
		{"standard input twice", []string{"plan", "-f", "-", "-f", "-"}, "-f - is given twice, but standard input can be read only once; remove one"},
		{"--flags without -i", []string{"plan", "-f", "-", "--flags", "HasPVs"}, "--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects"},
		{"--unknown without -i", []string{"plan", "--unknown", "HasPVs"}, "--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects"},
		{"an unknown format", []string{"plan", "-i", "Final", "-o", "jsn"}, `-o takes table, json or yaml, not "jsn"; did you mean "json"?`},
		{"an unknown itinerary", []string{"plan", "-i", "Finl"}, `unknown itinerary "Finl"; did you mean "Final"?`},
		{
			"an unknown itinerary that resembles none", []string{"plan", "-i", "X"},
			`unknown itinerary "X"; built in are Stage, Final, Cancel, Failed and Rollback, and -i FILE.yaml reads others`,
		},
		{"an empty itinerary", []string{"plan", "-i", ""}, `unknown itinerary ""; built in are Stage, Final, Cancel, Failed and Rollback, and -i FILE.yaml reads others`},
		{"an unknown flag", []string{"plan", "-i", "Final", "--flags", "HasPV"}, `--flags: unknown flag "HasPV"; did you mean "HasPVs"?`},
		{
			"an unknown flag that is unknown", []string{"plan", "-i", "Final", "--unknown", "HasPVs,Hooks"},
			`--unknown: unknown flag "Hooks"; did you mean "HasPreBackupHooks", "HasPostBackupHooks" or "HasPreRestoreHooks"?`,
		},
		{
			"a flag that is both", []string{"plan", "-i", "Final", "--flags", "HasPVs,Quiesce", "--unknown", "HasISs,HasPVs"},
			"HasPVs cannot be both in --flags and in --unknown; remove it from one",
		},

		{"explain nothing", []string{"explain", "-i", "Final"}, "explain needs the NAME of a phase, a step or a flag"},
		{"explain too much", []string{"explain", "A", "B", "-i", "Final"}, "explain takes one NAME, not 2"},
		{"explain with an unknown format", []string{"explain", "Prepare", "-i", "Final", "-o", "wide"}, `-o takes table, json or yaml, not "wide"`},
		{"explain without a subject", []string{"explain", "Prepare"}, "nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY"},
		{
			"explain both kinds", []string{"explain", "Prepare", "-i", "Final", "--phase", "--step"},
			"--phase, --step and --flag exclude each other; leave them out to see all of that name",
		},
		{"an unknown name", []string{"explain", "DataBakup", "-f", "-"}, `no itinerary has a phase, step or flag "DataBakup"; did you mean "DataBackup"?`},
		{
			"an unknown name of one itinerary", []string{"explain", "MigrationFailed", "-i", "Final"},
			`itinerary Final has no phase, step or flag "MigrationFailed"; see dynamic-pipeline plan -i Final --explain`,
		},
		{
			"a step that is asked for as a phase", []string{"explain", "DataBackup", "--phase", "-i", "Final"},
			`itinerary Final has no phase "DataBackup"; there is a step of that name, leave out --phase`,
		},
		{
			"a phase that is asked for as a step", []string{"explain", "EnsureStageBackup", "--step", "-f", "-"},
			`no itinerary has a step "EnsureStageBackup"; there is a phase of that name, leave out --step`,
		},

		{"an argument to graph", []string{"graph", "Final"}, `graph takes no argument "Final"; files are given with -f`},
		{"draw nothing", []string{"graph"}, "nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY"},
		{
			"draw -i and -f", []string{"graph", "-i", "Final", "-f", "-"},
			"-i Final names an itinerary without objects and excludes -f; give one of them, or the FILE.yaml that defines the itineraries of the objects",
		},
		{"draw flags without -i", []string{"graph", "-f", "-", "--flags", "HasPVs"}, "--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects"},
		{"draw a table", []string{"graph", "-i", "Final", "-o", "table"}, `-o takes text, dot, mermaid, json or svg, not "table"`},
		{"draw a format with a typo", []string{"graph", "-i", "Final", "-o", "mermiad"}, `-o takes text, dot, mermaid, json or svg, not "mermiad"; did you mean "mermaid"?`},
		{"draw an unknown itinerary", []string{"graph", "-i", "Stage", "-i", "Finl"}, `unknown itinerary "Finl"; did you mean "Final"?`},
		{"draw an unknown flag", []string{"graph", "-i", "Final", "--flags", "HasPV"}, `--flags: unknown flag "HasPV"; did you mean "HasPVs"?`},
		{"draw an itinerary twice", []string{"graph", "-i", "Final", "-i", "Final"}, `itinerary Final is given twice with -i; remove one`},
		{"draw one migration without objects", []string{"graph", "-i", "Final", "--name", "m"}, "--name needs -f; with -i there is no migration"},
		{
			"draw a moment without a plan", []string{"graph", "-i", "Final", "--at", "Created"},
			"--at needs to know what runs from there; give --flags with the flags that are true; if none is: --flags ''",
		},
		{"draw a moment of no phase", []string{"graph", "-i", "Final", "--flags", "", "--at", ""}, "--at and --around need the name of a phase"},
		{"draw around no phase", []string{"graph", "-i", "Final", "--around", ""}, "--at and --around need the name of a phase"},
		{
			"draw an unknown moment", []string{"graph", "-i", "Stage", "-i", "Final", "--flags", "", "--at", "Startd"},
			`--at: no phase "Startd" in itineraries Stage and Final; did you mean "Started"?`,
		},
		{
			"draw a moment of several itineraries", []string{"graph", "-i", "Stage", "-i", "Final", "--flags", "", "--at", "Started"},
			"--at: itineraries Stage and Final have a phase Started; draw one of them",
		},
		{
			"draw what runs without a plan", []string{"graph", "-i", "Final", "--only-run"},
			"--only-run needs to know what runs; give --flags with the flags that are true; if none is: --flags ''",
		},
		{
			"draw around a phase and what runs", []string{"graph", "-i", "Final", "--flags", "", "--only-run", "--around", "Created"},
			"--around and --only-run exclude each other; leave one out",
		},
		{
			"draw around a phase and all", []string{"graph", "-i", "Final", "--all-edges", "--around", "Created"},
			"--around draws every transition of its phase; leave out --all-edges",
		},
		{
			"draw around an unknown phase", []string{"graph", "-i", "Final", "--around", "EnsureStgeBackup"},
			`--around: no phase "EnsureStgeBackup" in itinerary Final; did you mean "EnsureStageBackup"?`,
		},

		{"an argument to verify", []string{"verify", "a.yaml"}, `verify takes no argument "a.yaml"; itineraries are given with -i`},
		{"verify an unknown itinerary", []string{"verify", "-i", "Finl"}, `unknown itinerary "Finl"; did you mean "Final"?`},
		{"verify an itinerary twice", []string{"verify", "-i", "Final", "-i", "Final"}, "-i Final is given twice, alone or with the others of its file; remove one"},
		{"verify nothing", []string{"verify", "-i", ""}, "-i needs the name of an itinerary or of a file"},
		{"verify as yaml", []string{"verify", "-o", "yaml"}, `-o takes table, json, sarif, junit or github, not "yaml"`},
		{"verify in a format with a typo", []string{"verify", "-o", "sarfi"}, `-o takes table, json, sarif, junit or github, not "sarfi"; did you mean "sarif"?`},
		{"verify up to an unknown level", []string{"verify", "--fail-level", "warn"}, `--fail-level takes info, warning, error or none, not "warn"; did you mean "warning"?`},
		{"fix a built-in itinerary", []string{"verify", "--fix"}, "--fix changes a file; give -i FILE.yaml"},
		{"a dry run of nothing", []string{"verify", "--dry-run"}, "--dry-run needs --fix, whose effect it shows"},
		{"a dry run in a format", []string{"verify", "--fix", "--dry-run", "-i", "a.yaml", "-o", "json"}, "--dry-run prints only a diff; leave out -o and --fail-level"},
		{"rules as sarif", []string{"verify", "--rules", "-o", "sarif"}, `-o with --rules takes table or json, not "sarif"`},
		{"rules of an itinerary", []string{"verify", "--rules", "-i", "Final"}, "--rules only prints rules; leave out --itinerary"},
		{"rules that fail", []string{"verify", "--rules", "--fail-level", "info"}, "--rules only prints rules; leave out --fail-level"},
		{"rules of releases", []string{"compat", "--rules", "a.yaml", "b.yaml"}, `--rules only prints rules; leave out "a.yaml"`},
		{"freeze and fix", []string{"verify", "--freeze", "-", "--fix"}, "--freeze writes definitions and checks nothing; leave out --fix"},
		{"freeze in a format", []string{"verify", "--freeze", "-", "-o", "json"}, "--freeze writes definitions and checks nothing; leave out --output"},
		{"freeze into nothing", []string{"verify", "--freeze", ""}, `--freeze needs the name of a file, or "-"`},
		{
			"freeze one itinerary", []string{"verify", "--freeze", "-", "-i", "Final"},
			"--freeze writes a whole release, since a run may switch between itineraries; leave out Final",
		},

		{"compare nothing", []string{"compat"}, "compat takes two releases, OLD and NEW, not 0; give each as FILE.yaml, git:REF:PATH or mtc@current"},
		{"compare one release", []string{"compat", "mtc@current"}, "compat takes two releases, OLD and NEW, not 1; give each as FILE.yaml, git:REF:PATH or mtc@current"},
		{"compare the built-in release, without its suffix", []string{"compat", "mtc", "mtc@current"}, `unknown release "mtc"; did you mean "mtc@current"?`},
		{"compare the built-in release, with a typo", []string{"compat", "mtc@curent", "mtc@current"}, `unknown release "mtc@curent"; did you mean "mtc@current"?`},
		{"compare an unknown release", []string{"compat", "v1", "mtc@current"}, `unknown release "v1"; give a FILE.yaml, git:REF:PATH, or mtc@current for the built-in release`},
		{"compare as yaml", []string{"compat", "mtc@current", "mtc@current", "-o", "yaml"}, `-o takes table, json, sarif, junit or github, not "yaml"`},
		{"compare names without objects", []string{"compat", "mtc@current", "mtc@current", "--name", "m"}, "--name needs -f; without objects there is no migration"},
		{
			"compare an option for objects without them", []string{"compat", "mtc@current", "mtc@current", "--no-image-streams"},
			"--no-image-streams needs -f; without it no objects are read",
		},
		{
			"compare as of no time", []string{"compat", "mtc@current", "mtc@current", "--accept", "a.yaml", "--now", "today"},
			`--now takes a time such as 2026-11-20T12:00:00Z, not "today"`,
		},
		{
			"compare as of a time for nothing", []string{"compat", "mtc@current", "mtc@current", "--now", "2026-11-20T12:00:00Z"},
			"--now needs --accept: it is the time at which acceptances are checked",
		},
		{"accept nothing", []string{"compat", "mtc@current", "mtc@current", "--accept", ""}, "--accept needs the name of a file"},

		{"convert to nothing", []string{"convert", "-f", "-"}, "convert needs --to current or --to legacy"},
		{"convert to something else", []string{"convert", "--to", "old", "-f", "-"}, `--to takes current or legacy, not "old"`},
		{"convert nothing", []string{"convert", "--to", "legacy"}, "nothing to convert; give -f FILE with what kubectl get -o yaml or -o json prints"},
		{"convert standard input twice", []string{"convert", "--to", "legacy", "-f", "-", "-f", "-"}, "-f - is given twice, but standard input can be read only once; remove one"},
		{"convert with an unknown scheme", []string{"convert", "--to", "current", "--naming", "new", "-f", "-"}, `--naming takes data or state, not "new"`},
		{"convert to a table", []string{"convert", "--to", "current", "-o", "table", "-f", "-"}, `-o takes json or yaml, not "table"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", tt.args...)
			assert.Equal(t, 2, r.code)
			assert.Empty(t, r.out)
			assert.Equal(t, []string{tt.want}, r.lines(t))
		})
	}
}

func TestRootPrintsHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"-h"}} {
		r := run(t, "", args...)
		assert.Equal(t, 0, r.code)
		assert.Empty(t, r.stderr)
		for _, command := range []string{"plan", "explain", "graph", "run", "verify", "compat", "convert", "completion"} {
			assert.Contains(t, r.out, "\n  "+command+" ")
		}
	}
	assert.Contains(t, run(t, "", "help", "plan").out, "dynamic-pipeline plan (-f FILE... | -i ITINERARY)")
	assert.Contains(t, run(t, "", "completion").out, "dynamic-pipeline completion SHELL")
}

func TestVersion(t *testing.T) {
	r := run(t, "", "--version")
	assert.Equal(t, result{0, "dynamic-pipeline (devel)\n", ""}, r)
}

// closed is a standard output that fails.
type closed struct{ err error }

func (c closed) Write([]byte) (int, error) { return 0, c.err }

func TestOutputThatFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code int
		want string
	}{
		{"head has seen enough", syscall.EPIPE, 0, ""},
		{"a closed pipe within a program", io.ErrClosedPipe, 0, ""},
		{"a full disk", errors.New("the disk is full"), 1, "dynamic-pipeline: cannot write the output: the disk is full\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, args := range [][]string{
				{"plan", "-i", "Final", "--flags", "DirectImage"},
				{"plan", "-i", "Final", "--flags", "DirectImage", "--explain"},
				{"plan", "-f", recorded("objects.json"), "--no-image-streams", "-o", "json"},
				{"plan", "-f", recorded("objects.json"), "--no-image-streams", "-o", "yaml", "--explain"},
				{"explain", "Prepare", "-i", "Final", "--flags", "DirectImage"},
				{"explain", "Cleanup", "-f", recorded("objects.json"), "--no-image-streams", "-o", "json"},
				{"graph", "-i", "Final"},
				{"graph", "-i", "Final", "-o", "svg"},
				{"graph", "-f", recorded("objects.json"), "--no-image-streams", "--name", "migration-000", "-o", "json"},
				{"convert", "--to", "current", "-f", recorded("objects.json"), "--no-image-streams"},
				{"run", "-i", "Final", "--flags", "DirectImage"},
				{"verify"},
				{"verify", "-o", "sarif"},
				{"verify", "--rules"},
				{"verify", "--freeze", "-"},
				{"compat", "mtc@current", "mtc@current"},
				{"compat", "mtc@current", "mtc@current", "-o", "json"},
				{"run", "-i", "Final", "--flags", "DirectImage", "-o", "json"},
			} {
				var stderr bytes.Buffer
				code := cli.Run(t.Context(), args, strings.NewReader(""), closed{tt.err}, &stderr)
				assert.Equal(t, tt.code, code, args)
				assert.Equal(t, tt.want, stderr.String(), args)
			}
		})
	}
}
