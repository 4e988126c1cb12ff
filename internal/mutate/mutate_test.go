package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const tiny = "github.com/konveyor/dynamic-pipeline/internal/mutate/testdata/tiny"

// tinyOptions returns options that try every mutant of package tiny.
func tinyOptions(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	return options{
		dir: filepath.FromSlash("testdata/tiny"), packages: []string{"."}, all: "./...",
		count: 100, seed: 1, timeout: 10 * time.Second,
		results: filepath.Join(dir, "results.jsonl"), explained: filepath.Join(dir, "alive.md"),
	}
}

// TestRun checks the outcome of every mutant of a package. It also checks that a mutant is retried
// only if it lives, and that a living mutant must be explained.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, o := context.Background(), tinyOptions(t)

	var printed bytes.Buffer
	require.NoError(t, run(ctx, o, &printed))
	results, err := readResults(o.results)
	require.NoError(t, err)
	got := map[string]string{}
	var living result
	for _, r := range results {
		require.NotEmpty(t, r.Commit)
		got[r.Operator+": "+r.Before+" → "+r.After] += r.Outcome + " " + strings.TrimPrefix(r.By, tiny) + ";"
		if r.Outcome == alive {
			living = r
		}
	}
	want := map[string]string{
		"bound: < → <=":                "killed ;",
		"constant: 10 → 11":            "killed ;",
		"constant: 10 → 9":             "killed ;",
		"returned: n < 10 → !(n < 10)": "killed ;",
		"constant: 3 → 4":              "broken ;",
		"constant: 3 → 2":              "broken ;",
		"dropped: close(done) → ":      "timeout ;",
		"boolean: true → false":        got["boolean: true → false"], // of two functions, in any order
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	require.ElementsMatch(t, []string{"killed /far", "alive "},
		strings.Split(strings.TrimSuffix(got["boolean: true → false"], ";"), ";"))
	require.Contains(t, printed.String(),
		"7 of 9 mutants tried: 5 killed, 1 timed out, 1 alive (1 not explained); 2 more do not compile, 0 old results\n")

	lines := countLines(t, o.results)
	require.NoError(t, run(ctx, o, &printed))
	require.Equal(t, lines, countLines(t, o.results), "a second run tries the same mutants")

	o.retry = true
	require.NoError(t, run(ctx, o, &printed))
	require.Equal(t, lines+1, countLines(t, o.results), "a retry tries the living mutant")

	o.retry, o.report = false, true
	require.ErrorContains(t, run(ctx, o, &printed), "1 mutants live and are not explained")
	require.NoError(t, os.WriteFile(o.explained, []byte("- `"+living.ID+"` tiny.go: nothing calls it.\n"), 0o600))
	require.NoError(t, run(ctx, o, &printed))
}

func countLines(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return bytes.Count(text, []byte("\n"))
}

// TestRunRefusesTestsThatFail checks that run returns an error and tries no mutant if the tests
// fail without one: every mutant would be killed.
func TestRunRefusesTestsThatFail(t *testing.T) {
	t.Parallel()
	o := tinyOptions(t)
	o.dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/failing\n\ngo 1.24.0\n",
		"f.go":      "package failing\n\nfunc F() int { return 1 }\n",
		"f_test.go": "package failing\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { t.Fatal(F()) }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600))
	}

	err := run(context.Background(), o, &bytes.Buffer{})

	require.ErrorContains(t, err, "the tests fail without a mutant")
	require.NoFileExists(t, o.results)
}

