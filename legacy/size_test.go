package legacy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
)

// TestConvertManyEntries upgrades and downgrades so many entries that the full test would
// time out if a conversion were quadratic.
func TestConvertManyEntries(t *testing.T) {
	n := testscale.Of(40_000, 10_000)
	var b strings.Builder
	b.WriteString(`{"phase":"Started","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t","skipped":false}`)
	for i := range n {
		fmt.Fprintf(&b, `,{"name":"S%d"}`, i)
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, `,{"name":"K%d","skipped":true}`, i)
		case 1:
			fmt.Fprintf(&b, `,{"name":"N%d","skipped":false}`, i)
		}
	}
	b.WriteString(`]}`)
	up, err := adapter.Upgrade([]byte(b.String()), nil)
	require.NoError(t, err)
	down, err := adapter.Downgrade(up.Status, up.Remainder)
	require.NoError(t, err)
	require.Empty(t, down.Warnings)
	require.True(t, b.String() == string(down.Status))

	// The migration has progressed and has dropped steps that the remainder has
	// and that can still start.
	on := strings.Replace(string(up.Status), `"Started"`, `"StartRefresh"`, 1)
	on = strings.ReplaceAll(on, `{"name":"N`, `{"name":"M`)
	down, err = adapter.Downgrade([]byte(on), up.Remainder)
	require.NoError(t, err)
	require.Empty(t, down.Warnings)
	require.Equal(t, n/4, strings.Count(string(down.Status), `{"name":"K`))
	require.Equal(t, n/4, strings.Count(string(down.Status), `{"name":"N`))
	require.Equal(t, n/4, strings.Count(string(down.Status), `{"name":"M`))
}

// TestConvertDeepEntry limits the allocations for a field that is nested as deeply as
// encoding/json allows: they must not contain the text once for each level.
func TestConvertDeepEntry(t *testing.T) {
	const depth, payload = 4_500, 1 << 18
	field := strings.Repeat(`{"b":[`, depth) + `"` + strings.Repeat("x", payload) + `"` + strings.Repeat(`],"a":1}`, depth)
	status := []byte(`{"phase":"Started","itinerary":"Stage","pipeline":[{"name":"StageBackup","started":"t","x":` + field + `}]}`)
	const most = 50 // times the text, for both directions; there are 9,000 levels
	require.Less(t, allocated(func() {
		up, err := adapter.Upgrade(status, nil)
		require.NoError(t, err)
		down, err := adapter.Downgrade(up.Status, up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings)
		require.True(t, string(status) == string(down.Status))

		// Comparing a status that has changed is as cheap.
		on := strings.Replace(string(up.Status), `"Started"`, `"StartRefresh"`, 1)
		down, err = adapter.Downgrade([]byte(on), up.Remainder)
		require.NoError(t, err)
		require.Contains(t, string(down.Status[:200]), `"StageBackup"`)
	}), most*len(status))
}
