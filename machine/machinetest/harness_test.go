package machinetest_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

var update = flag.Bool("update", false, "write the golden files under testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ machinetest.TB = (*testing.T)(nil)

// recorder is a TB that records what a test would report.
type recorder struct{ errors []string }

type failNow struct{}

func (*recorder) Helper()             {}
func (*recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (*recorder) FailNow() { panic(failNow{}) }

// reports returns what f reports to its TB.
func reports(f func(machinetest.TB)) (errors []string) {
	r := &recorder{}
	defer func() {
		if p := recover(); p != nil && p != (failNow{}) {
			panic(p)
		}
		errors = r.errors
	}()
	f(r)
	return nil
}

// wantReports checks that each report contains the substring at its index.
func wantReports(t *testing.T, got []string, want ...string) {
	t.Helper()
	require.Len(t, got, len(want), strings.Join(got, "\n"))
	for i := range want {
		assert.Contains(t, got[i], want[i])
	}
}
