// Package steps maintains what users see of a run: the [Pipeline] in the status of its custom
// resource, a list of [Step] values.
//
// [Visible] returns the steps that a plan shows. [Sync] updates a pipeline to the current state of
// a run: it lists the steps that will run and no others, except those of which this is unknown,
// which it keeps as its comment describes. A step that has started keeps its place, and a step is
// completed when nothing ahead belongs to it. [ProgressOf] counts the steps.
//
// A controller whose status has its own step type keeps that type. [FromAlike] and [ToAlike]
// convert a type that has the same JSON as a step. [SyncOf] works on any other through an
// [Accessor]. Fields that Step does not have survive.
//
// The package writes no objects and runs no phases: the embedder stores the pipeline.
package steps
