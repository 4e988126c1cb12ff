package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	rootModule       = "github.com/konveyor/dynamic-pipeline"
	controllerModule = rootModule + "/machine/controller"
)

// An embedder outside the repository builds a small controller against the
// modules as they would be released, from a module proxy made of the tree, and
// runs it.
func TestAnEmbedderOutside(t *testing.T) {
	t.Parallel()
	proxy, version := release(t)
	for _, runtime := range []string{"v0.22.0", "v0.25.2"} {
		t.Run("controller-runtime "+runtime, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range []string{"main.go.txt"} {
				b, err := os.ReadFile(filepath.Join("testdata", "embedder", name))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, strings.TrimSuffix(name, ".txt")), b, 0o644))
			}
			mod := fmt.Sprintf("module example.org/embedder\n\ngo 1.24.0\n\nrequire (\n\t%s %s\n\t%s %s\n\tsigs.k8s.io/controller-runtime %s\n)\n",
				rootModule, version, controllerModule, version, runtime)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644))
			goIn(t, dir, proxy, "mod", "tidy")
			b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			require.NoError(t, err)
			require.Contains(t, string(b), "sigs.k8s.io/controller-runtime "+runtime+"\n", "it is not forced to move")
			require.NotContains(t, string(b), "replace")
			goIn(t, dir, proxy, "build", "-o", "embedder", ".")

			g := newFixture(t, common, withSubresource)
			kubeconfig, err := g.Kubeconfig("embedder-of-"+g.namespace, g.Config)
			require.NoError(t, err)
			log := &tail{}
			cmd := exec.Command(filepath.Join(dir, "embedder"), "-kubeconfig", kubeconfig, "-namespace", g.namespace)
			cmd.Stdout, cmd.Stderr = log, log
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			o := &corev1.ConfigMap{ObjectMeta: g.meta("move"), Data: map[string]string{"volumes": "yes"}}
			g.create(o)
			require.Eventually(t, func() bool {
				require.NoError(t, g.client.Get(g.ctx, client.ObjectKeyFromObject(o), o))
				return strings.Contains(o.Annotations["embedder/state"], `"done":true`)
			}, timeout, 10*tick, "the log: %s", log)
			for _, step := range []string{"Prepare", "Data", "Restore"} {
				require.Contains(t, o.Annotations["embedder/state"], `"name":"`+step+`"`)
			}
			require.NotContains(t, o.Annotations["embedder/state"], `"name":"Images"`, "the step that does not run")
		})
	}
}

// release makes a module proxy of the tree, with both modules under one
// version. The version is made of the contents, so that no other of that name
// can be in the module cache.
func release(t *testing.T) (proxy, version string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	stage := t.TempDir()
	rootZip, controllerDir := filepath.Join(stage, "root.zip"), filepath.Join(stage, "controller")
	zip(t, rootZip, module.Version{Path: rootModule, Version: "v0.0.0"}, root)
	b, err := os.ReadFile(rootZip)
	require.NoError(t, err)
	sum := sha256.New()
	sum.Write(b)
	require.NoError(t, os.CopyFS(controllerDir, os.DirFS(filepath.Join(root, "machine", "controller"))))
	require.NoError(t, filepath.WalkDir(controllerDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sum.Write(b)
		return err
	}))
	version = "v0.1.1-e2e." + hex.EncodeToString(sum.Sum(nil)[:6])

	// As a release does: the nested module requires the root of its version.
	path := filepath.Join(controllerDir, "go.mod")
	b, err = os.ReadFile(path)
	require.NoError(t, err)
	mod, err := modfile.Parse(path, b, nil)
	require.NoError(t, err)
	require.NoError(t, mod.AddRequire(rootModule, version))
	require.NoError(t, mod.DropReplace(rootModule, ""))
	b, err = mod.Format()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b, 0o644))

	proxy = t.TempDir()
	for m, dir := range map[string]string{rootModule: root, controllerModule: controllerDir} {
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

func zip(t *testing.T, to string, m module.Version, dir string) {
	t.Helper()
	f, err := os.Create(to)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, modzip.CreateFromDir(f, m, dir))
}

// forget removes a version from the module cache.
func forget(t *testing.T, version string) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	cache := strings.TrimSpace(string(out))
	for _, m := range []string{rootModule, controllerModule} {
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

// goIn runs the go command in a module of its own.
func goIn(t *testing.T, dir, proxy string, arguments ...string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	require.NoError(t, err)
	cmd := exec.Command("go", arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GONOSUMDB="+rootModule+","+controllerModule,
		"GOPROXY=file://"+proxy+","+strings.TrimSpace(string(out)))
	begin := time.Now()
	b, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s: %s", strings.Join(arguments, " "), b)
	t.Logf("go %s: %s", arguments[0], time.Since(begin).Round(time.Second))
}
