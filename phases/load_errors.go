package phases

import (
	"strconv"
	"strings"
)

// LoadError is a problem at one position in a file.
type LoadError struct {
	// File is the name that Load was given.
	File string
	// Line and Column count from 1, the column in characters. They are 0 if the
	// position is not known.
	Line, Column int
	// Problem describes the problem and what to do, on one line.
	Problem string
	// Err is the cause if it has a type: a [*LimitError], an [*UnknownFlagError], a
	// [*VocabularyError], a [*DefinitionError], a [*SuppressionError], or the error of
	// the reader. It may be nil.
	Err error
}

func (e *LoadError) Error() string {
	place := e.File
	for _, number := range []int{e.Line, e.Column} {
		if number > 0 {
			place += ":" + strconv.Itoa(number)
		}
	}
	return place + ": " + e.Problem
}

// Unwrap returns the cause, or nil.
func (e *LoadError) Unwrap() error { return e.Err }

// LoadErrors are the problems of a file, in the order of its lines. If there are more
// than 20, only the first 20 are kept, and a last entry gives the number of the others.
// errors.As finds the first one as a [*LoadError], or by the type of its cause.
type LoadErrors []*LoadError

func (e LoadErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one.
func (e LoadErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}
