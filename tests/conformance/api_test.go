package conformance

import (
	"bytes"
	"cmp"
	"flag"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of TestExportedAPI")

const (
	apiModule = "github.com/konveyor/dynamic-pipeline"
	apiUpdate = "go test ./tests/conformance -run TestExportedAPI -update"
)

// TestExportedAPI compares the exported declarations of each package, in the root module and
// the nested modules, with a golden file. Reviewers therefore see each change of an
// exported name or signature. To write the files:
//
//	go test ./tests/conformance -run TestExportedAPI -update
func TestExportedAPI(t *testing.T) {
	root := filepath.Join("..", "..")
	golden := filepath.Join("testdata", "api")
	got := make(map[string]string)
	for _, dir := range packageDirs(t, root) {
		if text := exportedOf(t, root, dir); text != "" {
			got[dir+".txt"] = text
		}
	}
	require.NotEmpty(t, got)
	if *update {
		require.NoError(t, os.RemoveAll(golden))
		for name, text := range got {
			file := filepath.Join(golden, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
	}
	want := make(map[string]string)
	require.NoError(t, filepath.WalkDir(golden, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(golden, file)
		require.NoError(t, err)
		text, err := os.ReadFile(file)
		want[name] = string(text)
		return err
	}))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if diff := gocmp.Diff(strings.Split(want[name], "\n"), strings.Split(got[name], "\n")); diff != "" {
			t.Errorf("%s: -want +got\n%s\nif the change is deliberate: %s", name, diff, apiUpdate)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] == "" {
			t.Errorf("%s has no package; if it was removed deliberately: %s", name, apiUpdate)
		}
	}
}

// packageDirs returns the directories below root, relative to it, that other modules
// can import.
func packageDirs(t *testing.T, root string) (dirs []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == root {
			return err
		}
		name := entry.Name()
		private := []string{"internal", "tests", "testdata", "vendor"}
		if slices.Contains(private, name) || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return fs.SkipDir
		}
		dir, err := filepath.Rel(root, path)
		dirs = append(dirs, dir)
		return err
	}))
	return dirs
}

// exportedOf returns the exported declarations of the package in a directory. The
// result is empty if there is no package, or only a command.
func exportedOf(t *testing.T, root, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		if file.Name.Name != "main" {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return ""
	}
	return exported(t, fset, files, apiModule+"/"+filepath.ToSlash(dir))
}

// exported returns the exported declarations of a package without comments and
// bodies: constants, variables, functions, then types with their methods, each
// sorted by name.
func exported(t *testing.T, fset *token.FileSet, files []*ast.File, path string) string {
	t.Helper()
	pkg, err := doc.NewFromFiles(fset, files, path)
	require.NoError(t, err)
	const consts, vars, funcs, types = "1", "2", "3", "4 "
	l := listing{t: t, fset: fset}
	l.values(consts, pkg.Consts)
	l.values(vars, pkg.Vars)
	l.funcs(funcs, pkg.Funcs)
	for _, typ := range pkg.Types {
		// go/doc groups values and constructors of a type with the type.
		l.values(consts, typ.Consts)
		l.values(vars, typ.Vars)
		l.funcs(funcs, typ.Funcs)
		l.add(types+typ.Name, "", typ.Decl)
		l.funcs(types+typ.Name, typ.Methods)
	}
	slices.SortFunc(l.all, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.section, b.section), cmp.Compare(a.name, b.name))
	})
	text := "package " + pkg.Name + " // import \"" + path + "\"\n"
	section := ""
	for _, one := range l.all {
		if one.section != section {
			text += "\n"
			section = one.section
		}
		text += one.text
	}
	return text
}

type listing struct {
	t    *testing.T
	fset *token.FileSet
	all  []listed
}

// listed is the text of a declaration with its sort keys.
type listed struct{ section, name, text string }

// values adds constants or variables one by one. A group of constants that repeats
// an expression, as with iota, stays together.
func (l *listing) values(section string, values []*doc.Value) {
	for _, value := range values {
		repeats := func(s ast.Spec) bool { return len(s.(*ast.ValueSpec).Values) == 0 }
		if value.Decl.Tok == token.CONST && slices.ContainsFunc(value.Decl.Specs, repeats) {
			l.add(section, value.Names[0], value.Decl)
			continue
		}
		for _, spec := range value.Decl.Specs {
			l.add(section, spec.(*ast.ValueSpec).Names[0].Name, &ast.GenDecl{Tok: value.Decl.Tok, Specs: []ast.Spec{spec}})
		}
	}
}

func (l *listing) funcs(section string, funcs []*doc.Func) {
	for _, f := range funcs {
		if f.Decl.Recv != nil {
			f.Decl.Recv.List[0].Names = nil // the name of a receiver is not exported
		}
		l.add(section, f.Name, f.Decl)
	}
}

var blankLines = regexp.MustCompile(`\n\s*\n+`)

// add adds a declaration. It removes comments, and the blank lines that remain, so
// the text depends only on the declaration itself.
func (l *listing) add(section, name string, decl ast.Decl) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.FuncDecl:
			n.Doc = nil
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
	var b bytes.Buffer
	require.NoError(l.t, (&printer.Config{Mode: printer.RawFormat}).Fprint(&b, l.fset, decl))
	text, err := format.Source(blankLines.ReplaceAll(b.Bytes(), []byte("\n")))
	require.NoError(l.t, err, "%s", &b)
	l.all = append(l.all, listed{section, name, string(text) + "\n"})
}

// colorSource is a package with every kind of declaration, and colorAPI its listing.
const (
	colorSource = `
// Package color is an example.
package color

import "io"

// Color is a color.
type Color int

// All colors.
const (
	Red Color = iota // the first
	Green
	hidden
)

const (
	Most = 1 << 20 // the most
	least = 1
	Default = "red"
)

// ErrNone is an error.
var ErrNone = io.EOF

var table = map[string]Color{}

func (c Color) String() string { return "" }
func (c *Color) set(int) {}
func Parse(text string, options ...func(*Brush)) (Color, error) { return 0, nil }

// Brush paints.
type Brush struct {
	base
	// Color has a comment.
	Color Color ` + "`json:\"color\"`" + `

	// Width has another one.
	Width int // in pixels
	tip   int
}

type base struct{}

func (base) Wash() {}

type Painter interface {
	// Paint paints.
	Paint(w io.Writer) error
	sealed()
}

type Pair[K comparable, V any] struct{ Key K; Value V }

type Alias = Brush
`
	colorAPI = "package color // import \"example.com/color\"\n" + `
const Default = "red"
const Most = 1 << 20
const (
	Red Color = iota
	Green
)

var ErrNone = io.EOF

func Parse(text string, options ...func(*Brush)) (Color, error)

type Alias = Brush

type Brush struct {
	Color Color ` + "`json:\"color\"`" + `
	Width int
	// contains filtered or unexported fields
}
func (Brush) Wash()

type Color int
func (Color) String() string

type Painter interface {
	Paint(w io.Writer) error
	// contains filtered or unexported methods
}

type Pair[K comparable, V any] struct {
	Key   K
	Value V
}
`
)

func TestListingOfExportedAPI(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "color.go", colorSource, 0)
	require.NoError(t, err)
	assert.Empty(t, gocmp.Diff(colorAPI, exported(t, fset, []*ast.File{file}, "example.com/color")), "-want +got")
}
