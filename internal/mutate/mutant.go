package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mutant is one small fault in one file.
type mutant struct {
	// ID identifies the mutant. It is a hash of the file, of the source of the changed declaration,
	// of the offset in it, and of the change.
	ID string `json:"id"`
	// File is the path from the root of the module, with slashes.
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Operator string `json:"operator"`
	Before   string `json:"before"`
	After    string `json:"after"`

	edit edit
}

// edit replaces the bytes of a file from start to end.
type edit struct {
	start, end int
	text       string
}

// apply returns src with the edit applied.
func (e edit) apply(src []byte) []byte {
	return slices.Concat(src[:e.start], []byte(e.text), src[e.end:])
}

// mutantsOf returns the mutants of the Go file name with the source src, in source order. A
// generated file has none.
func mutantsOf(name string, src []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	var mutants []mutant
	for _, decl := range file.Decls {
		start := fset.Position(decl.Pos()).Offset
		source := string(src[start:fset.Position(decl.End()).Offset])
		f := &finder{fset: fset, src: src}
		ast.Walk(scope{finder: f}, decl)
		for _, found := range f.found {
			pos := fset.Position(found.pos)
			mutants = append(mutants, mutant{
				ID:   identity(name, source, strconv.Itoa(found.edit.start-start), found.operator, found.edit.text),
				File: name, Line: pos.Line, Column: pos.Column, Operator: found.operator,
				Before: oneLine(string(src[found.edit.start:found.edit.end])), After: oneLine(found.edit.text),
				edit: found.edit,
			})
		}
	}
	slices.SortStableFunc(mutants, func(a, b mutant) int { return cmp.Compare(a.edit.start, b.edit.start) })
	return mutants, nil
}

// mutantsIn returns the mutants of the files of a package, except tests. Root is the directory of
// the module and dir that of the package.
func mutantsIn(root, dir string) ([]mutant, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mutants, err := mutantsOf(filepath.ToSlash(rel), src)
		if err != nil {
			return nil, err
		}
		all = append(all, mutants...)
	}
	return all, nil
}

// shuffle sorts mutants in an order that depends only on the seed and on each mutant: adding or
// removing mutants does not change the order of the others.
func shuffle(mutants []mutant, seed int64) {
	rank := make(map[string]string, len(mutants))
	for _, m := range mutants {
		rank[m.ID] = identity(strconv.FormatInt(seed, 10), m.ID)
	}
	slices.SortStableFunc(mutants, func(a, b mutant) int { return cmp.Compare(rank[a.ID], rank[b.ID]) })
}

// identity returns a short hash of texts.
func identity(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// oneLine returns a text on one line, with its white space collapsed, cut to 80 characters.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:79]) + "…"
	}
	return text
}

// packageOf returns the directory of the mutant's package, from the root of the module.
func (m mutant) packageOf() string { return path.Dir(m.File) }
