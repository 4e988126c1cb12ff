package phases

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxLoadErrors is the maximum number of problems that are listed.
const maxLoadErrors = 20

// Load reads a file of itineraries, strictly: anything unknown or ill-formed is an
// error. The name stands for the file in messages. The error is a [LoadErrors], which
// lists the first 20 problems and counts the others. Without an error every itinerary of
// the file passes [Itinerary.Validate]. Load reads at most [MaxFileSize] bytes from r,
// and one more to detect that there are more.
func Load(r io.Reader, name string) (*File, error) {
	l := &loader{file: name, refused: make(map[string]bool)}
	f := l.load(r)
	if len(l.errs) == 0 {
		return f, nil
	}
	slices.SortStableFunc(l.errs, func(a, b *LoadError) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	if more := l.found - maxLoadErrors; more > 0 {
		l.errs = append(l.errs[:maxLoadErrors:maxLoadErrors], &LoadError{File: name,
			Problem: fmt.Sprintf("%d more problems are not listed; fix those above first", more)})
	}
	return nil, l.errs
}

// loader is the state of one Load.
type loader struct {
	file  string
	errs  LoadErrors
	found int
	// refused are the names under flags that could not be declared. They have been
	// reported, and are not reported again as unknown.
	refused map[string]bool
	phases  int
}

// add records a problem at a position. err is its cause, or nil.
func (l *loader) add(line, column int, err error, format string, args ...any) {
	l.found++
	// Errors are sorted later, so more are kept than are listed. The bound keeps a file
	// full of problems from taking the memory of thousands of errors.
	if l.found <= 50*maxLoadErrors {
		l.errs = append(l.errs, &LoadError{File: l.file, Line: line, Column: column, Problem: fmt.Sprintf(format, args...), Err: err})
	}
}

// at records a problem at a node.
func (l *loader) at(n *yaml.Node, format string, args ...any) {
	l.add(n.Line, n.Column, nil, format, args...)
}

// load reads the text, then the flags, then the itineraries.
func (l *loader) load(r io.Reader) *File {
	text, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		l.add(0, 0, err, "cannot be read: %v", err)
		return nil
	}
	if len(text) > MaxFileSize {
		limit := &LimitError{What: "bytes", Limit: MaxFileSize}
		l.add(0, 0, limit, "is too large: %v", limit)
		return nil
	}
	root := l.parse(text)
	if root == nil {
		return nil
	}
	top := l.mapping(root, "a file", "flags", "relations", "itineraries", "suppress")
	if top == nil {
		return nil
	}
	f := &File{Vocabulary: l.vocabulary(top)}
	l.itineraries(root, top, f)
	f.Suppressions = l.suppressions(top)
	return f
}
