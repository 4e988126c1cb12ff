// Package meter measures a controller of the example: the processor time of
// its reconciles without API calls, the number of its writes, and the memory
// that it holds.
//
// It does not compare figures with limits, which tests/bench does.
package meter
