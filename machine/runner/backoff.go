package runner

import (
	"fmt"
	"math"
	"time"
)

// Backoff is an exponential backoff: Initial after the first error, then Factor times
// as long after each further error, at most Max.
type Backoff struct {
	// Initial and Max must not be negative. If Initial is zero, the backoff is not set,
	// and Max and Factor must be zero too. Zero Max means a day, or Initial if that is
	// longer.
	Initial, Max time.Duration
	// Factor is at least 1; zero means 2.
	Factor float64
}

// defaultBackoff is the backoff of options that set none.
var defaultBackoff = Backoff{Initial: time.Second, Max: 5 * time.Minute}

const day = 24 * time.Hour

// check returns the problem of the backoff; empty if it has none.
func (b Backoff) check() string {
	switch {
	case b.Initial < 0:
		return fmt.Sprintf("Initial is %s; it must not be negative", b.Initial)
	case b.Max < 0:
		return fmt.Sprintf("Max is %s; it must not be negative", b.Max)
	case b.Factor != 0 && (!(b.Factor >= 1) || math.IsInf(b.Factor, 0)):
		return fmt.Sprintf("Factor is %v; it must be at least 1 and finite", b.Factor)
	case b.Initial == 0 && (b.Max != 0 || b.Factor != 0):
		return "Max or Factor is set without Initial; set Initial"
	case b.Initial > b.max():
		return fmt.Sprintf("Initial is %s, which is above Max, %s", b.Initial, b.max())
	}
	return ""
}

func (b Backoff) max() time.Duration {
	if b.Max == 0 {
		return max(day, b.Initial)
	}
	return b.Max
}

// after returns the delay after the given attempt, counted from 1, in constant time.
func (b Backoff) after(attempt int64) time.Duration {
	factor := b.Factor
	if factor == 0 {
		factor = 2
	}
	d := float64(b.Initial) * math.Pow(factor, float64(attempt-1))
	if limit := b.max(); !(d < float64(limit)) { // also if d is NaN
		return limit
	}
	return time.Duration(d)
}
