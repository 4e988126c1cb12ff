package wording

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// DidYouMean returns the tail of an error message that suggests names, or "" if there are none.
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

// List joins names as in a sentence: "A", "A and B", "A, B and C".
func List(names []string, conjunction string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

// Few lists up to three names; if there are more, it lists two and counts the rest.
func Few(names []string) string { return Some(names, 3) }

// Some lists up to most names; if there are more, it lists most-1 and counts the rest.
func Some(names []string, most int) string {
	if len(names) <= most {
		return List(names, "and")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
}

// Duration formats a duration for users, in whole seconds and at most two units: "45 s", "3 min",
// "2 h 5 min", "3 days", "1 day 4 h". It omits anything shorter than the smaller unit.
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

// Exact returns [Duration] if that is exact, and otherwise the duration in Go's notation.
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

// units appends the smaller unit, unless its count is zero.
func units(text string, n time.Duration, unit string) string {
	if n == 0 {
		return text
	}
	return fmt.Sprintf("%s %d %s", text, n, unit)
}

// DecidedBy returns the tail of a reason that names the deciding phases, or "" if there are none.
func DecidedBy(phases []string) string {
	if len(phases) == 0 {
		return ""
	}
	return " (decided by " + Few(phases) + ")"
}

const (
	// Most is the largest number of names that Nearest returns.
	Most = 3
	// Longest is the length in bytes up to which names are compared. Longer names are hardly typos,
	// and the time to compare two names grows with the product of their lengths.
	Longest = 100
)

// Nearest returns the known names that are similar enough to name to be suggested, nearest first,
// at most [Most] of them. Names at the same distance keep their order. An empty name, or one longer
// than [Longest], has no similar names.
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
			return []string{k} // only the case differs
		}
		d := distance(lower, other)
		longer := max(len(lower), len(other))
		// If there is more than one difference, they must be less than half of the name.
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

// distance returns the number of bytes to change, add or remove, or of neighbors to swap, that
// turns a into b (optimal string alignment).
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
