package legacy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// TestItenerary: a status with MTC 1.2's spelling of the key is converted like one
// with the present spelling, in every phase and former name of every itinerary,
// and the key stays.
func TestItenerary(t *testing.T) {
	set := legacytest.Itineraries(mtc.DataNames)
	for _, itinerary := range set.Names() {
		g, err := set.Graph(itinerary)
		require.NoError(t, err)
		names := []string{"", "Lost"}
		for i := range g.Len() {
			names = append(append(names, g.Phase(i).Name), g.Phase(i).Formerly...)
		}
		for _, phase := range names {
			full := `,"pipeline":[{"name":"StageBackup","started":"t","phase":"` + phase + `"},{"name":"Restore","skipped":true}]`
			for _, pipeline := range []string{``, full} {
				today := `{"itinerary":"` + itinerary + `","phase":"` + phase + `"` + pipeline + `}`
				want, err := adapter.Upgrade([]byte(today), selected(itinerary, mtc.HasPVs))
				require.NoError(t, err)
				for _, present := range []string{`"itenerary":`, `"itinerary":"","itenerary":`, `"itinerary":null,"\u0069tenerary":`} {
					spelled := strings.NewReplacer(`"itinerary":`, present)
					status := spelled.Replace(today)
					up, err := adapter.Upgrade([]byte(status), selected(itinerary, mtc.HasPVs))
					require.NoError(t, err)
					require.Equal(t, len(want.Warnings), len(up.Warnings))
					require.Equal(t, spelled.Replace(string(want.Status)), string(up.Status))
					require.Equal(t, string(want.Remainder), string(up.Remainder))

					if up.Remainder == nil {
						continue
					}
					down, err := adapter.Downgrade(up.Status, up.Remainder)
					require.NoError(t, err)
					require.Empty(t, down.Warnings)
					require.Equal(t, status, string(down.Status))

					// The key is also found if an entry has changed.
					on := strings.NewReplacer(`"started"`, `"x":1,"started"`)
					was, err := adapter.Downgrade([]byte(on.Replace(string(want.Status))), want.Remainder)
					require.NoError(t, err)
					down, err = adapter.Downgrade([]byte(on.Replace(string(up.Status))), up.Remainder)
					require.NoError(t, err)
					require.Equal(t, was.Warnings, down.Warnings)
					require.Equal(t, spelled.Replace(string(was.Status)), string(down.Status))
				}
			}
		}
	}
}

// TestIteneraryBesideItinerary: the present spelling takes precedence if it is set.
func TestIteneraryBesideItinerary(t *testing.T) {
	for _, tt := range []struct{ name, status, want string }{
		{
			"both", `{"itenerary":"Stage","itinerary":"Final","phase":"CreateDirectVolumeMigration"}`,
			`{"itenerary":"Stage","itinerary":"Final","phase":"CreateDirectVolumeMigrationFinal"}`,
		},
		{"null", `{"itenerary":null,"phase":""}`, `{"itenerary":null,"phase":""}`},
		{"an absent phase goes in front", `{"itenerary":"Stage","errors":[]}`, `{"phase":"Created","itenerary":"Stage","errors":[]}`},
		{"the ignored one may be anything", `{"itinerary":"Final","itenerary":7,"itenerary":8}`, `{"phase":"Created","itinerary":"Final","itenerary":7,"itenerary":8}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up, err := adapter.Upgrade([]byte(tt.status), nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(up.Status))
			down, err := adapter.Downgrade(up.Status, up.Remainder)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Equal(t, tt.status, string(down.Status))
		})
	}
	for _, tt := range []struct{ status, want string }{
		{`{"itenerary":7}`, "status.itenerary is not a string"},
		{`{"itinerary":"","itenerary":"Stage","itenerary":"Final"}`, "status.itenerary is there twice; remove one"},
	} {
		_, err := adapter.Upgrade([]byte(tt.status), nil)
		require.EqualError(t, err, tt.want)
	}
}
