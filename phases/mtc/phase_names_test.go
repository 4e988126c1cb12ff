package mtc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestPhaseConstantsAreThoseOfTheItineraries(t *testing.T) {
	phase := map[string]string{}
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			phase["Phase"+p.Name] = p.Name
		}
	}

	file, err := parser.ParseFile(token.NewFileSet(), "phase_names.go", nil, 0)
	require.NoError(t, err)
	constant := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constant[spec.Names[0].Name] = value
		}
		return true
	})
	assert.Equal(t, phase, constant)
}
