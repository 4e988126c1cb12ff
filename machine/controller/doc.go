// Package controller drives a runner from controller-runtime: a reconciler
// that an embedder can use as it is.
//
// A [Reconciler] reads the object, calls the runner once, and writes what came
// of it in one patch with an optimistic lock, and in none where nothing
// changed. It says when to come back, sets conditions, and tells of what has
// happened in Kubernetes events, metrics and spans, where the embedder gives it
// a recorder, a registerer or a tracer provider. Nothing is global.
//
// # What is written
//
// Handlers get a copy of the object that they may change: its status and, where
// the status is no subresource, its annotations, labels, finalizers and owner
// references, are written together with the state, also where the handler
// returned an error. The spec is never written, and with a status subresource
// nothing but the status, so that it stays one write; what else a handler
// changed on its copy is forgotten.
//
// # Conflicts
//
// Where somebody else has written the object meanwhile, it is read again and
// what the reconcile changed is put onto it; handlers are not called again for
// that. Fields are merged as a JSON merge patch merges them, so a list is
// replaced as a whole, but conditions are merged by their type, and what others
// write as well by the embedder's Merge. If the fresh
// object's checkpoint is not the one that the reconcile started from, another
// replica or a person has moved the migration: what came of this reconcile is
// dropped, and the next one starts from there.
//
// # Reading behind one's own writes
//
// A cache may be behind. The reconciler remembers which version of an object it
// wrote last, and does not run a phase a second time from an older one. It is
// a help and not needed: without it (after a restart, on another replica) the
// write of a stale reconcile conflicts, and is dropped.
package controller
