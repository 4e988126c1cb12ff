package contrast

import "math"

// Color is red, green and blue, each from 0 to 255.
type Color [3]float64

// Ratio returns the contrast of two colors as WCAG defines it: from 1 for equal colors to 21 for
// black and white. Text needs 4.5, a shape 3.
func Ratio(a, b Color) float64 {
	x, y := a.luminance()+0.05, b.luminance()+0.05
	return max(x, y) / min(x, y)
}

func (c Color) luminance() float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
