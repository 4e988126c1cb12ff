package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// controllerBinary builds the example's command, once.
var controllerBinary = sync.OnceValues(func() (string, error) {
	// Beside the control plane's files, which Stop removes.
	path := filepath.Join(common.Dir(), "controller")
	out, err := exec.Command("go", "build", "-o", path, "./example/cmd/controller").CombinedOutput()
	if err != nil {
		return "", &buildError{err, string(out)}
	}
	return path, nil
})

type buildError struct {
	err    error
	output string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.output }

// process is a controller that runs as a separate process.
type process struct {
	g      *fixture
	cmd    *exec.Cmd
	log    *tail
	exited chan error
	gone   bool
}

// spawn starts a controller as a process.
func (g *fixture) spawn(access *rest.Config, arguments ...string) *process {
	g.Helper()
	binary, err := controllerBinary()
	require.NoError(g, err)
	kubeconfig, err := g.Kubeconfig("controller-of-"+g.namespace, access)
	require.NoError(g, err)
	kind := "variant"
	if g.gvr == asMTC.gvr {
		kind = "mtc"
	}
	p := &process{g: g, log: &tail{}, exited: make(chan error, 1)}
	flags := []string{"-kubeconfig", kubeconfig, "-kind", kind, "-namespace", g.namespace, "-report", g.reports()}
	p.cmd = exec.Command(binary, append(flags, arguments...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// The process must not outlive the tests, however they end.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(g, p.cmd.Start())
	go func() { p.exited <- p.cmd.Wait() }()
	g.Cleanup(func() {
		p.kill()
		if g.Failed() {
			g.Logf("the log of controller %d ends with:\n%s", p.cmd.Process.Pid, p.log)
		}
	})
	return p
}

// kill ends the process with SIGKILL, and returns the number of calls of
// phases that it cut short. If the process has already ended, the test fails.
func (p *process) kill() (cut int) {
	if p.gone {
		return 0
	}
	p.gone = true
	select {
	case err := <-p.exited:
		p.g.Errorf("controller %d ended by itself: %v\n%s", p.cmd.Process.Pid, err, p.log)
	default:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return p.g.calls.died(strconv.Itoa(p.cmd.Process.Pid))
}

// reports returns the URL to which controller processes report their calls.
func (g *fixture) reports() string {
	g.serving.Do(func() {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var c example.Call
			if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			g.calls.told(c)
			if g.reply != nil {
				_, _ = io.WriteString(w, string(g.reply(r.Context(), c)))
			}
		}))
		g.Cleanup(s.Close)
		g.url = s.URL
	})
	return g.url
}

// tail is the end of a log.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b = append(t.b, b...); len(t.b) > 8000 {
		t.b = t.b[len(t.b)-4000:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
