// Package wording has what error messages share: suggestions for a mistyped
// name, and lists of names as sentences write them.
package wording

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean is the tail of an error message that suggests names: empty where
// there are none.
func DidYouMean(nearest []string) string {
	if len(nearest) == 0 {
		return ""
	}
	quoted := make([]string, len(nearest))
	for i, n := range nearest {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return "; did you mean " + List(quoted, "or") + "?"
}

// List joins names as a sentence does: "A", "A and B", "A, B and C".
func List(names []string, conjunction string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

const (
	// Most is the number of names that Nearest returns at the most.
	Most = 3
	// Longest is the length in bytes up to which names are compared. Nobody
	// mistypes a longer one, and the time for a pair of names grows with the
	// product of their lengths.
	Longest = 100
)

// Nearest returns the known names that are close enough to name to be worth
// suggesting, nearest first, at most [Most] of them. Names at the same
// distance keep the order in which they are known. Nothing resembles an empty
// name, or one longer than [Longest].
func Nearest(name string, known []string) []string {
	if name == "" || len(name) > Longest {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	lower := strings.ToLower(name)
	for _, k := range known {
		if k == "" || len(k) > Longest {
			continue
		}
		other := strings.ToLower(k)
		d := distance(lower, other)
		near := d <= 1+max(len(lower), len(other))/4
		if !near && len(lower) >= 4 && (strings.Contains(other, lower) || strings.Contains(lower, other)) {
			near = true
		}
		if near {
			found = append(found, candidate{k, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range found[:min(len(found), Most)] {
		names = append(names, c.name)
	}
	return names
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
