// Package runner advances one run of one object by one phase: a controller calls
// [Runner.Reconcile], persists the [State], and comes back when the [Outcome] asks for it.
//
// The embedder provides [Options]: handlers for the phases, sources for the flags, a
// selector of itineraries, and a [Storage] for the state on its own type. A reconcile
// calls the handler of the current phase. Once the work of the phase is done, it evaluates
// the flags that the phase decides, updates the plan and the pipeline, and enters the next
// phase.
//
// # The reconcile loop
//
// Whatever drives the runner does this, for one object at a time:
//
//	r, err := runner.New(options) // once; an *OptionsError lists every problem
//	if err != nil {
//		return err
//	}
//	for {
//		object, err := read(ctx, key) // the newest version, with its state
//		if err != nil {
//			return err
//		}
//		out, err := r.Reconcile(ctx, object)
//		if out.Changed || changed(object) { // even if err is not nil: the error is in the state
//			if err := write(ctx, object); err != nil {
//				continue // nothing is lost: read again, and call the handler again
//			}
//		}
//		switch {
//		case err != nil && !out.Requeue && !runner.IsTerminal(err):
//			rateLimit(ctx, key) // the state could not be read or written
//		case !out.Requeue:
//			waitForChange(ctx, key) // done, paused, stopped, or waiting for watches
//		default:
//			sleep(ctx, out.RequeueAfter)
//		}
//	}
//
// On controller-runtime, machine/controller is this loop, with conflicts, conditions,
// events and metrics. Use the runner alone in another kind of loop, or on objects that are
// not in a cluster. To keep your own loop and dispatch of handlers, use package machine.
//
// # When a phase fails
//
// A handler that returns [Fail] ends its phase for good. Select is then called again, and must
// return another itinerary, usually a cleanup itinerary. If it returns the same itinerary as
// before, the run stops with an [UnansweredFailureError]. The state counts failed phases, so a
// selector needs no more than this:
//
//	Select: func(_ context.Context, b *Backup) (string, error) {
//		if b.Spec.Canceled || b.Status.Run.FailedPhases > 0 {
//			return "CleanUp", nil
//		}
//		return "Backup", nil
//	},
//
// In an itinerary marked as Cleanup, a phase that fails is counted, and the next one runs.
//
// # What is persisted
//
// Persist all of [State], in one write: it is plain data, bounded in size, and all that a
// runner knows about a run. A crash before the write repeats the work of the phase, so
// handlers must be idempotent ([Handler]). The state also records problems while they last:
// a retry ([Retry]), the reason of a stop ([Stop]), and a selected itinerary that is not
// entered. When the run is done, the state has its result.
//
// [State.Status] derives from the state alone what a run does at a moment, since when and
// why, for tables, pages and metrics. [DecodeState] reads a state from JSON.
//
// When the object's token changes ([Options].Token), another run follows one that has
// ended, from the start or from the phase that failed. Everything that happens is reported
// to observers as events; see [NewLogrObserver] and [NewSlogObserver].
//
// # Limits
//
// A runner never sleeps and never writes to a cluster. It starts no goroutine that outlives
// the call, except for a source that does not return although its context is done
// ([phases.LeftBehind]).
package runner
