// Package controller advances the runs of a custom resource on controller-runtime. It is
// a reconciler to which an embedder adds handlers.
//
// A [Reconciler] reads the object, calls the runner once, and writes the result in one
// patch with an optimistic lock, or not at all if nothing changed. It returns when to come
// back, and sets conditions. With a recorder, a registerer or a tracer provider it also
// reports Kubernetes events, metrics and spans. With a [debug.Recorder], pages show the
// runs. Nothing is global.
//
// A whole controller is the options and the handlers:
//
//	func Add(mgr manager.Manager) error {
//		return controller.AddToManager(mgr, controller.Options[*Backup]{
//			New:               func() *Backup { return &Backup{} },
//			StatusSubresource: true,
//			Conditions:        controller.NewConditions(func(b *Backup) *[]metav1.Condition { return &b.Status.Conditions }),
//			Runner: runner.Options[*Backup]{
//				Itineraries: itineraries,
//				Storage:     runner.NewStatusStorage(func(b *Backup) *runner.State { return &b.Status.State }),
//				Select:      func(context.Context, *Backup) (string, error) { return "Backup", nil },
//				Sources:     sources,
//				Phases:      map[string]runner.Phase[*Backup]{"Upload": {Handler: runner.HandlerFunc[*Backup](Upload)}},
//			},
//		}, func(b *builder.Builder) { b.Owns(&batchv1.Job{}) })
//	}
//
//	func Upload(ctx context.Context, b *Backup) (runner.Result, error) {
//		job, err := ensureJob(ctx, b) // starts it if there is none; called at least once
//		if err != nil || job.Status.CompletionTime == nil {
//			return runner.Wait(0, "Uploading"), err // an error is retried; an event of the job wakes the run
//		}
//		return runner.Done(), nil
//	}
//
// The package is for controllers that have no loop of phases, or give theirs up. To keep a
// loop, use machine/runner or machine.
//
// # What is written
//
// Handlers receive a copy of the object, which they may change. The reconciler writes its
// status together with the state, even if the handler returned an error. If the status is
// not a subresource, it also writes annotations, labels, finalizers and owner references.
// With a status subresource it writes nothing else, to keep it one write. It never writes
// the spec. Other changes of a handler to its copy are discarded.
//
// # Conflicts
//
// If another client has written the object since it was read, it is read again and the
// changes of the reconcile are put onto it; handlers are not called again for that. Fields
// are merged as by a JSON merge patch: annotations and labels by their key, and a list as
// a whole. Conditions are merged by their type, finalizers by their name and owner
// references by their UID. For other lists, set Merge in the options. The state is never
// merged: if it is not the one from which the reconcile started, another replica or a user
// has moved the run. The result of this reconcile is then discarded, and the next one
// starts from the new state.
//
// # Many runs in one object
//
// With a [List] in the options, an object has a run for each item of a list, such as the
// virtual machines of a plan. Each has its own itinerary, state and pipeline in the
// embedder's own type. At most MaxAtWork items are at work at once; the order of the list
// determines which begins next. One reconcile calls the runs that are due, one after the
// other, writes all results once, and comes back for the run that is due first. A problem
// of one item does not affect the others.
//
// A run is called when its own time has come, and when anything other than time wakes the
// object. An event of an object that handlers watch may arrive when another item is due. So
// when an item is due, all runs that wait for events only are called too. Any other waiting
// run is called ten seconds after its last call, or at once if that was longer ago. When one
// of these is called early, the others are called with it.
//
// The states of all items together take at most [MaxStates]. Each item has an equal
// share, to which its texts are cut. An object with more items than fit is refused with a
// [*TooManyItemsError]: none of its runs begins or continues until it has fewer.
// Conditions summarize the items ([Summary]). Messages of conditions and events, log
// lines and spans name the item; metrics do not.
//
// # Errors
//
// An error of a handler, or of a flag for which the run waits, is in the state while it
// lasts, and so in the condition Running ([ReasonRetrying], [ReasonFlagsUnknown]). Errors
// of other flags are only counted by the metrics. The reconciler comes back
// when the runner asks for it. An error that stops the run ([runner.IsTerminal]) is there
// too ([ReasonStopped]), and any change of the object wakes the run. If the state cannot
// be read or written ([*runner.AnnotationError], [*NotPersistedError],
// [*RefusedError]), only conditions are then written, onto the object as it was read or,
// for a [*NotPersistedError], as the API server returned it.
//
// # Stale caches
//
// A cache may be behind. The reconciler remembers which version of an object it wrote
// last, and does not run a phase a second time from an older one. This only saves work:
// without it, after a restart or on another replica, the write of a stale reconcile
// conflicts and is discarded.
package controller
