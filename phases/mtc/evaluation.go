package mtc

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// evaluation is a truth and, if that is unknown, the reason. An unknown truth
// without a reason may still become known.
//
// Evaluations are combined by three-valued logic: a flag is unknown only if an
// unknown operand could still change it.
type evaluation struct {
	truth phases.Truth
	err   error
}

// of returns the known truth of a flag.
func of(known phases.Facts, flag phases.Flags) evaluation { return evaluation{truth: known.Of(flag)} }

func not(a evaluation) evaluation {
	switch a.truth {
	case phases.False:
		return evaluation{truth: phases.True}
	case phases.True:
		return evaluation{truth: phases.False}
	}
	return a
}

// every is the conjunction of its operands. Of several reasons it keeps the first.
func every(operands ...evaluation) evaluation { return settle(phases.False, operands) }

// some is the disjunction of its operands. Of several reasons it keeps the first.
func some(operands ...evaluation) evaluation { return settle(phases.True, operands) }

// settle returns the decisive truth if an operand has it. Otherwise the result is
// unknown if an operand is unknown, and the opposite of decisive if none is.
func settle(decisive phases.Truth, operands []evaluation) evaluation {
	result := not(evaluation{truth: decisive})
	for _, a := range operands {
		switch a.truth {
		case decisive:
			return evaluation{truth: decisive}
		case phases.Unknown:
			result.truth = phases.Unknown
			if result.err == nil {
				result.err = a.err
			}
		}
	}
	return result
}

// rule evaluates a flag from the objects and from the known flags.
type rule func(known phases.Facts) evaluation

// evaluate is the Evaluate function of a source. Rules never block and need no
// context.
func (r rule) evaluate(_ context.Context, known phases.Facts) (phases.Truth, error) {
	a := r(known)
	return a.truth, a.err
}
