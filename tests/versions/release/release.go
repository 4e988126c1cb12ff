package release

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// The modules that embedders require.
const (
	Root       = "github.com/konveyor/dynamic-pipeline"
	Controller = Root + "/machine/controller"
)

// Make makes a module proxy of the tree at root, with both modules in one version. The
// version is unique, since other tests share the module cache; at the end of the test
// it is removed from the cache.
func Make(t testing.TB, root string) (proxy, version string) {
	t.Helper()
	version = fmt.Sprintf("v0.1.1-test.%d", time.Now().UnixNano())
	controllerDir := filepath.Join(t.TempDir(), "controller")
	require.NoError(t, os.CopyFS(controllerDir, os.DirFS(filepath.Join(root, "machine", "controller"))))

	// As in a release, the nested module requires the root of the same version.
	path := filepath.Join(controllerDir, "go.mod")
	mod := GoMod(t, path)
	require.NoError(t, mod.AddRequire(Root, version))
	require.NoError(t, mod.DropReplace(Root, ""))
	b, err := mod.Format()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b, 0o644))

	proxy = t.TempDir()
	for m, dir := range map[string]string{Root: root, Controller: controllerDir} {
		at := filepath.Join(proxy, m, "@v")
		require.NoError(t, os.MkdirAll(at, 0o755))
		zip(t, filepath.Join(at, version+".zip"), module.Version{Path: m, Version: version}, dir)
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		require.NoError(t, err)
		for name, content := range map[string]string{
			"list": version + "\n", version + ".mod": string(b),
			version + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version),
		} {
			require.NoError(t, os.WriteFile(filepath.Join(at, name), []byte(content), 0o644))
		}
	}
	t.Cleanup(func() { forget(t, version) })
	return proxy, version
}

// GoMod reads and parses a go.mod file.
func GoMod(t testing.TB, path string) *modfile.File {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	mod, err := modfile.Parse(path, b, nil)
	require.NoError(t, err)
	return mod
}

// Go runs the go command in the module in dir, with the proxy of [Make] for its
// modules, and returns the output.
func Go(t testing.TB, dir, proxy string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	require.NoError(t, err)
	cmd := exec.Command("go", arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GONOSUMDB="+Root+","+Controller,
		"GOPROXY=file://"+proxy+","+strings.TrimSpace(string(out)))
	begin := time.Now()
	var stderr strings.Builder // such as "go: downloading ..."
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	require.NoError(t, err, "go %s: %s%s", strings.Join(arguments, " "), b, &stderr)
	t.Logf("go %s: %s", arguments[0], time.Since(begin).Round(time.Second))
	return string(b)
}

func zip(t testing.TB, to string, m module.Version, dir string) {
	t.Helper()
	f, err := os.Create(to)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, modzip.CreateFromDir(f, m, dir))
}

// forget removes a version from the module cache.
func forget(t testing.TB, version string) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	cache := strings.TrimSpace(string(out))
	for _, m := range []string{Root, Controller} {
		files, err := filepath.Glob(filepath.Join(cache, "cache", "download", m, "@v", version+".*"))
		require.NoError(t, err)
		for _, dir := range append(files, filepath.Join(cache, m+"@"+version)) {
			_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() { // the cache is read-only
					return os.Chmod(path, 0o755)
				}
				return err
			})
			require.NoError(t, os.RemoveAll(dir))
		}
	}
}
