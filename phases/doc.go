// Package phases holds what an itinerary is made of: flags, guards, phases,
// and the facts that are known of the flags. It is pure data, with its checks,
// its YAML form ([Load], [Save]) and the evaluation of flags ([Sources.Evaluate]). How
// an itinerary runs is the business of package machine; what people see of it,
// of package steps.
//
// A flag is a named yes/no fact about one run. A [Vocabulary] names up
// to 64 of them, describes them, and holds the relations between them. A
// [Guard] decides by flags whether a [Phase] runs. An [Itinerary] is a named,
// ordered list of phases. [Facts] say of each flag whether it is true, false
// or unknown, and unknown is never taken for false.
//
// Everything here is either a plain value, or immutable once made and safe
// for concurrent use.
package phases
