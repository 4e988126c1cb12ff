package cli_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

// faulty has a flag that nothing reads, and a phase that never runs.
const faulty = `flags:
- {name: Due}
- {name: Idle}
itineraries:
- name: Warm
  phases:
  - {name: Copy, step: Disks}
  - {name: Never, step: Disks, all: [Due], jumps: [{to: Copy, all: [Due]}]} # loops
  - {name: Cut, step: Cutover, all: [Due]}
- name: Cold
  phases:
  - {name: Copy, step: Disks}
`

type finding struct {
	Rule, Severity, Itinerary, Phase, Step, Flag, Text string
	Place                                              struct {
		File         string
		Line, Column int
	}
	Assignment            []string
	Reproduce, Suppressed string
}

func findings(t *testing.T, text string) (all []finding) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &all), text)
	return all
}

func TestVerifyPassesWhatIsBuiltIn(t *testing.T) {
	r := run(t, "", "verify")
	assert.Zero(t, r.code, r.stderr)
	assert.Empty(t, r.stderr)
	goldentest.Compare(t, "testdata/verify.txt", r.out)

	suppressed := 0
	for _, f := range findings(t, run(t, "", "verify", "-o", "json").out) {
		if f.Suppressed != "" {
			suppressed++
			continue
		}
		assert.Equal(t, "info", f.Severity, f.Text)
	}
	assert.NotZero(t, suppressed)
}

// The command that reproduces a finding works.
func TestVerifyReproduceCommandsWork(t *testing.T) {
	file := write(t, "faulty.yaml", faulty)
	n := 0
	for _, args := range [][]string{{"verify", "-o", "json"}, {"verify", "-i", file, "-o", "json"}} {
		for _, f := range findings(t, run(t, "", args...).out) {
			line, ok := strings.CutPrefix(f.Reproduce, "dynamic-pipeline ")
			if f.Reproduce == "" {
				continue
			}
			require.True(t, ok, f.Reproduce)
			n++
			r := run(t, "", strings.Fields(line)...)
			assert.Zero(t, r.code, "%s: %s", f.Reproduce, r.stderr)
		}
	}
	assert.NotZero(t, n)
}

func TestVerifyAFile(t *testing.T) {
	file := write(t, "faulty.yaml", faulty)
	r := run(t, "", "verify", "-i", file)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, file+":3:3", "the place of the flag that nothing reads")
	require.Len(t, r.lines(t), 1)
	assert.Regexp(t, `^\d+ findings? at level warning or above$`, r.lines(t)[0])

	unused := run(t, "", "verify", "-i", write(t, "unused.yaml", faulty+`suppress:
- {rule: rides-alone, itinerary: Warm, reason: r}
- {rule: rides-alone, reason: r}
`)).out
	for _, title := range []string{"flags and names", "itinerary Warm"} {
		assert.Equal(t, 1, strings.Count("\n"+unused, "\n"+title+"\n"), "each title stands once: %s", title)
	}

	for level, code := range map[string]int{"info": 1, "warning": 1, "error": 1, "none": 0} {
		r := run(t, "", "verify", "-i", file, "--fail-level", level)
		assert.Equal(t, code, r.code, level)
		assert.Equal(t, code == 0, r.stderr == "", level)
	}

	t.Run("one itinerary of it", func(t *testing.T) {
		for _, f := range findings(t, run(t, "", "verify", "-i", file+"#Cold", "-o", "json").out) {
			assert.Equal(t, "Cold", f.Itinerary)
		}
		r := run(t, "", "verify", "-i", file+"#Cold")
		assert.Zero(t, r.code, r.out)
		assert.Contains(t, r.out, "1 itinerary, ")
	})
	t.Run("with the built-in release", func(t *testing.T) {
		r := run(t, "", "verify", "-i", "Final", "-i", file+"#Cold", "-i", file+"#Warm", "--fail-level", "none")
		assert.Zero(t, r.code, r.stderr)
		assert.Contains(t, r.out, "3 itineraries, ")
	})
	t.Run("suppressed in it", func(t *testing.T) {
		file := write(t, "cold.yaml",
			strings.Replace(faulty[:strings.Index(faulty, "itineraries:")], "- {name: Due}\n", "", 1)+`itineraries:
- name: Cold
  phases:
  - {name: Copy, step: Disks}
suppress:
- {rule: flag-never-read, flag: Idle, reason: "for <later>"}
`)
		r := run(t, "", "verify", "-i", file, "--fail-level", "info")
		assert.Zero(t, r.code, r.out+r.stderr)
		assert.Contains(t, r.out, "reason: for <later>")
		assert.Contains(t, r.out, "0 findings, 1 suppressed")
		assert.Contains(t, run(t, "", "verify", "-i", file, "-o", "sarif").out, `"justification": "for <later>"`)
		assert.Empty(t, run(t, "", "verify", "-i", file, "-o", "github").out)
	})
}