// TestMutantsOf checks each operator on the smallest source that has it, and that undetectable
// mutants are omitted.
func TestMutantsOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, source string
		want         []string
	}{
		{"comparisons", "var v = a == b", []string{"compare == !="}},
		{"bounds", "var v = a <= b", []string{"bound <= <"}},
		{"connectives", "var v = a && b", []string{"connective && ||"}},
		{"arithmetic", "var v = a - b", []string{"arithmetic - +"}},
		{"strings are not subtracted", `var v = a + "x" + b`, nil},
		{"bit sets", "var v = a &^ b", []string{"bits &^ &"}},
		{"constants", "var v = 0x10", []string{"constant 0x10 17", "constant 0x10 15"}},
		{"zero is not decremented", "var v = f(0)", []string{"constant 0 1"}},
		{"booleans", "var v = true", []string{"boolean true false"}},
		{
			"guards", "func f() { if a { g() } }",
			[]string{"guard negated a !(a)", "guard off a false && (a)", "dropped g() "},
		},
		{
			"a guard that compares is negated once", "func f() { for a != b { g() } }",
			[]string{"guard off a != b false && (a != b)", "compare != ==", "dropped g() "},
		},
		{
			"statements", "func f() { a.b = c; a, b = g(); n++; defer g(); return }",
			[]string{
				"dropped a.b = c _ = c", "dropped a, b = g() _, _ = g()", "dropped n++ ",
				"arithmetic ++ --", "dropped defer g() ", "dropped return ",
			},
		},
		{"a declaration is not dropped", "func f() { a := g(); _ = a }", nil},
		{
			"results", "func f() (string, bool, error) { return a, b, err }",
			[]string{`returned a ""`, "returned b !(b)", "returned err nil"},
		},
		{"two results of one type", "func f() (a, b int) { return x, y }", []string{"returned swapped x, y y, x"}},
		{"a function in a function", "var v = func() error { return err }", []string{"returned err nil"}},
		{"no error to omit", "func f() error { return nil }", nil},
		{"capacities", "var v = append(make([]int, 0, 8), make(map[int]int, 8))", nil},
		{"a length is no capacity", "var v = make([]int, 8)", []string{"constant 8 9", "constant 8 7"}},
		{"growth", "func f() { b.Grow(8) }", nil},
		{"compile-time assertions", "var _ I = f(1)", nil},
		{"types", "type t struct { a [8]int }", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			mutants, err := mutantsOf("a/a.go", []byte("package a\n\n"+tc.source+"\n"))
			require.NoError(t, err)
			var got []string
			for _, m := range mutants {
				got = append(got, m.Operator+" "+m.Before+" "+m.After)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("mutants (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMutantsOfGenerated checks that generated code has no mutants.
func TestMutantsOfGenerated(t *testing.T) {
	t.Parallel()
	mutants, err := mutantsOf("a.go", []byte("// Code generated by hand. DO NOT EDIT.\n\npackage a\n\nvar v = 1\n"))
	require.NoError(t, err)
	require.Empty(t, mutants)
}

// TestIdentity checks that a mutant keeps its identity and rank if code is added elsewhere, that it
// gets a new identity if its declaration changes, and that a seed determines the order.
func TestIdentity(t *testing.T) {
	t.Parallel()
	ids := func(seed int64, source string) []string {
		mutants, err := mutantsOf("a.go", []byte("package a\n\n"+source))
		require.NoError(t, err)
		shuffle(mutants, seed)
		var all []string
		for _, m := range mutants {
			all = append(all, m.ID)
		}
		return all
	}
	const declared = "var v = []int{1, 2, 3, 4}\n"
	before := ids(1, declared)
	require.Len(t, before, 8)
	require.Equal(t, before, ids(1, "// W is new.\nvar W = \"\"\n\n"+declared))
	require.NotEqual(t, before, ids(2, declared))
	require.ElementsMatch(t, before, ids(2, declared))
	for _, id := range ids(1, "var v = []int{1, 2, 3, 4,}\n") {
		require.NotContains(t, before, id)
	}
}

// TestReport checks that the last result of a mutant counts, and that the result of a removed
// mutant does not.
func TestReport(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "results.jsonl")
	for _, r := range []result{
		{mutant: mutant{ID: "one"}, Outcome: alive},
		{mutant: mutant{ID: "two"}, Outcome: alive},
		{mutant: mutant{ID: "gone"}, Outcome: alive},
		{mutant: mutant{ID: "one"}, Outcome: killed},
	} {
		require.NoError(t, appendResult(name, r))
	}
	results, err := readResults(name)
	require.NoError(t, err)

	r := newReport([]mutant{{ID: "one"}, {ID: "two", File: "two.go"}, {ID: "three"}}, results)

	require.Equal(t, map[string]int{alive: 1, killed: 1}, r.outcomes)
	require.Equal(t, 1, r.old)
	require.Len(t, r.living, 1)
	require.Equal(t, "two.go", r.living[0].File)
}

// TestReadResultsNamesTheLine checks that the error names a line that cannot be read.
func TestReadResultsNamesTheLine(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "results.jsonl")
	line, err := json.Marshal(result{mutant: mutant{ID: "one"}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append(line, "\n<<<<<<<\n"...), 0o600))

	_, err = readResults(name)

	require.ErrorContains(t, err, name+":2: ")
}

// TestDependents checks that the tests of a package come first, then the nearest or, once they are
// measured, the fastest. Packages that do not depend on it or have no tests are omitted.
func TestDependents(t *testing.T) {
	t.Parallel()
	tests := []string{"x_test.go"}
	m := &module{packages: map[string]*listed{
		"a":      {ImportPath: "a", TestGoFiles: tests},
		"b":      {ImportPath: "b", Imports: []string{"a"}, XTestGoFiles: tests},
		"c":      {ImportPath: "c", Imports: []string{"b"}, TestGoFiles: tests},
		"helper": {ImportPath: "helper", Imports: []string{"a"}},
		"d":      {ImportPath: "d", XTestImports: []string{"helper"}, XTestGoFiles: tests},
		"e":      {ImportPath: "e", TestImports: []string{"a"}, TestGoFiles: tests},
		"f":      {ImportPath: "f", Imports: []string{"e"}, TestGoFiles: tests}, // only the tests of e import a
	}}
	require.Equal(t, []string{"a", "b", "e", "c", "d"}, m.dependents("a"))
	took := map[string]time.Duration{"a": 9, "b": 4, "c": 1, "d": 2, "e": 3}
	require.Equal(t, []string{"a", "c", "d", "e", "b"}, trial{module: m, took: took}.order("a"), "the package itself, then the fastest")
}
