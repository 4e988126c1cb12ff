package plane

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Component is a program of the control plane.
type Component string

// The components.
const (
	Etcd      Component = "etcd"
	APIServer Component = "kube-apiserver"
)

// source is the module and package of a component.
type source struct {
	module, path string
	// stamp returns the linker flags that set the version. Without them, the
	// API server would not know its version.
	stamp func(version string) string
}

var sources = map[Component]source{
	Etcd: {module: "go.etcd.io/etcd/server/v3", path: "go.etcd.io/etcd/server/v3", stamp: func(string) string { return "" }},
	APIServer: {module: "k8s.io/kubernetes", path: "k8s.io/kubernetes/cmd/kube-apiserver", stamp: func(version string) string {
		parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
		const x = " -X k8s.io/component-base/version."
		return x + "gitVersion=" + version + x + "gitMajor=" + parts[0] + x + "gitMinor=" + parts[1]
	}},
}

// binaries returns the directory of the two binaries, and builds missing ones.
// The directory is in the user's cache, one for each pair of versions, so each
// version is built once.
func binaries(ctx context.Context, log func(format string, args ...any)) (string, error) {
	kube, err := kubeModule(ctx)
	if err != nil {
		return "", err
	}
	versions := map[Component]string{}
	for c, s := range sources {
		if versions[c], err = pinned(ctx, kube, s.module); err != nil {
			return "", err
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("directory of the control plane's binaries: %w", err)
	}
	name := fmt.Sprintf("kube-apiserver-%s-etcd-%s-%s", versions[APIServer], versions[Etcd], runtime.GOARCH)
	dir := filepath.Join(cache, "dynamic-pipeline-e2e", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	for _, c := range []Component{Etcd, APIServer} {
		if err := build(ctx, kube, dir, c, versions[c], log); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// kubeModule returns the directory of the module that pins the versions. It is
// in tests/e2e, for every module that uses the plane.
func kubeModule(ctx context.Context) (string, error) {
	dir, err := output(ctx, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/konveyor/dynamic-pipeline/tests/e2e")
	if err != nil {
		return "", fmt.Errorf("find the module that pins the control plane: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "kube"), nil
}

// pinned returns the version of a module that the pinning module requires.
func pinned(ctx context.Context, kube, module string) (string, error) {
	b, err := output(ctx, kube, "go", "mod", "edit", "-json")
	if err != nil {
		return "", err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(b, &mod); err != nil {
		return "", fmt.Errorf("go.mod of %s: %w", kube, err)
	}
	for _, r := range mod.Require {
		if r.Path == module {
			return r.Version, nil
		}
	}
	return "", fmt.Errorf("go.mod in %s does not require %s; add it", kube, module)
}

func build(ctx context.Context, kube, dir string, c Component, version string, log func(string, ...any)) error {
	out := filepath.Join(dir, string(c))
	if _, err := os.Stat(out); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s := sources[c]
	log("building %s %s; from an empty build cache both components take about 10 minutes on 2 cores", c, version)
	begin := time.Now()
	// Build beside the final path, so that an interrupted build leaves no
	// partial binary. The build flags are those of the tests, to share their
	// cache.
	half := out + ".building"
	if _, err := output(ctx, kube, "go", "build", "-ldflags", "-s -w"+s.stamp(version), "-o", half, s.path); err != nil {
		return fmt.Errorf("build %s: %w", c, err)
	}
	if err := os.Rename(half, out); err != nil {
		return err
	}
	log("built %s in %s", c, time.Since(begin).Round(time.Second))
	return nil
}

// output runs a command outside of any workspace, and returns its standard
// output.
func output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return b, nil
}

// lock keeps two test processes from building the same thing at once.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