func TestVerifyOtherFormats(t *testing.T) {
	file := write(t, "faulty.yaml", faulty)
	t.Chdir(filepath.Dir(file)) // makes names relative

	sarif := run(t, "", "verify", "-i", "faulty.yaml", "-o", "sarif")
	assert.Equal(t, 1, sarif.code)
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(sarif.out), &log))
	driver := log.Runs[0].Tool.Driver
	assert.Equal(t, "dynamic-pipeline", driver.Name)
	require.NotEmpty(t, log.Runs[0].Results)
	for _, r := range log.Runs[0].Results {
		assert.Equal(t, r.RuleID, driver.Rules[r.RuleIndex].ID)
		require.Len(t, r.Locations, 1)
		assert.Equal(t, "faulty.yaml", r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		assert.NotZero(t, r.Locations[0].PhysicalLocation.Region.StartLine)
	}

	junit := run(t, "", "verify", "-i", "faulty.yaml", "-o", "junit")
	assert.Equal(t, 1, junit.code)
	var suites struct {
		Failures int `xml:"failures,attr"`
	}
	require.NoError(t, xml.Unmarshal([]byte(junit.out), &suites))
	assert.NotZero(t, suites.Failures)
	none := run(t, "", "verify", "-i", "faulty.yaml", "-o", "junit", "--fail-level", "none")
	require.NoError(t, xml.Unmarshal([]byte(none.out), &suites))
	assert.Zero(t, suites.Failures)

	github := run(t, "", "verify", "-i", "faulty.yaml", "-o", "github")
	assert.Equal(t, 1, github.code)
	for line := range strings.Lines(github.out) {
		assert.Regexp(t, `^::(error|warning|notice) file=faulty\.yaml,line=\d+,col=\d+,title=.+::.+$`, strings.TrimSpace(line))
	}
}

func TestVerifyRules(t *testing.T) {
	for _, command := range []string{"verify", "compat"} {
		r := run(t, "", command, "--rules")
		assert.Zero(t, r.code, r.stderr)
		var rules []struct{ Name, Severity, Definition string }
		require.NoError(t, json.Unmarshal([]byte(run(t, "", command, "--rules", "-o", "json").out), &rules))
		require.NotEmpty(t, rules)
		for _, rule := range rules {
			assert.Contains(t, r.out, rule.Name)
			assert.Contains(t, r.out, rule.Definition)
		}
	}
}

func TestFreeze(t *testing.T) {
	file := filepath.Join(t.TempDir(), "release.yaml")
	r := run(t, "", "verify", "--freeze", file)
	require.Equal(t, result{}, r)
	frozen := read(t, file)
	assert.Equal(t, result{out: frozen}, run(t, "", "verify", "--freeze", "-"))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm())

	t.Run("is the same release", func(t *testing.T) {
		r := run(t, "", "compat", file, "mtc@current", "--fail-level", "info")
		assert.Zero(t, r.code, r.out)
		assert.Contains(t, r.out, "0 breaks")
	})
	t.Run("of a file, again, over what is there", func(t *testing.T) {
		require.NoError(t, os.Chmod(file, 0o600))
		require.Equal(t, result{}, run(t, "", "verify", "-i", file, "--freeze", file))
		assert.Equal(t, frozen, read(t, file))
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "its mode stays")
	})
	t.Run("through a link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link.yaml")
		require.NoError(t, os.Symlink(file, link))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		require.Equal(t, result{}, run(t, "", "verify", "--freeze", link))
		assert.Equal(t, frozen, read(t, file))
		info, err := os.Lstat(link)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&os.ModeSymlink)
	})
	locked := write(t, "locked.yaml", "kept")
	require.NoError(t, os.Chmod(locked, 0o400))
	for _, tt := range []struct{ name, file, want string }{
		{"a directory", t.TempDir(), "is a directory; give a file"},
		{"a read-only file", locked, "is read-only; make it writable first"},
		{"a directory that does not exist", filepath.Join(t.TempDir(), "none", "a.yaml"), "no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", "verify", "--freeze", tt.file)
			assert.Equal(t, 1, r.code)
			require.Len(t, r.lines(t), 1)
			assert.Contains(t, r.lines(t)[0], tt.want)
		})
	}
	assert.Equal(t, "kept", read(t, locked))
}

// A suite has a test case only for the rules that were checked on its itinerary. Of a file
// it is unknown which itineraries are selected.
func TestVerifyJUnitOmitsRulesThatWereNotChecked(t *testing.T) {
	file := write(t, "faulty.yaml", faulty)
	t.Chdir(filepath.Dir(file))
	both := run(t, "", "verify", "-i", "Final", "-i", "faulty.yaml", "-o", "junit", "--fail-level", "none")
	var listed struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name string `xml:"name,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(both.out), &listed))
	has := map[string]bool{}
	for _, suite := range listed.Suites {
		has[suite.Name] = false
		for _, c := range suite.Cases {
			has[suite.Name] = has[suite.Name] || c.Name == "itinerary-unreachable"
		}
	}
	assert.Equal(t, map[string]bool{"Final": true, "Warm": false, "Cold": false, "all itineraries": false}, has)
}
