package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the command line options.
type options struct {
	dir       string // the directory of the module
	packages  []string
	count     int
	seed      int64
	timeout   time.Duration
	results   string
	explained string
	report    bool // try no mutants
	retry     bool // retry those that live
	all       string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{dir: "."}
	flag.IntVar(&o.count, "n", 50, "number of mutants to try, not counting those that do not compile")
	flag.Int64Var(&o.seed, "seed", 1, "the order of the mutants")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "timeout of the tests of one package; ulimit -t ends an endless loop sooner")
	flag.StringVar(&o.results, "results", filepath.FromSlash("internal/mutate/testdata/results.jsonl"),
		"the file to which results are appended")
	flag.StringVar(&o.explained, "explained", filepath.FromSlash("internal/mutate/alive.md"), "the file that explains living mutants")
	flag.StringVar(&o.all, "tests", "./...", "the packages whose tests run, if they depend on the mutated one")
	flag.BoolVar(&o.report, "report", false, "try no mutants: only print the recorded results")
	flag.BoolVar(&o.retry, "retry", false, "retry mutants that live and are not explained, instead of new ones")
	flag.Parse()
	o.packages = flag.Args()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		stop()
		os.Exit(1)
	}
}

// run tries mutants of the packages and prints each, then the report.
func run(ctx context.Context, o options, w io.Writer) error {
	all, err := load(ctx, o.dir, o.all)
	if err != nil {
		return err
	}
	mutated, err := load(ctx, o.dir, o.packages...)
	if err != nil {
		return err
	}
	var mutants []mutant
	var paths []string
	for path, p := range mutated.packages {
		found, err := mutantsIn(all.root, p.Dir)
		if err != nil {
			return err
		}
		mutants, paths = append(mutants, found...), append(paths, path)
	}
	slices.Sort(paths)
	shuffle(mutants, o.seed)
	results, err := readResults(o.results)
	if err != nil {
		return err
	}
	explained, err := readExplained(o.explained)
	if err != nil {
		return err
	}
	if !o.report {
		t := trial{module: all, timeout: o.timeout}
		if err := t.passes(ctx, paths); err != nil {
			return err
		}
		if err := t.sample(ctx, o, w, mutants, results, explained); err != nil {
			return err
		}
	}
	open := newReport(mutants, results).print(w, explained)
	if o.report && open > 0 {
		return fmt.Errorf("%d mutants live and are not explained in %s: test what they change, or explain there why no test can detect it",
			open, o.explained)
	}
	return nil
}

// sample tries mutants in their order until enough have been tried. It adds each result to results
// and its file, and prints it.
func (t trial) sample(
	ctx context.Context, o options, w io.Writer, mutants []mutant, results map[string]result, explained map[string]bool,
) error {
	commit, err := commitOf(ctx, t.module.root)
	if err != nil {
		return err
	}
	tried := 0
	for _, m := range mutants {
		had, known := results[m.ID]
		if open := had.Outcome == alive && !explained[m.ID]; known && (!o.retry || !open) || !known && o.retry {
			continue
		}
		if tried == o.count {
			break
		}
		r := result{mutant: m, Commit: commit}
		if r.Outcome, r.By, err = t.try(ctx, m); err != nil {
			return fmt.Errorf("%s:%d:%d: %w", m.File, m.Line, m.Column, err)
		}
		if err := appendResult(o.results, r); err != nil {
			return err
		}
		results[m.ID] = r
		fmt.Fprintln(w, r)
		if r.Outcome != broken {
			tried++
		}
	}
	return nil
}

// commitOf returns the commit of the tree in a directory.
func commitOf(ctx context.Context, dir string) (string, error) {
	out, err := command(ctx, dir, "git", "rev-parse", "--short=12", "HEAD")
	return strings.TrimSpace(string(out)), err
}
