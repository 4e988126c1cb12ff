// Package sim simulates the world around a migration: a clock, a source, a
// target and an inventory. Their answers depend only on a seed and on the
// clock, so two controllers in two worlds of one seed meet the same events.
// All work may be repeated.
//
// It runs in memory, without a cluster.
package sim
