// Package wording has what messages share: suggestions for a mistyped name, and
// lists of names and durations as sentences write them.
package wording

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
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

// Few names some, and how many more there are.
func Few(names []string) string { return Some(names, 3) }

// Some names at most so many, and how many more there are.
func Some(names []string, most int) string {
	if len(names) <= most {
		return List(names, "and")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
}

// Duration is a duration as people read it, in whole seconds, in at most two units:
// "45 s", "3 min", "2 h 5 min", "3 days", "1 day 4 h". What is shorter than the
// smaller unit is left out.
func Duration(d time.Duration) string {
	if d < 0 {
		if d > -time.Second {
			return "0 s"
		}
		return "-" + Duration(-max(d, -math.MaxInt64))
	}
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return units(fmt.Sprintf("%d h", d/time.Hour), d%time.Hour/time.Minute, "min")
	case d < 2*day:
		return units("1 day", d%day/time.Hour, "h")
	}
	return units(fmt.Sprintf("%d days", d/day), d%day/time.Hour, "h")
}

// Exact is [Duration] if that leaves nothing out, else the duration in Go's notation.
func Exact(d time.Duration) string {
	unit := time.Second
	switch abs := max(d, -d); {
	case abs >= 24*time.Hour:
		unit = time.Hour
	case abs >= time.Minute:
		unit = time.Minute
	}
	if d%unit != 0 {
		return d.String()
	}
	return Duration(d)
}

// units appends the smaller unit, unless there is none of it.
func units(text string, n time.Duration, unit string) string {
	if n == 0 {
		return text
	}
	return fmt.Sprintf("%s %d %s", text, n, unit)
}

// DecidedBy is the tail of a reason that names the phases which decide it:
// empty if there are none.
func DecidedBy(phases []string) string {
	if len(phases) == 0 {
		return ""
	}
	return " (decided by " + Few(phases) + ")"
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
		if lower == other {
			return []string{k} // all but the case is right
		}
		d := distance(lower, other)
		longer := max(len(lower), len(other))
		// More than one difference must be less than half of the name.
		near := d < longer && (d == 1 || 2*d < longer) && d <= 1+longer/4
		if !near && min(len(lower), len(other)) >= 4 && (strings.Contains(other, lower) || strings.Contains(lower, other)) {
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

// distance is the number of bytes to change, add or remove, or of neighbours to
// swap, that makes b of a (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d := min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
