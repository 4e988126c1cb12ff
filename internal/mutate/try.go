package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The outcomes of a mutant.
const (
	killed  = "killed"  // a test fails
	timeout = "timeout" // a test does not end
	alive   = "alive"   // every test passes
	broken  = "broken"  // it does not compile
)

// trial tries mutants of a module.
type trial struct {
	module  *module
	timeout time.Duration            // of the tests of one package
	took    map[string]time.Duration // duration of the tests of each package, without a mutant
}

// try builds a mutant and runs the tests that depend on it. It returns the outcome and the package
// whose tests killed the mutant. An error concerns the tool or its environment, not the mutant.
func (t trial) try(ctx context.Context, m mutant) (outcome, by string, err error) {
	overlay, remove, err := t.overlay(m)
	if err != nil {
		return "", "", err
	}
	defer remove()
	dir := filepath.Join(t.module.root, m.packageOf())
	path := ""
	for _, p := range t.module.packages {
		if p.Dir == dir {
			path = p.ImportPath
		}
	}
	if _, err := goCommand(ctx, t.module.root, "build", "-overlay", overlay, path); ctx.Err() != nil {
		return "", "", ctx.Err()
	} else if err != nil {
		return broken, "", nil
	}
	for _, name := range t.order(path) {
		_, err := goCommand(ctx, t.module.root, t.test(name, "-overlay", overlay)...)
		if err == nil {
			continue
		}
		outcome, err := judge(err)
		if outcome == broken || err != nil {
			name = ""
		}
		return outcome, name, err
	}
	return alive, "", nil
}

// own returns -1 for the package at path, which comes first, and 0 for all others.
func own(name, path string) int {
	if name == path {
		return -1
	}
	return 0
}

// order returns the packages whose tests can detect a mutant of the package at path: the package
// itself, then the others by the duration of their tests.
func (t trial) order(path string) []string {
	names := t.module.dependents(path)
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Or(own(a, path), -own(b, path), cmp.Compare(t.took[a], t.took[b]))
	})
	return names
}

// passes measures the tests that can detect mutants of the packages. It returns an error if one
// fails without a mutant.
func (t *trial) passes(ctx context.Context, paths []string) error {
	t.took = map[string]time.Duration{}
	for _, path := range paths {
		for _, name := range t.module.dependents(path) {
			if _, known := t.took[name]; known {
				continue
			}
			begin := time.Now()
			if _, err := goCommand(ctx, t.module.root, t.test(name, "-count", "1")...); err != nil {
				return fmt.Errorf("the tests fail without a mutant: %w", err)
			}
			t.took[name] = time.Since(begin)
		}
	}
	return nil
}

// test returns the arguments that run the tests of one package.
func (t trial) test(name string, more ...string) []string {
	args := []string{"test", "-vet=off", "-failfast", "-timeout", t.timeout.String()}
	return append(append(args, more...), name)
}

// judge returns the outcome that a failed go test means.
func judge(err error) (string, error) {
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled), strings.Contains(text, "[setup failed]"), strings.Contains(text, "no space left on device"):
		return "", err
	case strings.Contains(text, "[build failed]"):
		return broken, nil
	case strings.Contains(text, "panic: test timed out after"), strings.Contains(text, "signal: killed"): // by ulimit -t
		return timeout, nil
	case strings.Contains(text, "FAIL\t"):
		return killed, nil
	}
	return "", err
}

// overlay writes the file of a mutant, and the overlay that substitutes it for the source. The
// caller must call remove when done.
func (t trial) overlay(m mutant) (overlay string, remove func(), err error) {
	source := filepath.Join(t.module.root, filepath.FromSlash(m.File))
	src, err := os.ReadFile(source)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	changed := filepath.Join(dir, "mutant.go")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	overlay = filepath.Join(dir, "overlay.json")
	if err = errors.Join(err, os.WriteFile(changed, m.edit.apply(src), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		remove()
		return "", nil, err
	}
	return overlay, remove, nil
}
