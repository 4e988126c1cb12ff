package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// module holds what the go command lists about a module: its packages by import path.
type module struct {
	root     string
	packages map[string]*listed
}

// listed is one package as printed by go list.
type listed struct {
	Dir, ImportPath                    string
	Imports, TestImports, XTestImports []string
	TestGoFiles, XTestGoFiles          []string
	Module                             struct{ Dir string }
}

// load lists the packages that match the patterns, in the module of the directory dir.
func load(ctx context.Context, dir string, patterns ...string) (*module, error) {
	out, err := goCommand(ctx, dir, append([]string{"list", "-json"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	m := &module{packages: map[string]*listed{}}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listed{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the output of go list: %w", err)
		}
		m.root, m.packages[p.ImportPath] = p.Module.Dir, p
	}
	return m, nil
}

// dependents returns the packages with tests that depend on the package at path, nearest first: the
// package itself, then those whose tests import it, and so on.
func (m *module) dependents(path string) []string {
	distance := map[string]int{}
	for name, p := range m.packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		if d := m.distance(p, path); d >= 0 {
			distance[name] = d
		}
	}
	names := make([]string, 0, len(distance))
	for name := range distance {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance[a], distance[b]), cmp.Compare(a, b))
	})
	return names
}

// distance returns the number of imports between the tests of p and the package at path, or -1 if
// they do not depend on it.
func (m *module) distance(p *listed, path string) int {
	at := []string{p.ImportPath}
	seen := map[string]bool{p.ImportPath: true}
	for d := 0; len(at) > 0; d++ {
		var next []string
		for _, name := range at {
			if name == path {
				return d
			}
			imports := []string{}
			if q := m.packages[name]; q != nil {
				imports = q.Imports
			}
			if d == 0 {
				imports = slices.Concat(imports, p.TestImports, p.XTestImports)
			}
			for _, name := range imports {
				if !seen[name] {
					seen[name] = true
					next = append(next, name)
				}
			}
		}
		at = next
	}
	return -1
}

// goCommand runs the go command in dir and returns its output. An error includes its output on
// standard error.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	return command(ctx, dir, "go", args...)
}

// command runs a command in dir.
func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	// An interrupt lets the go command stop its tests; after a kill they would continue.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out, nil
}
