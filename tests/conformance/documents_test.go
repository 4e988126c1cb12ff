package conformance

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of this file check the Markdown documents: their Go and YAML are quoted
// from files that are compiled and tested, their commands print the shown output, and
// their links have targets.

const root = "../.."

// document is a Markdown file of the repository; its path is relative to the root.
type document struct{ path, text string }

func (d document) dir() string { return filepath.Join(root, filepath.Dir(d.path)) }

// documents returns all documents below the root. A folder named testdata holds
// none.
func documents(t *testing.T) []document {
	t.Helper()
	var list []document
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		list = append(list, document{relative, string(text)})
		return err
	}))
	for _, needed := range []string{
		"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
		"phases/README.md", "machine/controller/README.md", "machine/command/README.md", "machine/debug/README.md",
		"machine/machinetest/README.md", "machine/verify/README.md", "legacy/README.md",
		"tests/bench/README.md", "tests/e2e/README.md", "tests/adopt/README.md",
	} {
		require.True(t, slices.ContainsFunc(list, func(d document) bool { return d.path == needed }), "there is no %s", needed)
	}
	return list
}

// blockPattern matches a block of code with the file that it quotes, if any, its
// language and its text.
var blockPattern = regexp.MustCompile("(?ms)(?:^<!-- (\\S+) -->\\n)?^```(\\w+)\\n(.*?)^```$")

func TestREADMEQuotesFiles(t *testing.T) {
	quoted := 0
	for _, d := range documents(t) {
		for _, b := range blockPattern.FindAllStringSubmatch(d.text, -1) {
			file, language, text := b[1], b[2], b[3]
			if file == "" {
				assert.NotContains(t, []string{"go", "yaml"}, language,
					"%s: put the file that this block quotes above it, as <!-- path -->:\n%s", d.path, text)
				continue
			}
			quoted++
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			require.NoError(t, err, d.path)
			for _, part := range strings.Split(text, "\n\n") {
				assert.True(t, strings.Contains(string(data), strings.TrimSpace(part)), "%s: %s does not have:\n%s", d.path, file, part)
			}
		}
	}
	require.Greater(t, quoted, 10)
}

func TestREADMECommandsPrintWhatItShows(t *testing.T) {
	binary := build(t)
	ran := 0
	for _, d := range documents(t) {
		for _, b := range blockPattern.FindAllStringSubmatch(d.text, -1) {
			if b[2] != "console" {
				continue
			}
			for _, session := range strings.Split("\n"+b[3], "\n$ ")[1:] {
				command, want, _ := strings.Cut(session, "\n")
				args, ok := strings.CutPrefix(command, "go run . ")
				if !ok {
					continue
				}
				ran++
				t.Run(d.path+": "+command, func(t *testing.T) { checkCommand(t, binary, args, strings.TrimRight(want, "\n")) })
			}
		}
	}
	require.Greater(t, ran, 10)
}

// checkCommand runs the command with args at the root of the repository. If want is
// empty, the command must succeed; otherwise it must print want. In want, a line of
// three dots stands for any lines.
func checkCommand(t *testing.T, binary, args, want string) {
	t.Helper()
	cmd := exec.Command("bash", "-c", `"$0" `+args, binary)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	if want == "" {
		require.NoError(t, err, "%s", out)
		return
	}
	var pattern []string
	for _, part := range strings.Split("\n"+want+"\n", "\n...\n") {
		pattern = append(pattern, regexp.QuoteMeta(part))
	}
	assert.Regexp(t, "(?s)^"+strings.Join(pattern, "\n.*")+"$", "\n"+strings.TrimRight(string(out), "\n")+"\n")
}

var (
	linkPattern    = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInAnchor    = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	testName       = regexp.MustCompile(`^(Test|Fuzz|Example)\w*$`)
)

// anchors returns the anchors of the headings of a document, as GitHub makes them.
func anchors(text string) []string {
	var list []string
	for _, h := range headingPattern.FindAllStringSubmatch(text, -1) {
		plain := linkPattern.ReplaceAllString(h[1], "$1")
		list = append(list, strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(plain), ""), " ", "-"))
	}
	return list
}

// A link whose text is the name of a test leads to the file that has the test.
func TestREADMELinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, d := range documents(t) {
		for _, l := range linkPattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(d.text, ""), -1) {
			text, target := strings.Trim(l[1], "`"), l[2]
			if strings.Contains(target, "://") {
				continue
			}
			links++
			path, anchor, _ := strings.Cut(target, "#")
			file := filepath.Join(root, d.path)
			if path != "" {
				file = filepath.Join(d.dir(), filepath.FromSlash(path))
			}
			info, err := os.Stat(file)
			if !assert.NoError(t, err, "%s: %s", d.path, target) || info.IsDir() {
				continue
			}
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			if anchor != "" && strings.HasSuffix(file, ".md") {
				assert.Contains(t, anchors(string(data)), anchor, "%s: %s", d.path, target)
			}
			if testName.MatchString(text) {
				assert.Contains(t, string(data), "func "+text+"(", "%s: %s has no such test", d.path, target)
			}
		}
	}
	require.Greater(t, links, 50)
}

