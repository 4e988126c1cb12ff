// Package meter measures a controller of the example: what its reconciles take on a
// processor without their API calls, how often it writes, and the memory that it
// holds.
package meter
