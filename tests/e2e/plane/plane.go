package plane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Plane is a running control plane.
type Plane struct {
	// Config is an administrator's access, without a client-side limit on
	// requests.
	Config *rest.Config

	env *envtest.Environment
	dir string
	mu  sync.Mutex // one kill or start at a time
}

// Start builds missing binaries, starts a control plane and installs the
// custom resource definitions of the directory crds. It reports its progress to log.
// The caller must call Stop.
func Start(ctx context.Context, crds string, log func(format string, args ...any)) (*Plane, error) {
	bin, err := binaries(ctx, log)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dynamic-pipeline-e2e-")
	if err != nil {
		return nil, err
	}
	p := &Plane{dir: dir}
	p.env = &envtest.Environment{
		CRDDirectoryPaths:        []string{crds},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
		BinaryAssetsDirectory:    bin,
	}
	api := p.env.ControlPlane.GetAPIServer()
	p.env.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(dir, "etcd-data")}
	// envtest deletes its own directories on a stop; these survive a restart.
	api.CertDir = filepath.Join(dir, "certs")
	for _, d := range []string{api.CertDir, p.env.ControlPlane.Etcd.DataDir} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	if api.Path, err = p.wrap(bin, APIServer); err == nil {
		p.env.ControlPlane.Etcd.Path, err = p.wrap(bin, Etcd)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if p.Config, err = p.env.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), p.Stop())
	}
	p.Config.QPS = -1
	return p, nil
}

// wrap writes a script that records its pid and then becomes the component, so
// that it can be killed. The script ends the component when the process of the
// tests ends, however it ends.
func (p *Plane) wrap(bin string, c Component) (string, error) {
	path := filepath.Join(p.dir, string(c))
	script := fmt.Sprintf(`#!/bin/sh
echo $$ >%[1]s.pid
(while kill -0 %[2]d && kill -0 $$; do sleep 1; done; kill -9 $$) </dev/null >/dev/null 2>&1 &
exec %[3]s "$@"
`, path, os.Getpid(), filepath.Join(bin, string(c)))
	return path, os.WriteFile(path, []byte(script), 0o700)
}

// Dir returns a directory for the files of tests. Stop removes it.
func (p *Plane) Dir() string { return p.dir }

// Stop ends the control plane and removes everything that it has written,
// except for the binaries.
func (p *Plane) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.env.Stop(), os.RemoveAll(p.dir))
}

// Kill ends a component with SIGKILL, and returns when the process is gone.
func (p *Plane) Kill(c Component) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := os.ReadFile(filepath.Join(p.dir, string(c)+".pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("pid of %s: %w", c, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", c, err)
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s, pid %d, still exists 10s after SIGKILL", c, pid)
		}
	}
	return nil
}

// Restart starts a component that was killed, with its data and at its former
// address. It returns when the component is healthy.
func (p *Plane) Restart(c Component) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if c == Etcd {
		err = p.env.ControlPlane.Etcd.Start()
	} else {
		err = p.env.ControlPlane.GetAPIServer().Start()
	}
	if err != nil {
		return fmt.Errorf("restart %s: %w", c, err)
	}
	return nil
}

// As returns the access of a service account. The account has no rights until a
// test binds some to it.
func (p *Plane) As(namespace, serviceAccount string) (*rest.Config, error) {
	user, err := p.env.AddUser(envtest.User{
		Name:   "system:serviceaccount:" + namespace + ":" + serviceAccount,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}, p.Config)
	if err != nil {
		return nil, err
	}
	return user.Config(), nil
}

// Kubeconfig writes a kubeconfig with the access of config, for another
// process, and returns its path.
func (p *Plane) Kubeconfig(name string, config *rest.Config) (string, error) {
	path := filepath.Join(p.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"plane": {
			Server: config.Host, CertificateAuthorityData: config.CAData, InsecureSkipTLSVerify: config.Insecure,
		}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: "plane", AuthInfo: name}},
		CurrentContext: name,
	}, path)
}
