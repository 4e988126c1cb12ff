package conformance

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// BenchmarkExhaustiveCheck compares plan and run for every assignment of the five
// itineraries.
func BenchmarkExhaustiveCheck(b *testing.B) {
	for b.Loop() {
		for _, name := range itineraries.Names() {
			g := graph(b, name)
			subsets(g.Reads(), func(yes phases.Flags) {
				if err := planIsRun(g, phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
