package versions

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/konveyor/dynamic-pipeline/tests/versions/release"
)

// pair is a release of Kubernetes with a matching release of controller-runtime.
type pair struct{ kubernetes, runtime string }

// pinned returns the pair that a go.mod requires.
func pinned(t *testing.T, path string) (p pair) {
	t.Helper()
	required := requires(release.GoMod(t, path))
	p = pair{required["k8s.io/api"], required["sigs.k8s.io/controller-runtime"]}
	require.NotEmpty(t, p.kubernetes, "%s does not require k8s.io/api; add it", path)
	require.NotEmpty(t, p.runtime, "%s does not require sigs.k8s.io/controller-runtime; add it", path)
	return p
}

// requires returns the versions that a go.mod requires, by path. The key of the Go
// version is "go".
func requires(mod *modfile.File) map[string]string {
	required := map[string]string{"go": mod.Go.Version}
	for _, r := range mod.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	return required
}

func TestEmbeddersKeepTheirVersions(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	proxy, version := release.Make(t, root)
	packages, command := libraries(t, root, proxy)
	dependent := importers(t, root, proxy)
	oldest := "go" + release.GoMod(t, filepath.Join(root, "go.mod")).Go.Version
	for _, tt := range []struct {
		name      string
		toolchain string // GOTOOLCHAIN; empty: that of the test
		pair      pair
	}{
		{"the oldest, as in mig-controller", oldest, pinned(t, filepath.Join(root, "machine/controller/go.mod"))},
		{"as in forklift", "", pair{"v0.32.5", "v0.20.4"}},
		{"the newest", "", pinned(t, filepath.Join(root, "tests/e2e/go.mod"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.toolchain != "" {
				t.Setenv("GOTOOLCHAIN", tt.toolchain)
			}
			e := embedder{t, t.TempDir(), proxy}
			e.before(tt.pair)
			t.Logf("%s, Kubernetes %s, controller-runtime %s",
				strings.TrimSpace(e.run("env", "GOVERSION")), tt.pair.kubernetes, tt.pair.runtime)
			before := e.requires()

			e.write("root.go", imports(packages...))
			e.edit("-require=" + release.Root + "@" + version)
			e.run("mod", "tidy")
			staysWithin(t, "the root alone", before, e.requires(), 4)

			e.write("controller.go", imports(release.Controller))
			e.edit("-require=" + release.Controller + "@" + version)
			e.run("mod", "tidy")
			staysWithin(t, "both modules", before, e.requires(), 6)

			e.write("command.go", imports(command))
			e.run("mod", "tidy")
			staysWithin(t, "both modules and its own command", before, e.requires(), 8)

			e.copy("../e2e/testdata/embedder/main.go.txt", "whole/main.go")
			e.run("build", "-o", os.DevNull, "./...")

			e.edit("-replace="+release.Root+"="+root,
				"-replace="+release.Controller+"="+filepath.Join(root, "machine/controller"))
			// Building the tests adds the requirements that only tests have.
			// TestVersion expects the version of a checkout, not that of a requirement, and
			// TestSweepFindsPlantedMistakes builds a program with the requirements of
			// machine/controller.
			e.run(append([]string{"test", "-tags", "reduced", "-mod=mod", "-timeout", "30m", "-skip", "^(TestVersion|TestSweepFindsPlantedMistakes)$",
				release.Controller + "/..."}, dependent...)...)
		})
	}
}

// embedder is a module outside the repository.
type embedder struct {
	t          *testing.T
	dir, proxy string
}

// before writes a controller that does not use this project yet.
func (e embedder) before(p pair) {
	e.t.Helper()
	e.copy("testdata/before.go.txt", "main.go")
	e.write("go.mod", fmt.Sprintf(`module example.org/embedder

go 1.24.0

require (
	k8s.io/api %[1]s
	k8s.io/apimachinery %[1]s
	k8s.io/client-go %[1]s
	sigs.k8s.io/controller-runtime %[2]s
)
`, p.kubernetes, p.runtime))
	e.run("mod", "tidy")
	is := pinned(e.t, filepath.Join(e.dir, "go.mod"))
	require.Equal(e.t, p, is, "these releases do not match; correct the pair")
}

func (e embedder) requires() map[string]string {
	e.t.Helper()
	return requires(release.GoMod(e.t, filepath.Join(e.dir, "go.mod")))
}

func (e embedder) run(arguments ...string) string {
	e.t.Helper()
	return release.Go(e.t, e.dir, e.proxy, arguments...)
}

func (e embedder) edit(flags ...string) {
	e.t.Helper()
	e.run(append([]string{"mod", "edit"}, flags...)...)
}

func (e embedder) write(name, content string) {
	e.t.Helper()
	path := filepath.Join(e.dir, name)
	require.NoError(e.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(e.t, os.WriteFile(path, []byte(content), 0o644))
}

func (e embedder) copy(from, to string) {
	e.t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(e.t, err)
	e.write(to, string(b))
}

// libraries returns all packages of the root that an embedder can import, and
// separately the one that depends on Cobra.
func libraries(t *testing.T, root, proxy string) (paths []string, command string) {
	t.Helper()
	all := release.Go(t, root, proxy, "list", "-f", `{{if and .GoFiles (ne .Name "main")}}{{.ImportPath}}{{end}}`, "./...")
	for _, path := range strings.Fields(all) {
		if !strings.Contains(path, "/internal/") && !strings.Contains(path, "/tests/") {
			paths = append(paths, path)
		}
	}
	require.Contains(t, paths, release.Root+"/machine/runner")
	command = release.Root + "/machine/command"
	require.Contains(t, paths, command)
	return slices.DeleteFunc(paths, func(path string) bool { return path == command }), command
}

// importers returns the packages of the root that import Kubernetes themselves, or whose
// tests do. The tests of the others depend on no version of it.
func importers(t *testing.T, root, proxy string) (paths []string) {
	t.Helper()
	all := release.Go(t, root, proxy, "list", "-f",
		`{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	for line := range strings.Lines(all) {
		names := strings.Fields(line)
		if slices.ContainsFunc(names[1:], func(name string) bool {
			return strings.HasPrefix(name, "k8s.io/") || strings.HasPrefix(name, "sigs.k8s.io/")
		}) && !strings.Contains(names[0], "/tests/") {
			paths = append(paths, names[0])
		}
	}
	require.Contains(t, paths, release.Root+"/machine/runner")
	require.Contains(t, paths, release.Root+"/steps")
	return paths
}

// imports returns a file of package main that imports the packages.
func imports(paths ...string) string {
	var b strings.Builder
	b.WriteString("package main\n\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	return b.String()
}

// staysWithin checks that no requirement of a go.mod has changed and that at most most
// were added.
func staysWithin(t *testing.T, what string, before, after map[string]string, most int) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if after[path] != before[path] {
			t.Errorf("with %s, an embedder's %s %s becomes %q; require an older version, or fewer modules that need it, "+
				"in go.mod or machine/controller/go.mod (go mod graph shows the modules that require it)",
				what, path, before[path], after[path])
		}
	}
	var gained []string
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[path]; !ok {
			gained = append(gained, path+" "+after[path])
		}
	}
	t.Logf("with %s, a go.mod gains %q", what, gained)
	if len(gained) > most {
		t.Errorf("with %s, an embedder's go.mod gains %d lines, but at most %d are allowed: %s; remove a dependency "+
			"(go mod why shows the packages that need it), or require an older version that needs less",
			what, len(gained), most, strings.Join(gained, ", "))
	}
}
