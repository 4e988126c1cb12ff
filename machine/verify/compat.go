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
	{RuleItineraryGone, Error, "A run is in an itinerary that the other release does not have, so it cannot be resumed there."},
	{RulePhaseGone, Error, "A run can be in a phase, or its handler can have made a choice, " +
		"that the other release does not know under any name, so it cannot be resumed there."},
	{RulePhaseRepeated, Error, "A resumed run enters a phase that ran before, " +
		"although neither release enters it twice from start to end."},
	{RulePhaseSkipped, Error, "A resumed run never enters a phase that both releases enter from start to end."},
	{RulePhaseReordered, Error, "A resumed run enters its phases in an order that neither release has from start to end."},
	{RuleStepGone, Warning, "A step that users see, as started or as still to come, no longer has a phase ahead."},
	{RuleStepReordered, Warning, "Two steps that users see as still to come change places."},
	{RuleFlagGone, Info, "A flag that the run has recorded is ignored, because the other release does not have it."},
	{RuleFlagNew, Warning, "A guard ahead depends on a flag that the run has not recorded, because its itinerary did not read it."},
	{RuleDefinitionChanged, Info, "The definition of the itinerary differs, so the run is replanned."},
	{RuleInconclusive, Error, "A limit was reached before every state in flight was examined, so nothing is proved."},
	{RuleAcceptanceUnused, Warning, "An acceptance matches no break, or cannot be used."},
	{RuleAcceptanceExpired, Warning, "An acceptance has expired; the break that it accepted counts again."},
}

// CompatRules returns the rules by which [Compat] finds breaks, in a stable order. The
// severity of a rule is that of most of its breaks; [Break.Severity] is that of one
// break.
func CompatRules() []Rule { return slices.Clone(compatRules) }

// Severity returns how much the break matters: the severity of its kind, or [Warning]
// for an acceptance that is unused or expired.
func (b Break) Severity() Severity {
	switch b.Rule {
	case RuleAcceptanceUnused, RuleAcceptanceExpired:
		return Warning
	}
	return b.Kind.Severity()
}

// Acceptable reports whether an acceptance can cover the break. It cannot if the break is
// accepted already, is about an acceptance, or is inconclusive.
func (b Break) Acceptable() bool {
	switch b.Rule {
	case RuleInconclusive, RuleAcceptanceUnused, RuleAcceptanceExpired:
		return false
	}
	return b.Accepted == ""
}

// Fingerprint identifies the break by its rule, direction, itinerary and names, and by its
// kind if the rule has several, without prose and without the state, so it stays the same
// when texts change. An [Acceptance] refers to it.
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

// Object is an object that records a run.
type Object struct {
	// Name identifies the object in breaks: "namespace/name".
	Name string
	// Checkpoint is the recorded state. If it names no itinerary, Selected is used.
	Checkpoint machine.Checkpoint
	// Selected is the itinerary that the object's state selects. If empty, it is the
	// recorded one.
	Selected string
}

// CompatOptions are the options of [Compat]. The zero value is ready to use.
type CompatOptions struct {
	// Objects record runs in flight of the old release. If not nil, each break of the
	// upgrade names those that meet it.
	Objects []Object
	// Acceptances are breaks that are intended. A covered break stays in the report,
	// with the reason in Break.Accepted. An inconclusive result cannot be accepted.
	Acceptances []Acceptance
	// Now decides which acceptances have expired. If zero, it is the present time.
	Now time.Time
	// MaxNodes bounds the memory for the sets of states of one itinerary, in nodes of
	// some 100 bytes. MaxVisits bounds the time, in visits of one state to one phase,
	// each some microseconds. Zero means [DefaultMaxNodes] and [DefaultMaxVisits].
	// Exceeding a bound is [RuleInconclusive].
	MaxNodes, MaxVisits int

	// everything examines all states even if the definitions are the same.
	everything bool
}

// The default bounds of [CompatOptions].
const (
	DefaultMaxNodes  = 1 << 20
	DefaultMaxVisits = 1 << 20
)

// CompatReport is the result of [Compat].
type CompatReport struct {
	// Breaks are the breaks that runs in flight meet, in a stable order: by direction,
	// itinerary and kind, and those about acceptances last. It is empty, never nil, if
	// there are none.
	Breaks []Break
	// Unplaced are the objects that are in no state of the old release, in a stable order.
	Unplaced []*PlaceError
}

// Reaches reports whether a break that is not accepted reaches the level.
func (r *CompatReport) Reaches(level Severity) bool {
	return slices.ContainsFunc(r.Breaks, func(b Break) bool { return b.Accepted == "" && b.Severity().Reaches(level) })
}

// PlaceError reports an object whose recorded state no run of the release can be in.
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

// Compat computes every state that a run of the old release can be in, resumes it in
// the new release, and returns the breaks that it meets. It then does the same from the
// new release to the old one, for a rollback. It is safe for concurrent use.
//
// A state is a phase, the flags as the run knows them, and the phases that ran. A run
// may begin in any itinerary, with any flags that the relations allow, because it may
// be switched there from another. A phase may find any value that the relations allow
// for the flags that it decides, live ones included. Two runs are compared over the
// same start and the same findings: a phase finds the same in both releases, unless it
// is in a loop. Findings in loops are not comparable: a phase counts as skipped only if
// the run does not enter it whatever the loops find. A waiting itinerary learns the
// flags that it depends on, so both values of an unknown flag are examined. In a
// cleanup itinerary, a flag or a finding may also stay unknown. A relation holds for
// the findings of a run in the new release if both releases have it, or if it reads a
// new flag.
//
// Phases are the same in both releases if they have the same name, or if one name is a
// former name of the other phase.
//
// Whether each run of a release reaches its end is decided by [Check]
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

// breaks returns the breaks found, ordered by kind and rule.
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
		Text: "the relations between flags differ, so other combinations are possible; " + strings.Join(parts, "; "),
	}}
}
