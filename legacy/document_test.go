package legacy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/legacy"
)

// TestSumOfStatus: the sum distinguishes absent parts of a status from empty ones,
// and the parts from each other.
func TestSumOfStatus(t *testing.T) {
	for _, tt := range [][2]string{
		{`{}`, `{"pipeline":[]}`},
		{`{}`, `{"pipeline":null}`},
		{`{}`, `{"phase":""}`},
		{`{}`, `{"itinerary":""}`},
		{`{"phase":"A"}`, `{"itinerary":"A"}`},
	} {
		require.NotEqual(t, legacy.Sum([]byte(tt[0])), legacy.Sum([]byte(tt[1])), tt)
	}
}
