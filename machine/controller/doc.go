// Package controller drives a runner from controller-runtime: a reconciler
// that an embedder can use as it is.
//
// A [Reconciler] reads the object, calls the runner once, and writes the result
// in one patch with an optimistic lock, or not at all if nothing changed. It
// returns when to come back, and sets conditions. If the embedder gives it a
// recorder, a registerer or a tracer provider, it also reports what happened as
// Kubernetes events, metrics and spans; with a [debug.Recorder], pages can
// show the runs. Nothing is global.
//
// # What is written
//
// Handlers get a copy of the object that they may change. Its status and, if
// the status is no subresource, its annotations, labels, finalizers and owner
// references, are written together with the state, also if the handler returned
// an error. The spec is never written, and with a status subresource nothing
// but the status, so that it stays one write; other changes of a handler to its
// copy are discarded.
//
// # Conflicts
//
// If another client has written the object since it was read, it is read again
// and the changes of the reconcile are put onto it; handlers are not called
// again for that. Fields are merged as a JSON merge patch merges them:
// annotations and labels by their key, and a list as a whole. Conditions are
// merged by their type, finalizers by their name and owner references by their
// UID; for other lists there is Merge in the options. The state is never
// merged: if it is not the one that the reconcile started from, another replica
// or a user has moved the run, so the result of this reconcile is discarded and
// the next one starts from there.
//
// # Many runs in one object
//
// With a [List] in the options an object has a run for each item of a list, such
// as the virtual machines of a plan, each with its own itinerary, state and
// pipeline in the embedder's own type. Of N items at most MaxAtWork are at work
// at once; the order of the list decides who begins next. One reconcile calls
// the runs that are due, one after the other, and writes all that came of it
// once; it comes back for the run that is due first. What goes wrong with one
// item does not concern the others.
//
// A run is called when its own time has come, and when anything else than the
// time wakes the object. Whether an event of what handlers watch came together
// with the time of another item cannot be told, so a run that waits is called
// again within ten seconds then.
//
// The states of all items together take at most [MaxStates]: each item has an
// equal share, to which its texts are cut. An object with more items than that
// suffices for is refused with a [*TooManyItemsError], before anything begins.
// Conditions sum up the items ([Summary]); messages of conditions and events,
// log lines and spans name the item, metrics do not.
//
// # Errors
//
// An error of a handler, or of a flag, is in the state while it lasts, and so in
// the condition Running ([ReasonRetrying], [ReasonFlagsUnknown]); the
// reconciler comes back when the runner says. An error that stops the run
// ([runner.IsTerminal]) is there as well ([ReasonStopped]), and any change of
// the object wakes the run. If the state itself cannot be read or written, the
// object as it was read gets the condition, and nothing else is written:
// [*runner.AnnotationError], [*NotPersistedError], [*RefusedError].
//
// # Reading behind one's own writes
//
// A cache may be behind. The reconciler remembers which version of an object it
// wrote last, and does not run a phase a second time from an older one. This
// only saves work: without it (after a restart, on another replica) the write of
// a stale reconcile conflicts, and is discarded.
package controller