func TestREADMEIsShort(t *testing.T) {
	for _, d := range documents(t) {
		if d.path != "README.md" {
			continue
		}
		assert.LessOrEqual(t, strings.Count(d.text, "\n"), 250)
		for _, b := range blockPattern.FindAllStringSubmatch(d.text, -1) {
			if b[2] == "go" {
				assert.Less(t, strings.Count(b[3], "\n"), 25, b[3])
			}
		}
		table := d.text[strings.Index(d.text, "| promise |"):]
		table, _, _ = strings.Cut(table, "\n\n")
		rows := strings.Split(table, "\n")[2:]
		require.NotEmpty(t, rows)
		for _, row := range rows {
			links := linkPattern.FindAllStringSubmatch(row, -1)
			namesTest := slices.ContainsFunc(links, func(l []string) bool {
				return testName.MatchString(strings.Trim(l[1], "`"))
			})
			assert.True(t, namesTest, "name the test that proves it: %s", row)
		}
	}
}

var (
	picture = regexp.MustCompile(`<img [^>]*src="([^"]+\.svg)"[^>]*alt="[^"]+"`)
	draws   = regexp.MustCompile("`go run \\. (graph [^`]* -o svg)`")
)

func TestREADMEPictureIsWhatItsCommandDraws(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	shown, command := picture.FindSubmatch(data), draws.FindSubmatch(data)
	require.NotNil(t, shown, "the README shows a picture")
	require.NotNil(t, command, "the README has the command that draws it")
	want, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(string(shown[1]))))
	require.NoError(t, err)
	cmd := exec.Command("bash", "-c", `"$0" `+string(command[1]), build(t))
	cmd.Dir = root
	got, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

var (
	targetPattern = regexp.MustCompile("`make ([a-z0-9-]+)`")
	rowPattern    = regexp.MustCompile("(?m)^\\| `make ([a-z0-9-]+)` ")
	ciPattern     = regexp.MustCompile(`(?m)^\s*make (.*)$`)
)

// The targets that .ci/run makes are those of the first table under Checks in CONTRIBUTING.md. Each
// target that the document names is in the Makefile.
func TestCONTRIBUTINGNamesTheChecks(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		return string(data)
	}
	contributing, makefile := read("CONTRIBUTING.md"), read("Makefile")
	for _, m := range targetPattern.FindAllStringSubmatch(contributing, -1) {
		assert.Regexp(t, `(?m)^`+m[1]+`:|^[a-z -]*\b`+m[1]+`\b[a-z -]*:`, makefile, "CONTRIBUTING.md names make %s", m[1])
	}
	_, checks, found := strings.Cut(contributing, "\n## Checks\n")
	require.True(t, found)
	checks, _, found = strings.Cut(checks, "`.ci/run` does not run these")
	require.True(t, found)
	var listed, made []string
	for _, m := range rowPattern.FindAllStringSubmatch(checks, -1) {
		listed = append(listed, m[1])
	}
	for _, m := range ciPattern.FindAllStringSubmatch(read(filepath.Join(".ci", "run")), -1) {
		for _, word := range strings.Fields(m[1]) {
			if regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(word) {
				made = append(made, word)
			}
		}
	}
	assert.ElementsMatch(t, listed, made, "the targets in the table and in .ci/run")
	require.Greater(t, len(made), 5)
}

// Each package has a package comment in doc.go and at least two examples that run.
func TestPackagesHaveIntroductions(t *testing.T) {
	introduced := 0
	for _, dir := range packageDirs(t, root) {
		if exportedOf(t, root, dir) == "" {
			continue
		}
		introduced++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(root, dir, "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
		if assert.NoError(t, err) {
			assert.NotNil(t, file.Doc, "%s/doc.go has no package comment", dir)
		}
		names, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
		require.NoError(t, err)
		var tests []*ast.File
		for _, name := range names {
			file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
			require.NoError(t, err)
			tests = append(tests, file)
		}
		run := 0
		for _, example := range doc.Examples(tests...) {
			if example.Output != "" {
				run++
			}
		}
		assert.GreaterOrEqual(t, run, 2, "%s has %d examples that run", dir, run)
	}
	require.Greater(t, introduced, 10)
}
