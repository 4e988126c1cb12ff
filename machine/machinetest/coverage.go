package machinetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// CoverageDir is the environment variable that names the default directory of [Coverage.Save]. Set it
// to an absolute path: go test runs each package in its own directory.
const CoverageDir = "MACHINETEST_COVERAGE"

// coverageVersion is the version of the file format. Raise it when the format changes.
const coverageVersion = 1

type coverageFile struct {
	Version     int            `json:"version"`
	Itineraries []coverageJSON `json:"itineraries"`
}

type coverageJSON struct {
	Name       string      `json:"name"`
	Hash       string      `json:"hash"`
	Phases     []string    `json:"phases"`
	Covered    []coverItem `json:"covered"`
	Missing    []coverItem `json:"missing"`
	Impossible []coverItem `json:"impossible"`
	Undecided  []coverItem `json:"undecided"`
}

// list returns the items with a status, in order.
func (c *covered) list(status coverStatus) []coverItem {
	all := []coverItem{}
	for it, s := range c.items {
		if s == status {
			all = append(all, it)
		}
	}
	slices.SortFunc(all, coverItem.compare)
	return all
}

// sorted completes all itineraries, and returns their keys in order. The caller must hold the lock.
func (c *Coverage) sorted() []coverKey {
	keys := slices.SortedFunc(maps.Keys(c.itineraries), func(a, b coverKey) int {
		return strings.Compare(a.name+"\x00"+a.hash, b.name+"\x00"+b.hash)
	})
	for _, key := range keys {
		c.itineraries[key].universe()
	}
	return keys
}

// JSON returns the coverage as JSON, which [MergeCoverage] reads.
func (c *Coverage) JSON() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	file := coverageFile{Version: coverageVersion, Itineraries: []coverageJSON{}}
	for _, key := range c.sorted() {
		one := c.itineraries[key]
		file.Itineraries = append(file.Itineraries, coverageJSON{Name: key.name, Hash: key.hash, Phases: one.names,
			Covered: one.list(itemCovered), Missing: one.list(itemMissing),
			Impossible: one.list(itemImpossible), Undecided: one.list(itemUndecided)})
	}
	text, err := json.Marshal(file)
	if err != nil { // names and numbers always marshal
		return nil
	}
	return append(text, '\n')
}

// Save writes the coverage to a new file in a directory, which it creates if necessary. If directory is
// empty, Save uses the one in the environment variable [CoverageDir]; if that is not set, it saves
// nothing and returns nil. Call it after the tests of a package, for example in TestMain. The error
// is that of creating the directory or writing the file.
func (c *Coverage) Save(directory string) error {
	if directory == "" {
		if directory = os.Getenv(CoverageDir); directory == "" {
			return nil
		}
	}
	text := c.JSON()
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("save the coverage: %w", err)
	}
	sum := sha256.Sum256(text) // the same coverage makes the same file
	if err := os.WriteFile(filepath.Join(directory, "coverage-"+hex.EncodeToString(sum[:8])+".json"), text, 0o644); err != nil {
		return fmt.Errorf("save the coverage: %w", err)
	}
	return nil
}

// CoverageError reports a file that does not contain a coverage.
type CoverageError struct {
	// File is the path of the file.
	File string
	// Problem describes what is wrong with it.
	Problem string
}

func (e *CoverageError) Error() string {
	return fmt.Sprintf("%s: %s; remove it, or save the coverage again", e.File, e.Problem)
}

// MergeCoverage merges all files that [Coverage.Save] wrote to the directories. Different definitions
// of an itinerary are kept apart. The error is a [*CoverageError] if a file does not contain a
// coverage, and otherwise that of reading a directory or file.
func MergeCoverage(directories ...string) (*Coverage, error) {
	c := NewCoverage()
	for _, directory := range directories {
		names, err := filepath.Glob(filepath.Join(directory, "coverage-*.json"))
		if err == nil && names == nil {
			_, err = os.Stat(directory)
		}
		if err != nil {
			return nil, fmt.Errorf("merge coverages: %w", err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("merge coverages: %w", err)
			}
			if err := c.add(name, text); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// add adds a file.
func (c *Coverage) add(name string, text []byte) error {
	var file coverageFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return &CoverageError{name, "not a coverage: " + err.Error()}
	}
	if file.Version != coverageVersion {
		return &CoverageError{name, fmt.Sprintf("it has version %d; this package reads version %d", file.Version, coverageVersion)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range file.Itineraries {
		one := c.of(coverKey{it.Name, it.Hash})
		one.names = it.Phases
		for status, items := range map[coverStatus][]coverItem{
			itemCovered: it.Covered, itemMissing: it.Missing, itemImpossible: it.Impossible, itemUndecided: it.Undecided,
		} {
			for _, item := range items {
				for _, i := range item.At {
					if i < nowhere || i > len(it.Phases) {
						return &CoverageError{name, fmt.Sprintf("itinerary %q has no phase number %d", it.Name, i)}
					}
				}
				one.items[item] = max(one.items[item], status)
			}
		}
	}
	return nil
}

// Covered returns, for one kind of items in the itineraries with that name, how many are covered,
// how many are possible, and how many were too expensive to decide.
func (c *Coverage) Covered(itinerary string, kind CoverKind) (covered, possible, undecided int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.sorted() {
		if key.name == itinerary {
			a, b, u := c.itineraries[key].count(kind)
			covered, possible, undecided = covered+a, possible+b, undecided+u
		}
	}
	return covered, possible, undecided
}

func (c *covered) count(kind CoverKind) (covered, possible, undecided int) {
	for it, status := range c.items {
		switch {
		case it.Kind != kind:
		case status == itemCovered:
			covered, possible = covered+1, possible+1
		case status == itemMissing:
			possible++
		case status == itemUndecided:
			undecided++
		}
	}
	return covered, possible, undecided
}

// Missing returns the possible items of a kind that are not covered in the itineraries with that
// name, in order: "Copy -> Report", "Copy: !HasVolumes".
func (c *Coverage) Missing(itinerary string, kind CoverKind) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.sorted() {
		if key.name != itinerary {
			continue
		}
		one := c.itineraries[key]
		for _, it := range one.list(itemMissing) {
			if it.Kind == kind {
				names = append(names, one.text(it))
			}
		}
	}
	return names
}

// String returns the coverage as text: for each itinerary how much of each kind is covered, and the
// names of the items that are not.
func (c *Coverage) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, key := range c.sorted() {
		one := c.itineraries[key]
		var sums []string
		for _, kind := range coverKinds {
			covered, possible, undecided := one.count(kind)
			if possible+undecided == 0 {
				continue
			}
			sum := fmt.Sprintf("%s %d of %d", kind.plural(), covered, possible)
			if undecided > 0 {
				sum += fmt.Sprintf(" (%d not decided)", undecided)
			}
			sums = append(sums, sum)
		}
		fmt.Fprintf(&b, "%s: %s\n", key.name, wording.List(sums, "and"))
		for _, it := range one.list(itemMissing) {
			fmt.Fprintf(&b, "  not covered: %s %s\n", it.Kind, one.text(it))
		}
		for _, it := range one.list(itemUndecided) {
			fmt.Fprintf(&b, "  not decided: %s %s\n", it.Kind, one.text(it))
		}
	}
	return b.String()
}

// plural returns the plural of a kind.
func (k CoverKind) plural() string {
	if k == CoverPairs {
		return "pairs of transitions"
	}
	return string(k) + "s"
}
