package contrast_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest/contrast"
)

func TestRatio(t *testing.T) {
	black, white, gray := contrast.Color{}, contrast.Color{255, 255, 255}, contrast.Color{0x76, 0x76, 0x76}
	for _, tt := range []struct {
		name string
		a, b contrast.Color
		want float64
	}{
		{"black on white", black, white, 21},
		{"white on black", white, black, 21},
		{"a color on itself", gray, gray, 1},
		{"the lightest gray that is text on white", gray, white, 4.54},
	} {
		assert.InDelta(t, tt.want, contrast.Ratio(tt.a, tt.b), 0.005, tt.name)
	}
}
