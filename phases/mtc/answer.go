package mtc

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// answer is a truth with the reason why it is unknown. Unknown without a
// reason is a flag that may still become known.
//
// Answers are combined by three-valued logic, so that a flag is unknown only
// if something unknown could still turn it.
type answer struct {
	truth phases.Truth
	err   error
}

// of is what is known of a flag.
func of(known phases.Facts, flag phases.Flags) answer { return answer{truth: known.Of(flag)} }

func not(a answer) answer {
	switch a.truth {
	case phases.No:
		return answer{truth: phases.Yes}
	case phases.Yes:
		return answer{truth: phases.No}
	}
	return a
}

// every is no if one answer is no, and yes if all are yes. Of several
// reasons the first is kept.
func every(answers ...answer) answer { return settle(phases.No, answers) }

// some is yes if one answer is yes, and no if all are no.
func some(answers ...answer) answer { return settle(phases.Yes, answers) }

// settle is the decisive truth if one answer has it; otherwise it is unknown if
// one of them is, and the opposite if none is.
func settle(decisive phases.Truth, answers []answer) answer {
	result := not(answer{truth: decisive})
	for _, a := range answers {
		switch a.truth {
		case decisive:
			return answer{truth: decisive}
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
type rule func(known phases.Facts) answer

// ask gives a rule the form that a source has. Rules never wait for anything,
// so that they need no context.
func (r rule) ask(_ context.Context, known phases.Facts) (phases.Truth, error) {
	a := r(known)
	return a.truth, a.err
}
