// Package nearest finds the known names that resemble a mistyped one, for
// error messages that suggest what was meant.
package nearest

import (
	"slices"
	"strings"
)

// Most is the number of names that Names returns at the most.
const Most = 3

// Names returns the known names that are close enough to name to be worth
// suggesting, nearest first, at most [Most] of them. Names at the same
// distance keep the order in which they are known.
func Names(name string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	lower := strings.ToLower(name)
	for _, k := range known {
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
