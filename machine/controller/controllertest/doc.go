// Package controllertest tests a controller against faults between it and its API server:
// requests that fail, answers that are lost or late, conflicts, stale reads, and a crash at
// any request. It works with the fake client of controller-runtime and with a real API
// server.
//
// # One fault
//
// An [Injector] is placed between a controller and the server. Its clients count the
// requests of the controller, and inject a [Fault] into those that it matches.
// [Injector.Restart] begins a new process of the controller after a crash.
//
//	injector := controllertest.NewInjector(server, controllertest.Fault{
//		Kind: controllertest.CrashAfter, Verb: "patch", Object: "Backup", Subresource: "status", Nth: 2})
//	r := newReconciler(injector.Client(), injector.Reader())
//
// # All faults
//
// [Sweep] plays a life of an object to its end without a fault, and then once for each
// request of that life and each kind of fault. A [Setup] makes the server, the object and
// the controller:
//
//	controllertest.Sweep(t, controllertest.Setup[*Backup]{
//		Begin:       func() (client.WithWatch, *Backup, error) { ... },
//		New:         func(env controllertest.Env) (reconcile.Reconciler, error) { ... },
//		Itineraries: itineraries,
//		States:      controllertest.InObject(storage),
//	})
//
// Time is simulated: the clock follows the requeues. A reconcile that returns an error is
// retried after a second, and an object that waits for a watch is reconciled after
// [Setup].Resync. [Bind] sets this clock in the runner's options.
//
// # What is checked
//
// After each write of the controller, the state can be read and planned, is bounded and
// does not go back; no step that ran is lost, and none is skipped ([CheckStates]). The
// conditions agree with the state ([CheckConditions]). At the end of each life:
//
//   - all runs are done, or stopped if they also are without the fault, and another
//     reconcile changes nothing;
//   - the object, and the result of [Setup].Outside, are the same as without the fault,
//     except for times, versions and counts of retries;
//   - the label that another client set on the object is still there;
//   - the work of each visit to a phase was done, and repeated only if the fault may have
//     lost it. This check requires [Bind].
//
// A failure names the request and the fault, and the value of [Setup].Only that plays that
// life alone.
//
// # Limits
//
// A life of a sweep has one fault, one object, and one reconcile at a time. A controller
// must make the same requests in each life up to the fault, so a controller with
// concurrent requests cannot be swept. A cache that is behind misses the last write of the
// controller, for three reads and at most five seconds. It shows writes of other clients
// and of whole collections at once. For a list with a field selector, it shows the objects
// that match now. Requests by server-side apply through the method Apply meet no faults.
// Work of handlers through clients other than those of [Env] is not seen.
package controllertest
