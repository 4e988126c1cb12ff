package mtc

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Options are what an embedder changes in MTC's catalogue. The zero value
// changes nothing.
type Options struct {
	// Flags are flags of the embedder's own beside MTC's. The bit of the first
	// is [FirstOwnFlag].
	Flags []phases.FlagDef
	// Relations are relations between flags beside those of MTC.
	Relations []phases.Clause
	// Live are MTC's flags that are live here: see [phases.FlagDef].
	Live phases.Flags
	// Phases are phases by itinerary, each of which takes the place of the phase
	// of its name.
	Phases map[string][]phases.Phase
	// Descriptions are descriptions by the name of a phase, in all itineraries.
	Descriptions map[string]string
	// Steps are new names by the name of a step, in all itineraries.
	Steps map[string]string
	// FailedEndsAtOnce makes Failed go from MigrationFailed to Completed, as
	// upstream's handler does, so that registries and annotations stay. If
	// false, the phases between them run.
	FailedEndsAtOnce bool
}

// Catalogue is MTC's catalogue with an embedder's changes. It is plain data:
// a caller who adds or moves phases changes Itineraries before they are
// compiled.
type Catalogue struct {
	// Vocabulary has MTC's flags and then those of the embedder.
	Vocabulary *phases.Vocabulary
	// Itineraries are in the order of [Itineraries], over Vocabulary.
	Itineraries []phases.Itinerary
}

// NewCatalogue returns MTC's catalogue with the changes of o. The error joins
// all problems that were found: a [*phases.VocabularyError] of flags or
// relations, a [*phases.UnknownItineraryError] or an [*UnknownNameError] of a
// name that MTC does not have, and the [phases.DefinitionErrors] of the changed
// itineraries.
func NewCatalogue(o Options) (Catalogue, error) {
	v, err := o.vocabulary()
	if err != nil {
		return Catalogue{}, err
	}
	c := Catalogue{Vocabulary: v, Itineraries: Itineraries()}
	var errs []error
	if o.FailedEndsAtOnce {
		errs = append(errs, c.endFailedAtOnce())
	}
	errs = append(errs, c.replace(o.Phases), c.describe(o.Descriptions), c.renameSteps(o.Steps))
	for i := range c.Itineraries {
		c.Itineraries[i].Vocabulary = v
		errs = append(errs, c.Itineraries[i].Validate())
	}
	if err := errors.Join(errs...); err != nil {
		return Catalogue{}, err
	}
	return c, nil
}

// MustCatalogue is [NewCatalogue] for package-level tables: it panics where that
// returns an error.
func MustCatalogue(o Options) Catalogue {
	c, err := NewCatalogue(o)
	if err != nil {
		panic(err)
	}
	return c
}

// Sources is [Sources] over the vocabulary of the catalogue. A flag of the
// embedder's own has no source unless it is among the overrides.
func (c Catalogue) Sources(o Objects, overrides ...phases.Source) (*phases.Sources, error) {
	return o.sources(c.Vocabulary, overrides)
}

// vocabulary is [Vocabulary] if the options do not change it.
func (o Options) vocabulary() (*phases.Vocabulary, error) {
	if len(o.Flags) == 0 && len(o.Relations) == 0 && o.Live == 0 {
		return vocabulary, nil
	}
	defs := vocabulary.Defs()
	if own := o.Live &^ vocabulary.All(); own != 0 {
		return nil, &phases.VocabularyError{Row: len(defs), Name: fmt.Sprintf("%#x", uint64(own)), Problem: "is in Live, which is for MTC's flags; set Live of its FlagDef"}
	}
	for i := range defs {
		defs[i].Live = o.Live.Has(defs[i].Flag)
	}
	return phases.NewVocabulary(append(defs, o.Flags...), append(vocabulary.Relations(), o.Relations...)...)
}

func (c Catalogue) endFailedAtOnce() error {
	p, err := c.phase(Failed, PhaseMigrationFailed)
	if err == nil {
		p.Jumps = []phases.Jump{{To: PhaseCompleted}}
	}
	return err
}

// replace replaces phases, by itinerary.
func (c Catalogue) replace(replacements map[string][]phases.Phase) error {
	var errs []error
	for _, itinerary := range slices.Sorted(maps.Keys(replacements)) {
		for _, replacement := range replacements[itinerary] {
			p, err := c.phase(itinerary, replacement.Name)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			*p = replacement
		}
	}
	return errors.Join(errs...)
}

// phase is the phase of that name, to be changed.
func (c Catalogue) phase(itinerary, name string) (*phases.Phase, error) {
	var names []string
	for _, it := range c.Itineraries {
		if it.Name != itinerary {
			continue
		}
		for i := range it.Phases {
			if it.Phases[i].Name == name {
				return &it.Phases[i], nil
			}
			names = append(names, it.Phases[i].Name)
		}
		return nil, unknownName("phase", itinerary, name, names)
	}
	_, err := Itinerary(itinerary)
	return nil, err
}

// describe replaces descriptions, by phase.
func (c Catalogue) describe(descriptions map[string]string) error {
	return c.each("phase", descriptions, func(p *phases.Phase, value func(string) (string, bool)) {
		if text, ok := value(p.Name); ok {
			p.Description = text
		}
	})
}

// renameSteps renames steps, by their names.
func (c Catalogue) renameSteps(names map[string]string) error {
	return c.each("step", names, func(p *phases.Phase, value func(string) (string, bool)) {
		if name, ok := value(p.Step); ok {
			p.Step = name
		}
		p.Steps = slices.Clone(p.Steps)
		for i := range p.Steps {
			if name, ok := value(p.Steps[i].Step); ok {
				p.Steps[i].Step = name
			}
		}
	})
}

// each changes each phase: value looks a key up. A key that no phase looks up is
// an error; kind is what the keys are names of.
func (c Catalogue) each(kind string, values map[string]string, change func(p *phases.Phase, value func(key string) (string, bool))) error {
	var known []string
	for _, it := range c.Itineraries {
		for i := range it.Phases {
			change(&it.Phases[i], func(key string) (string, bool) {
				if key != "" && !slices.Contains(known, key) {
					known = append(known, key)
				}
				value, ok := values[key]
				return value, ok
			})
		}
	}
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, k) {
			errs = append(errs, unknownName(kind, "", k, known))
		}
	}
	return errors.Join(errs...)
}

func unknownName(kind, itinerary, name string, known []string) error {
	return &UnknownNameError{Kind: kind, Itinerary: itinerary, Name: name, Nearest: wording.Nearest(name, known), Known: known}
}
