package machinetest

import (
	"cmp"
	"fmt"
	"go/format"
	"slices"
	"strings"
)

// Packages that a printed test may need besides those of its setup.
const (
	packageTest   = "github.com/konveyor/dynamic-pipeline/machine/machinetest"
	packageRunner = "github.com/konveyor/dynamic-pipeline/machine/runner"
)

// GoTest returns a Go test file that breaks in the same way. It makes the setup with the expression
// of [Setup.Source] ("setup()" by default) and runs a life with the script of the break. The file
// belongs to package found_test: put it into a directory of its own, or change the package.
func (f Found) GoTest() string {
	imports := append([]string{"testing", packageTest}, f.source.Imports...)
	var script strings.Builder
	for _, line := range f.Script {
		fmt.Fprintf(&script, "\t\t%s,\n", line)
	}
	for name, path := range map[string]string{"time.": "time", "runner.": packageRunner} {
		if strings.Contains(script.String(), name) && !slices.Contains(imports, path) {
			imports = append(imports, path)
		}
	}
	slices.Sort(imports)

	var b strings.Builder
	b.WriteString("package found_test\n\nimport (\n")
	for _, standard := range []bool{true, false} {
		for _, path := range slices.Compact(imports) {
			if first, _, _ := strings.Cut(path, "/"); standard == !strings.Contains(first, ".") {
				fmt.Fprintf(&b, "\t%q\n", path)
			}
		}
		if standard {
			b.WriteByte('\n')
		}
	}
	b.WriteString(")\n\n")
	for i, line := range append([]string{f.Break.String()}, f.path...) {
		if i > 0 {
			line = fmt.Sprintf(" %d. %s", i, line)
		}
		fmt.Fprintf(&b, "// %s\n", strings.ReplaceAll(line, "\n", " "))
	}
	fmt.Fprintf(&b, "func TestFound(t *testing.T) {\n\tsetup := %s\n\tsetup.EachWrite = true\n", cmp.Or(f.source.Expression, "setup()"))
	if f.maxReconciles > 0 {
		fmt.Fprintf(&b, "\tsetup.MaxReconciles = %d\n", f.maxReconciles)
	}
	fmt.Fprintf(&b, "\tlife := machinetest.New(t, setup)\n\tlife.Run(\n%s\t)\n}\n", script.String())
	text, err := format.Source([]byte(b.String()))
	if err != nil { // the caller's expression does not parse
		return b.String()
	}
	return string(text)
}
