package verify

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The rules of [Compat], by name. Names never change.
const (
	RuleItineraryGone     = "itinerary-gone"
	RulePhaseGone         = "phase-gone"
	RulePhaseRepeated     = "phase-repeated"
	RulePhaseSkipped      = "phase-skipped"
	RulePhaseReordered    = "phase-reordered"
	RuleStepGone          = "step-gone"
	RuleStepReordered     = "step-reordered"
	RuleFlagGone          = "flag-gone"
	RuleFlagNew           = "flag-new-and-unknown"
	RuleDefinitionChanged = "definition-changed"
	RuleInconclusive      = "inconclusive"
	RuleAcceptanceUnused  = "acceptance-unused"
	RuleAcceptanceExpired = "acceptance-expired"
)

var compatRules = []Rule{
	{RuleItineraryGone, Error, "A run is in an itinerary that the other release does not have, so that it cannot be resumed there."},
	{RulePhaseGone, Error, "A run can be in a phase, or its handler can have made a choice, " +
		"that the other release knows under no name, so that it cannot be resumed there."},
	{RulePhaseRepeated, Error, "A run that is resumed enters a phase that ran before, " +
		"although neither release enters it twice from start to end."},
	{RulePhaseSkipped, Error, "A run that is resumed never enters a phase that each of the two releases enters from start to end."},
	{RulePhaseReordered, Error, "A run that is resumed enters its phases in an order that neither release has from start to end."},
	{RuleStepGone, Warning, "A step that users see, as started or as still to come, belongs to no phase ahead any more."},
	{RuleStepReordered, Warning, "Two steps that users see as still to come change places."},
	{RuleFlagGone, Info, "A flag that the run has recorded is ignored, since the other release does not have it."},
	{RuleFlagNew, Warning, "A guard ahead depends on a flag that the run has not recorded, since its itinerary did not read it."},
	{RuleDefinitionChanged, Info, "The definition of the itinerary differs, so that the run is planned again."},
	{RuleInconclusive, Error, "A bound was hit before every state in flight was looked at, so that nothing is shown."},
	{RuleAcceptanceUnused, Warning, "An acceptance matches no break; remove it."},
	{RuleAcceptanceExpired, Warning, "An acceptance has expired; what it accepted counts again."},
}

// CompatRules returns the rules by which [Compat] finds breaks, in a stable order.
// The severity of a rule is that of most of its breaks; what counts is
// [Break.Severity].
func CompatRules() []Rule { return slices.Clone(compatRules) }

// Severity returns how much the break matters: by its kind, and [Warning] for
// acceptances that are unused or expired.
func (b Break) Severity() Severity {
	switch b.Rule {
	case RuleAcceptanceUnused, RuleAcceptanceExpired:
		return Warning
	}
	return b.Kind.Severity()
}

// Acceptable reports whether an acceptance can still cover the break: it is not accepted
// yet, and neither about an acceptance nor inconclusive.
func (b Break) Acceptable() bool {
	switch b.Rule {
	case RuleInconclusive, RuleAcceptanceUnused, RuleAcceptanceExpired:
		return false
	}
	return b.Accepted == ""
}

// Fingerprint names the break by its rule, kind, direction, itinerary and names,
// without prose and without the state: it stays the same when texts change. It is
// what an [Acceptance] holds.
func (b Break) Fingerprint() string {
	text := b.Rule
	for _, part := range []string{string(b.Direction), b.Itinerary} {
		text += "/" + url.PathEscape(part)
	}
	for _, part := range []struct{ key, value string }{
		{"phase", b.Phase}, {"choice", b.Choice}, {"step", b.Step}, {"flag", b.Flag}, {"acceptance", b.Acceptance},
	} {
		if part.value != "" {
			text += "/" + part.key + "=" + url.PathEscape(part.value)
		}
	}
	if b.Rule == RuleDefinitionChanged || b.Rule == RuleFlagNew { // rules with several kinds
		text += "/kind=" + string(b.Kind)
	}
	return text
}

// Object is a run that an object records.
type Object struct {
	// Name is what breaks call it: "namespace/name".
	Name string
	// Checkpoint is the recorded state. One without an itinerary is one of Selected.
	Checkpoint machine.Checkpoint
	// Selected is the itinerary that the object's state selects. If empty, it is the
	// recorded one.
	Selected string
}

// CompatOptions are the options of [Compat]; the zero value is a good one.
type CompatOptions struct {
	// Objects are runs in flight of the old release. Each break of the upgrade then
	// names those that meet it.
	Objects []Object
	// Acceptances are breaks that are intended. They cover breaks only in memory:
	// Break.Accepted holds the reason. What is inconclusive cannot be accepted.
	Acceptances []Acceptance
	// Now is when acceptances expire or not. If zero, it is the present time.
	Now time.Time
	// MaxNodes bounds the memory for the sets of states of one itinerary, in nodes of
	// some 100 bytes, and MaxVisits the time, in visits of one state to one phase of
	// some microseconds. Zero means [DefaultMaxNodes] and [DefaultMaxVisits]. What
	// hits a bound is [RuleInconclusive].
	MaxNodes, MaxVisits int

	// everything looks at all states also if the definitions are the same.
	everything bool
}

// The bounds of options that set none.
const (
	DefaultMaxNodes  = 1 << 20
	DefaultMaxVisits = 1 << 20
)

