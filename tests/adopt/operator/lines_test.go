package main

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLines keeps the operator short: less than 200 lines of at most 100
// columns, without blank lines and comments. The types and generated code do not
// count.
func TestLines(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	total := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for i, line := range strings.Split(string(source), "\n") {
			assert.LessOrEqualf(t, len(strings.ReplaceAll(line, "\t", "    ")), 100, "%s:%d is too long", path, i+1)
		}
		n := lines(source)
		t.Logf("%s: %d", path, n)
		total += n
	}
	t.Logf("total: %d", total)
	assert.Less(t, total, 200)
}

// lines returns the number of lines that have code.
func lines(source []byte) int {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	code := map[int]bool{}
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return len(code)
		}
		if kind == token.SEMICOLON && text == "\n" {
			continue // inserted by the scanner
		}
		for i := range 1 + strings.Count(text, "\n") {
			code[file.Line(pos)+i] = true
		}
	}
}
