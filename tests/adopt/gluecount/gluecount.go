package gluecount

import (
	"bytes"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// MaxColumns is the length of the longest line that is accepted. A tab has 4
// columns.
const MaxColumns = 100

const tabWidth = 4

// FileError describes why a file of glue cannot be counted. Line is 0 if the
// problem concerns the whole file.
type FileError struct {
	File    string
	Line    int
	Problem string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Count returns the number of lines of code in the files of a directory that
// are named glue*.go, without tests. Blank lines and comments do not count.
// The error is a [*FileError] if there is no such file, if a file is not
// formatted by gofmt, or if a line is longer than [MaxColumns].
func Count(dir string) (int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "glue*.go"))
	if err != nil {
		return 0, err
	}
	total, counted := 0, 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		n, err := count(file, source)
		if err != nil {
			return 0, err
		}
		total, counted = total+n, counted+1
	}
	if counted == 0 {
		return 0, &FileError{File: filepath.Join(dir, "glue*.go"), Problem: "no such file; put the glue into one"}
	}
	return total, nil
}

// count returns the number of lines of a file that have a token.
func count(file string, source []byte) (int, error) {
	formatted, err := format.Source(source)
	if err != nil {
		return 0, &FileError{File: file, Problem: err.Error()}
	}
	if !bytes.Equal(formatted, source) {
		return 0, &FileError{File: file, Problem: "is not formatted; run gofmt"}
	}
	for i, line := range strings.Split(string(source), "\n") {
		columns := len([]rune(line)) + (tabWidth-1)*strings.Count(line, "\t")
		if columns > MaxColumns {
			problem := fmt.Sprintf("has %d columns, more than %d; break the line", columns, MaxColumns)
			return 0, &FileError{File: file, Line: i + 1, Problem: problem}
		}
	}
	fset := token.NewFileSet()
	f := fset.AddFile(file, -1, len(source))
	var s scanner.Scanner
	s.Init(f, source, nil, 0) // without comments
	lines := map[int]bool{}
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return len(lines), nil
		}
		if tok == token.SEMICOLON && literal == "\n" { // inserted at the end of a line
			continue
		}
		for i := range 1 + strings.Count(literal, "\n") {
			lines[f.Line(pos)+i] = true
		}
	}
}
