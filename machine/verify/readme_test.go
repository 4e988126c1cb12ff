package verify_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
)

const (
	rulesBegin = "<!-- The table is made from the catalogue of rules by go test ./machine/verify -update. -->\n"
	rulesEnd   = "<!-- The end of the table. -->\n"
)

// The names and sentences of rules are a contract: suppressions and reports refer to
// the names.
func TestRulesMatchTheREADME(t *testing.T) {
	var table strings.Builder
	table.WriteString("| rule | severity | finds something if |\n| --- | --- | --- |\n")
	for _, r := range verify.Rules() {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", r.Name, r.Severity, r.Definition)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(readme), rulesBegin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, rulesEnd)
	require.True(t, ok)
	goldentest.Compare(t, "README.md", before+rulesBegin+table.String()+rulesEnd+after)
}

// Names never change.
func TestRuleNamesAreFrozen(t *testing.T) {
	var names strings.Builder
	for _, r := range verify.Rules() {
		fmt.Fprintln(&names, r.Name, r.Severity)
	}
	goldentest.Compare(t, "testdata/rules.golden", names.String())
}
