// Package steps is what users see of a run: the [Pipeline] in the
// status of its custom resource, a [Step] at a time.
//
// [Visible] returns the steps that a plan shows, and [Sync] brings a
// pipeline to a moment of a run: steps that will run are listed and no
// other, a step that has started stays in its place for good, and a step is
// completed when nothing ahead belongs to it. [ProgressOf] counts them.
//
// A controller whose status has a step type of its own keeps it: [FromAlike] and
// [ToAlike] convert one whose JSON is that of a step, and [SyncOf] works on any
// other through an [Accessor]. Fields that a step does not have survive.
package steps
