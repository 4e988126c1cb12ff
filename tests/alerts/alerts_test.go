package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const (
	root   = "../.."
	file   = "machine/controller/alerts.yaml"
	readme = "machine/controller/README.md"
)

// prometheusRule has the fields of a PrometheusRule that the alerts use.
type prometheusRule struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Spec       spec              `json:"spec"`
}

// spec has the format of a rules file of Prometheus.
type spec struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// unitTests has the fields of promtool's unit tests that are checked here.
type unitTests struct {
	Tests []struct {
		Name     string `json:"name"`
		Expected []struct {
			Alert  string `json:"alertname"`
			Firing []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

func readAlerts(t *testing.T) prometheusRule {
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	var p prometheusRule
	require.NoError(t, yaml.UnmarshalStrict(text, &p))
	require.Equal(t, "monitoring.coreos.com/v1", p.APIVersion)
	require.Equal(t, "PrometheusRule", p.Kind)
	require.Len(t, p.Spec.Groups, 1)
	return p
}

// promtool runs promtool in a directory with the alerts as rules.yaml and their unit
// tests.
func promtool(t *testing.T, args ...string) {
	dir := t.TempDir()
	rules, err := yaml.Marshal(readAlerts(t).Spec)
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), rules, 0o600))
	cmd := exec.Command("promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\nif promtool is missing, run ./install", out)
}

func TestAlertsPassPromtool(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
}

func TestAlertsAreComplete(t *testing.T) {
	for _, r := range readAlerts(t).Spec.Groups[0].Rules {
		t.Run(r.Alert, func(t *testing.T) {
			assert.Regexp(t, "^DynamicPipeline[A-Z]", r.Alert)
			assert.NotEmpty(t, r.For)
			assert.Contains(t, []string{"critical", "warning", "info"}, r.Labels["severity"])
			assert.NotEmpty(t, r.Annotations["summary"])
			assert.NotEmpty(t, r.Annotations["description"])
		})
	}
}

// Each alert has a file of unit tests in which it both fires and is silent at least
// once.
func TestAlertsFire(t *testing.T) {
	var files []string
	for _, r := range readAlerts(t).Spec.Groups[0].Rules {
		name := r.Alert + ".yaml"
		files = append(files, filepath.Join("testdata", name))
		t.Run(r.Alert, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err, "each alert must have unit tests")
			var u unitTests
			require.NoError(t, yaml.Unmarshal(text, &u))
			fires, silent := false, false
			for _, test := range u.Tests {
				for _, e := range test.Expected {
					// To promtool, an alert that does not exist is silent.
					require.Equal(t, r.Alert, e.Alert, test.Name)
					fires = fires || len(e.Firing) > 0
					silent = silent || len(e.Firing) == 0
				}
			}
			require.True(t, fires, "the alert must fire in a test")
			require.True(t, silent, "the alert must be silent in a test")
			promtool(t, "test", "rules", name)
		})
	}
	found, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	slices.Sort(files)
	assert.Equal(t, files, found, "each file must belong to one alert")
}

func TestReadmeNamesTheAlerts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, readme))
	require.NoError(t, err)
	names := []string{"(" + filepath.Base(file) + ")"}
	for _, r := range readAlerts(t).Spec.Groups[0].Rules {
		names = append(names, "`"+r.Alert+"`")
	}
	for _, name := range names {
		assert.True(t, strings.Contains(string(text), name), "%s must have %s", readme, name)
	}
}
