package conformance

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
)

// Each recorded status is upgraded, downgraded, upgraded again and run to the end of
// its migration; see internal/legacytest for the checks.
func TestLegacy(t *testing.T) {
	files := []string{"testdata/legacy-2021.jsonl", "testdata/legacy-2025.jsonl"}
	if *legacyFile != "" {
		files = []string{*legacyFile}
	}
	for _, file := range files {
		for i, line := range rawLines(t, file) {
			t.Run(fmt.Sprintf("%s line %d", filepath.Base(file), i+1), func(t *testing.T) {
				t.Parallel()
				require.NoError(t, legacytest.Check(line))
			})
		}
	}
}
