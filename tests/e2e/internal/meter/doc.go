// Package meter measures a controller of the example: the processor time of
// its reconciles without API calls, the number of its writes, and the memory
// that it holds.
package meter
