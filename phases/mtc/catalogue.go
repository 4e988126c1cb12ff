package mtc

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Options describes an embedder's changes to MTC's catalogue. The zero value
// changes nothing.
type Options struct {
	// Flags are additional flags. The bit of the first is [FirstOwnFlag].
	Flags []phases.FlagDef
	// Relations are additional relations between flags.
	Relations []phases.Clause
	// Live is the set of MTC's flags that are live; see [phases.FlagDef].
	Live phases.Flags
	// Phases holds phases by itinerary. Each replaces the phase of the same name.
	Phases map[string][]phases.Phase
	// Descriptions holds new descriptions by phase name, for all itineraries.
	Descriptions map[string]string
	// Steps holds new step names by present name, for all itineraries.
	Steps map[string]string
	// FailedEndsAtOnce makes Failed jump from MigrationFailed to Completed, as
	// upstream's handler does; registries and annotations then stay. If false,
	// the phases between the two run.
	FailedEndsAtOnce bool
}

// Catalogue is MTC's catalogue with an embedder's changes. It is plain data: to
// add or move phases, change Itineraries before you compile them.
type Catalogue struct {
	// Vocabulary has MTC's flags, followed by those of the embedder.
	Vocabulary *phases.Vocabulary
	// Itineraries are in the order of the function [Itineraries]. All use
	// Vocabulary.
	Itineraries []phases.Itinerary
}

// NewCatalogue returns MTC's catalogue with the changes of o. For
// invalid flags or relations the error is a [*phases.VocabularyError] and reports
// nothing else. Otherwise it joins all problems: a [*phases.UnknownItineraryError] or
// an [*UnknownNameError] for each name that MTC does not have, and the
// [phases.DefinitionErrors] of the changed itineraries.
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

// MustCatalogue is [NewCatalogue] for package-level variables: it panics instead of
// returning an error.
func MustCatalogue(o Options) Catalogue {
	c, err := NewCatalogue(o)
	if err != nil {
		panic(err)
	}
	return c
}

// Sources is the function [Sources] for the vocabulary of the catalogue, with the
// same errors. Pass the sources of the additional flags as overrides; those flags
// have no others.
func (c Catalogue) Sources(o Objects, overrides ...phases.Source) (*phases.Sources, error) {
	return o.sources(c.Vocabulary, overrides)
}

// vocabulary returns the changed vocabulary, or [Vocabulary] itself if the options
// do not change it.
func (o Options) vocabulary() (*phases.Vocabulary, error) {
	if len(o.Flags) == 0 && len(o.Relations) == 0 && o.Live == 0 {
		return vocabulary, nil
	}
	defs := vocabulary.Defs()
	if own := o.Live &^ vocabulary.All(); own != 0 {
		return nil, &phases.VocabularyError{
			Row: len(defs), Name: fmt.Sprintf("%#x", uint64(own)),
			Problem: "is in Live, which is for MTC's flags; set Live of its FlagDef",
		}
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

// phase returns the phase of that name for the caller to change.
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

// each calls change for each phase. change looks keys of values up with value; a
// key that no phase looks up is an error. kind names the kind of the keys.
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
