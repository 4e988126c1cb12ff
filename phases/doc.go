// Package phases defines the data that an itinerary is made of: flags, guards, phases,
// and the facts that are known of the flags. It is pure data with its checks, its YAML
// form ([Load], [Save]) and the evaluation of flags ([Sources.Evaluate]). The README of
// the package is the reference of the YAML format.
//
// It is not for running an itinerary, which package machine does, or for showing its
// progress to users, which package steps does.
//
// A flag is a named yes/no property of one run. A [Vocabulary] names up to 64 of them,
// describes them, and holds the relations between them. A [Guard] is the condition, over
// flags, under which a [Phase] runs. An [Itinerary] is a named, ordered
// list of phases. [Facts] record for each flag whether it is true, false or unknown,
// and unknown is never taken for false.
//
// Everything here is either a plain value, or safe for concurrent use and immutable once
// made, except [LeftBehind], which is only safe for concurrent use.
package phases
