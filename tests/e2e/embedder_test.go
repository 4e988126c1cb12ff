package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/tests/versions/release"
)

// An embedder outside the repository builds and runs a small controller. It
// gets the modules as they would be released, from a module proxy of the
// working tree.
func TestEmbedderOutsideRepository(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	proxy, version := release.Make(t, root)
	for _, runtime := range []string{"v0.17.4", "v0.25.2"} {
		t.Run("controller-runtime "+runtime, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range []string{"main.go.txt"} {
				b, err := os.ReadFile(filepath.Join("testdata", "embedder", name))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, strings.TrimSuffix(name, ".txt")), b, 0o644))
			}
			mod := fmt.Sprintf("module example.org/embedder\n\ngo 1.24.0\n\n"+
				"require (\n\t%s %s\n\t%s %s\n\tsigs.k8s.io/controller-runtime %s\n)\n",
				release.Root, version, release.Controller, version, runtime)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644))
			release.Go(t, dir, proxy, "mod", "tidy")
			b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			require.NoError(t, err)
			require.Contains(t, string(b), "sigs.k8s.io/controller-runtime "+runtime+"\n", "the embedder keeps its version")
			require.NotContains(t, string(b), "replace")
			release.Go(t, dir, proxy, "build", "-o", "embedder", ".")

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
