// Package steps is what people see of a migration: the [Pipeline] in the
// status of its custom resource, a [Step] at a time.
//
// [Visible] tells the steps that a plan will really show, and [Sync] brings a
// pipeline to a moment of a migration: steps that will run are listed and no
// other, a step that has started stays in its place for good, and a step is
// completed when nothing ahead belongs to it.
package steps
