//go:build race || reduced

package testscale

// Reduced reports whether tests play fewer lives.
const Reduced = true
