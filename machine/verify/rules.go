package verify

import "slices"

// The names of the rules of [Check]. They never change.
const (
	PhaseNeverRuns               = "phase-never-runs"
	StepNeverShown               = "step-never-shown"
	GuardContradictsRelations    = "guard-contradicts-relations"
	GuardRedundantFlag           = "guard-redundant-flag"
	FlagNeverRead                = "flag-never-read"
	FlagReadBeforeDecided        = "flag-read-before-decided"
	DecidesNeverRead             = "decides-never-read"
	StepCutInTwo                 = "step-cut-in-two"
	RidesAlone                   = "rides-alone"
	EndUnreachable               = "end-unreachable"
	LoopNeverEnds                = "loop-never-ends"
	JumpNeverTaken               = "jump-never-taken"
	JumpsOverlap                 = "jumps-overlap"
	ItineraryUnreachable         = "itinerary-unreachable"
	NameNotURLSafe               = "name-not-url-safe"
	NamesDifferByCase            = "names-differ-by-case"
	CleanupPhaseWithoutDeadline  = "cleanup-phase-without-deadline"
	PhaseWithoutHandler          = "phase-without-handler"
	RelationContradictsRelations = "relation-contradicts-relations"
	FormerNameReused             = "former-name-reused"
	SuppressionUnused            = "suppression-unused"
	NotDecided                   = "not-decided"
)

// checkedRule is a rule and its check: for all itineraries together, or for each one.
// Two rules are about the check itself and have neither.
type checkedRule struct {
	Rule
	set  func(*checker)
	each func(*subject)
}

// table returns the rules in the order in which they are listed.
func table() []checkedRule {
	return []checkedRule{
		{Rule{PhaseNeverRuns, Warning,
			"No run ever enters the phase, neither from the beginning of its itinerary nor under a former name."},
			nil, (*subject).phaseNeverRuns},
		{Rule{StepNeverShown, Warning,
			"No phase that makes the step visible ever runs under it."},
			nil, (*subject).stepNeverShown},
		{Rule{GuardContradictsRelations, Warning,
			"No assignment that the relations allow satisfies the guard of a phase, a jump or a step."},
			nil, (*subject).guardContradictsRelations},
		{Rule{GuardRedundantFlag, Info,
			"A guard that can admit gives the same answer without the flag, for every assignment that the relations allow."},
			nil, (*subject).guardRedundantFlag},
		{Rule{FlagNeverRead, Info,
			"No guard of any itinerary reads the flag."},
			(*checker).flagNeverRead, nil},
		{Rule{FlagReadBeforeDecided, Warning,
			"Guards of the itinerary read a flag that its phases decide, but none of them belongs to or follows such a phase."},
			nil, (*subject).flagReadBeforeDecided},
		{Rule{DecidesNeverRead, Info,
			"A phase decides a flag that no guard reads after it, neither in its itinerary nor in one that a run may switch to."},
			nil, (*subject).decidesNeverRead},
		{Rule{StepCutInTwo, Warning,
			"A run leaves the step for another one and returns to it; phases that ride do not count."},
			nil, (*subject).stepCutInTwo},
		{Rule{RidesAlone, Info,
			"A phase that rides runs while nothing makes its step visible, so it is reported under another step."},
			nil, (*subject).ridesAlone},
		{Rule{EndUnreachable, Error,
			"A run can be in the phase with flags from which no path leads to the end of the itinerary."},
			nil, (*subject).endUnreachable},
		{Rule{LoopNeverEnds, Error,
			"A run can enter a loop that it never leaves, because its exits read only flags that are not live and that no phase in it decides."},
			nil, (*subject).loopNeverEnds},
		{Rule{JumpNeverTaken, Warning,
			"No run ever takes the jump: its phase never runs, its guard never admits there, or another jump always comes first."},
			nil, (*subject).jumpNeverTaken},
		{Rule{JumpsOverlap, Info,
			"Two guarded jumps of a phase lead to different phases and can admit at the same time, so their order decides."},
			nil, (*subject).jumpsOverlap},
		{Rule{ItineraryUnreachable, Warning,
			"The selector never returns the itinerary, or it returns a name that no itinerary has."},
			(*checker).itineraryUnreachable, nil},
		{Rule{NameNotURLSafe, Warning,
			"The name of an itinerary, a phase or a step is \".\" or \"..\", or has characters other than ASCII letters, digits, '-', '.', '_' and '~'."},
			(*checker).nameNotURLSafe, nil},
		{Rule{NamesDifferByCase, Warning,
			"Two itineraries, phases, steps or flags have names that differ only in case."},
			(*checker).namesDifferByCase, nil},
		{Rule{CleanupPhaseWithoutDeadline, Warning,
			"A phase of a cleanup itinerary has no deadline, so it can keep the run from its end forever."},
			nil, (*subject).cleanupPhaseWithoutDeadline},
		{Rule{PhaseWithoutHandler, Error,
			"A phase that is not an end phase has no handler."},
			nil, (*subject).phaseWithoutHandler},
		{Rule{RelationContradictsRelations, Error,
			"No assignment satisfies the relation together with the relations before it."},
			(*checker).relationContradictsRelations, nil},
		{Rule{FormerNameReused, Warning,
			"A former name of a phase is the current name of a phase of another itinerary."},
			(*checker).formerNameReused, nil},
		{Rule{SuppressionUnused, Warning,
			"A suppression covers no finding although its rule is checked, or cannot be used."}, nil, nil},
		{Rule{NotDecided, Warning,
			"A rule was not decided, because it would take more memory or time than the verifier allows."}, nil, nil},
	}
}

// Rules returns the catalogue of rules, in the order in which they are checked.
// Each call makes a new list.
func Rules() []Rule {
	var rules []Rule
	for _, r := range table() {
		rules = append(rules, r.Rule)
	}
	return rules
}

// Rules returns the rules that [Check] checks with these options, in their order:
// [ItineraryUnreachable] only with Selected, and [PhaseWithoutHandler] and
// [CleanupPhaseWithoutDeadline] only with the functions of Runner. Each call makes a new list.
func (o Options) Rules() []Rule {
	return slices.DeleteFunc(Rules(), func(r Rule) bool { return !o.checks(r.Name) })
}

func (o Options) checks(rule string) bool {
	switch rule {
	case ItineraryUnreachable:
		return o.Selected != nil
	case PhaseWithoutHandler:
		return o.Runner != nil && o.Runner.HasHandler != nil
	case CleanupPhaseWithoutDeadline:
		return o.Runner != nil && o.Runner.HasDeadline != nil
	}
	return true
}

// ruleIndex returns the index of a rule in the catalogue, or -1.
func ruleIndex(rules []Rule, name string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
}
