package mtc

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// evaluation is a truth with the reason why it is unknown. Unknown without a
// reason is a flag that may still become known.
//
// Evaluations are combined by three-valued logic, so that a flag is unknown only
// if something unknown could still turn it.
type evaluation struct {
	truth phases.Truth
	err   error
}

// of is what is known of a flag.
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

// every is no if one answer is no, and yes if all are yes. Of several
// reasons the first is kept.
func every(answers ...evaluation) evaluation { return settle(phases.False, answers) }

// some is yes if one answer is yes, and no if all are no.
func some(answers ...evaluation) evaluation { return settle(phases.True, answers) }

// settle is the decisive truth if one answer has it; otherwise it is unknown if
// one of them is, and the opposite if none is.
func settle(decisive phases.Truth, answers []evaluation) evaluation {
	result := not(evaluation{truth: decisive})
	for _, a := range answers {
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

// rule finds a flag in the objects and in what is known of other flags.
type rule func(known phases.Facts) evaluation

// evaluate gives a rule the form that a source has. Rules never wait for anything,
// so that they need no context.
func (r rule) evaluate(_ context.Context, known phases.Facts) (phases.Truth, error) {
	a := r(known)
	return a.truth, a.err
}