// CompatReport is the result of [Compat].
type CompatReport struct {
	// Breaks are what runs in flight meet, in a stable order: by direction, itinerary
	// and kind. It is empty, never nil, if there are none.
	Breaks []Break
	// Unplaced are the objects that are in no state of the old release, in order.
	Unplaced []*PlaceError
}

// Reaches reports whether a break that is not accepted reaches the level.
func (r *CompatReport) Reaches(level Severity) bool {
	return slices.ContainsFunc(r.Breaks, func(b Break) bool { return b.Accepted == "" && b.Severity().Reaches(level) })
}

// PlaceError reports an object whose recorded state is none that a run of the
// release can be in.
type PlaceError struct {
	Object, Itinerary, Phase string
	Problem                  string
	Err                      error // the cause, or nil
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("%s, itinerary %q at %q: %s", e.Object, e.Itinerary, e.Phase, e.Problem)
}

// Unwrap returns the cause, or nil.
func (e *PlaceError) Unwrap() error { return e.Err }

// Compat works out every state that a run of the old release can be in, resumes it
// in the new one, and returns what it meets there; and the other way round, for a
// rollback. It is safe for concurrent use.
//
// A state is a phase, the flags as the run knows them, and the phases that ran. A
// run may begin in each itinerary, with any flags that the relations allow, and
// enters it from whichever it may leave. Each phase finds for the flags that it
// decides, live ones included, any value that the relations allow. Two runs are
// compared over the same start and the same findings: a phase finds the same in
// both releases, unless it is in a loop. What loops find does not compare: a phase is
// skipped only if the run does not enter it whatever they find. A waiting itinerary
// gets to know what it depends on, so that both values of a flag that is unknown are
// looked at; in a cleanup itinerary a flag, or what a phase finds, may also stay
// unknown. Relations hold of what a run finds in the new release as far as both
// releases have them, or they read a flag that is new.
//
// Phases are the same in both releases if they have one name, or if one of them is
// formerly the other.
//
// Whether each run of a release comes to its end is what [Check] decides
// ([EndUnreachable], [LoopNeverEnds]), and is not compared.
func Compat(old, new *Release, o CompatOptions) *CompatReport {
	if o.MaxNodes <= 0 {
		o.MaxNodes = DefaultMaxNodes
	}
	if o.MaxVisits <= 0 {
		o.MaxVisits = DefaultMaxVisits
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	r := &CompatReport{Breaks: []Break{}}
	r.compare(old, new, Upgrade, o)
	r.compare(new, old, Rollback, o)
	r.accept(o.Acceptances, o.Now)
	return r
}

// compare adds the breaks of one direction.
func (r *CompatReport) compare(old, new *Release, d Direction, o CompatOptions) {
	var places *placing
	if d == Upgrade && o.Objects != nil {
		places = newPlaces(old, new, o.Objects)
	}
	for _, b := range relations(old, new, d) {
		if o.Objects != nil {
			b.Objects = places.all()
		}
		r.Breaks = append(r.Breaks, b)
	}
	for _, itinerary := range old.Itineraries() {
		n := newInspection(old, new, d, itinerary, o)
		n.inspect()
		if d == Upgrade {
			n.suggest(o)
		}
		breaks := n.breaks()
		if o.Objects != nil {
			places.fill(n, breaks)
		}
		r.Breaks = append(r.Breaks, breaks...)
	}
	if places != nil {
		r.Unplaced = places.unplaced
	}
}

// breaks returns what was found, by kind and rule.
func (n *inspection) breaks() []Break {
	breaks := make([]Break, len(n.order))
	for i, key := range n.order {
		breaks[i] = n.found[key].Break
	}
	kinds := []Kind{StateKind, WorkKind, ViewKind, DefinitionKind}
	slices.SortStableFunc(breaks, func(a, b Break) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
			cmp.Compare(compatRuleIndex(a.Rule), compatRuleIndex(b.Rule)))
	})
	return breaks
}

func compatRuleIndex(name string) int {
	return slices.IndexFunc(compatRules, func(r Rule) bool { return r.Name == name })
}

// relations compares the relations of two releases.
func relations(old, new *Release, d Direction) []Break {
	texts := func(v *phases.Vocabulary, other *phases.Vocabulary) (only []string) {
		var theirs []string
		for _, c := range other.Relations() {
			theirs = append(theirs, strings.Join(sortedLiterals(other, c), " or "))
		}
		for _, c := range v.Relations() {
			if text := strings.Join(sortedLiterals(v, c), " or "); !slices.Contains(theirs, text) {
				only = append(only, text)
			}
		}
		return only
	}
	gone, added := texts(old.flags, new.flags), texts(new.flags, old.flags)
	var parts []string
	if gone != nil {
		parts = append(parts, fmt.Sprintf("%s does not have: %s", new.name, wording.Some(gone, 8)))
	}
	if added != nil {
		parts = append(parts, fmt.Sprintf("%s does not have: %s", old.name, wording.Some(added, 8)))
	}
	if parts == nil {
		return nil
	}
	return []Break{{
		Rule: RuleDefinitionChanged, Kind: DefinitionKind, Direction: d,
		Text: "the relations between flags differ, so that other flags are possible; " + strings.Join(parts, "; "),
	}}
}
