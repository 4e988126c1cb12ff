package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// gitPrefix is the prefix of git:REF:PATH, a file as it was in a commit.
const gitPrefix = "git:"

// splitGit splits git:REF:PATH. The error is a usage error.
func splitGit(arg string) (ref, path string, err error) {
	ref, path, ok := strings.Cut(strings.TrimPrefix(arg, gitPrefix), ":")
	switch {
	case !ok || ref == "" || path == "":
		return "", "", fmt.Errorf("%q must be git:REF:PATH, such as git:v1.2.0:deploy/itineraries.yaml", arg)
	case strings.HasPrefix(ref, "-"):
		return "", "", fmt.Errorf("%q: a ref does not begin with -; give a tag, a branch or a commit", arg)
	case strings.ContainsFunc(ref+path, unprintable):
		return "", "", fmt.Errorf("%q: a ref and a path cannot have control characters; remove them", arg)
	}
	return ref, path, nil
}

// gitFile reads a file as it was in a commit of the repository of the current directory. It
// reads at most [phases.MaxFileSize] bytes.
func gitFile(ctx context.Context, ref, path string) ([]byte, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, errors.New("git:REF:PATH needs the program git, which no directory of $PATH has; install it, or give the file itself")
	}
	tree, problem, err := git(ctx, "rev-parse", "--verify", "--end-of-options", ref+"^{tree}")
	switch {
	case err == nil:
	case strings.Contains(problem, "not a git repository"):
		return nil, errors.New("git:REF:PATH needs a git repository, and the current directory is not in one; change to one")
	case strings.Contains(problem, "dubious ownership"):
		return nil, errors.New("git refuses this repository, since another user owns it; see safe.directory in git help config")
	default:
		return nil, fmt.Errorf("the repository has no commit %q; fetch it, or list names with git tag or git branch --all", ref)
	}
	text, _, err := git(ctx, "cat-file", "blob", strings.TrimSpace(string(tree))+":"+path)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, fmt.Errorf("%s in %s is larger than the limit of %d bytes", path, ref, phases.MaxFileSize)
	case err != nil:
		return nil, fmt.Errorf("commit %s has no file %s; a path begins at the top of the repository, or with ./ at the current directory",
			ref, path)
	}
	return text, nil
}

var errTooLarge = errors.New("too large")

// git runs git without prompts, and returns its standard output and standard error.
func git(ctx context.Context, args ...string) (out []byte, problem string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	var stderr bytes.Buffer
	cmd.Stderr = &limitedWriter{&stderr, 4 << 10}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	out, err = io.ReadAll(io.LimitReader(stdout, phases.MaxFileSize+1))
	if len(out) > phases.MaxFileSize {
		cancel()
		_ = cmd.Wait() // it was killed
		return nil, "", errTooLarge
	}
	err = errors.Join(err, cmd.Wait()) // standard error is complete only now
	return out, stderr.String(), err
}

// limitedWriter keeps the first rest bytes that are written to it.
type limitedWriter struct {
	kept *bytes.Buffer
	rest int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.rest)
	w.kept.Write(p[:n])
	w.rest -= n
	return len(p), nil
}
