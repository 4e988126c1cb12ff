package phases

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// The limits of a file. A definition has dozens of phases and a few kilobytes; a text
// that is orders of magnitude larger is not a definition.
const (
	MaxFileSize   = 1 << 20
	MaxFilePhases = 10_000
)

// File is the content of a YAML file: one vocabulary, and itineraries that all use it.
// It is plain data, safe to share as long as it is not changed.
type File struct {
	Vocabulary  *Vocabulary
	Itineraries []Itinerary
	// Suppressions are the findings of the verifier that the file accepts.
	Suppressions []Suppression
}

// Itinerary returns the itinerary of that name. The error is an
// [*UnknownItineraryError].
func (f *File) Itinerary(name string) (Itinerary, error) {
	known := make([]string, len(f.Itineraries))
	for i, it := range f.Itineraries {
		if it.Name == name {
			return it, nil
		}
		known[i] = it.Name
	}
	return Itinerary{}, &UnknownItineraryError{Name: name, Nearest: wording.Nearest(name, known), Known: known}
}

// LimitError reports a file that has more of something than [Load] and [Save] allow.
type LimitError struct {
	// What names the counted things: "bytes", "phases", "flags" or "suppressions".
	What  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("a file holds at most %d %s; split it", e.Limit, e.What)
}

// duplicateItinerary returns the error of two itineraries with the same name in a file.
func duplicateItinerary(name string) *DefinitionError {
	return &DefinitionError{Itinerary: name, Index: -1, Reason: ReasonDuplicateName, Problem: "is defined twice; rename one of them"}
}
