package mtc_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var freeze = flag.Bool("freeze", false, "write the present catalogue as that of the last release: when a release has been made")

func TestMigrationsOfTheLastReleaseResume(t *testing.T) {
	present, err := verify.ReleaseOf("mtc@current", machine.MustCompileSet(mtc.Itineraries()...))
	require.NoError(t, err)
	verify.Frozen(t, present, "testdata/last-release.yaml", verify.FrozenOptions{Update: *freeze})
}
