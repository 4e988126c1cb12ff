package bigswitch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/gluecount"
)

// maxGlue is the limit of lines of glue for an adoption.
const maxGlue = 60

func TestGlueIsShort(t *testing.T) {
	side, err := gluecount.Count("side")
	require.NoError(t, err)
	whole, err := gluecount.Count("whole")
	require.NoError(t, err)
	t.Logf("lines of glue: %d from the side, %d whole", side, whole)
	require.LessOrEqual(t, side, maxGlue)
	require.LessOrEqual(t, whole, maxGlue)
	require.Contains(t, readmeText(t), fmt.Sprintf("| glue, counted by a test | %d lines | %d lines |", side, whole))
}
