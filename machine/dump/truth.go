package dump

import (
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Three-valued logic over phases.Truth (Kleene): what depends on an unknown operand is
// unknown.

func and(a, b phases.Truth) phases.Truth {
	switch {
	case a == phases.False || b == phases.False:
		return phases.False
	case a == phases.True && b == phases.True:
		return phases.True
	}
	return phases.Unknown
}

func not(t phases.Truth) phases.Truth {
	switch t {
	case phases.True:
		return phases.False
	case phases.False:
		return phases.True
	}
	return phases.Unknown
}

func or(a, b phases.Truth) phases.Truth { return not(and(not(a), not(b))) }
