package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
)

// result is one line of the results file.
type result struct {
	mutant
	Commit  string `json:"commit"` // the commit at which it was tried
	Outcome string `json:"outcome"`
	By      string `json:"by,omitempty"` // the package whose tests killed it
}

// readResults returns the last result of each mutant in a file, or none if there is no file yet.
func readResults(name string) (map[string]result, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]result{}, nil
	} else if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	results := map[string]result{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		results[r.ID] = r
	}
	return results, lines.Err()
}

// appendResult appends a line to a results file.
func appendResult(name string, r result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// explanation matches a line of alive.md that explains a mutant.
var explanation = regexp.MustCompile("(?m)^- `([0-9a-f]{12})` ")

// readExplained returns the identities of the mutants that a file explains, or none if there is no
// file.
func readExplained(name string) (map[string]bool, error) {
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	explained := map[string]bool{}
	for _, match := range explanation.FindAllSubmatch(text, -1) {
		explained[string(match[1])] = true
	}
	return explained, nil
}

// report counts the results of the current mutants.
type report struct {
	mutants  int
	outcomes map[string]int
	old      int      // results of mutants that no longer exist
	living   []result // in the order of the mutants
}

// newReport matches results to the current mutants.
func newReport(mutants []mutant, results map[string]result) report {
	r := report{mutants: len(mutants), outcomes: map[string]int{}, old: len(results)}
	for _, m := range mutants {
		had, ok := results[m.ID]
		if !ok {
			continue
		}
		r.old--
		r.outcomes[had.Outcome]++
		if had.Outcome == alive {
			had.mutant = m // its current position
			r.living = append(r.living, had)
		}
	}
	return r
}

// print writes the report, and returns the number of living mutants that are not explained.
func (r report) print(w io.Writer, explained map[string]bool) (open int) {
	for _, l := range r.living {
		note := "explained"
		if !explained[l.ID] {
			note = "NOT explained"
			open++
		}
		fmt.Fprintf(w, "%s, %s\n", l, note)
	}
	tried := r.outcomes[killed] + r.outcomes[timeout] + r.outcomes[alive]
	fmt.Fprintf(w,
		"%d of %d mutants tried: %d killed, %d timed out, %d alive (%d not explained); %d more do not compile, %d old results\n",
		tried, r.mutants, r.outcomes[killed], r.outcomes[timeout], r.outcomes[alive], open, r.outcomes[broken], r.old)
	return open
}

// String returns a result on one line.
func (r result) String() string {
	by := ""
	if r.By != "" {
		by = " by " + r.By
	}
	return fmt.Sprintf("%-7s %s %s:%d:%d: %s: %s → %s%s", r.Outcome, r.ID, r.File, r.Line, r.Column, r.Operator, r.Before, r.After, by)
}
