// Package controllertest lets a controller meet what goes wrong between it and
// its API server: requests that fail, answers that are lost or late, conflicts,
// stale reads, and a crash at any request. It works before the fake client of
// controller-runtime as well as before a real API server.
//
// # One fault
//
// An [Injector] stands before the server: clients that it makes count the
// requests of a controller, and let those that a [Fault] names meet it.
// [Injector.Restart] begins a new process of the controller after a crash.
//
//	injector := controllertest.NewInjector(server, controllertest.Fault{
//		Kind: controllertest.CrashAfter, Verb: "patch", Object: "Backup", Subresource: "status", Nth: 2})
//	r := newReconciler(injector.Client(), injector.Reader())
//
// # Every fault
//
// [Sweep] plays a life of an object to its end without a fault, and then once for
// each request of that life and each kind of fault. A [Setup] makes the server,
// the object and the controller:
//
//	controllertest.Sweep(t, controllertest.Setup[*Backup]{
//		Begin:       func() (client.WithWatch, *Backup, error) { ... },
//		New:         func(env controllertest.Env) (reconcile.Reconciler, error) { ... },
//		Itineraries: itineraries,
//		States:      controllertest.InObject(storage),
//	})
//
// Time is simulated: the clock follows the requeues, a reconcile that returns an
// error is retried after a second, and one that waits for a watch comes after
// [Setup].Resync. [Bind] gives the runner's options this clock.
//
// # What is checked
//
// After each write of the controller: the state can be read and planned, is
// bounded and does not go back, no step that ran is lost, and none is skipped
// ([CheckStates]); the conditions agree with the state ([CheckConditions]). At the
// end of each life: all runs are done, and another reconcile changes nothing; the
// object, and what Outside of the setup returns, are as without the fault, except
// for times, versions and counts of retries; the label that another client set on
// the object is still there; the work of each visit to a phase was done, and again
// only if the fault can have lost it. The last needs [Bind].
//
// A failure names the request and the fault, and what to put into Only of the
// setup to play that life alone.
//
// # Limits
//
// There is one fault in a life of a sweep, one object, and one reconcile at a
// time. A controller makes the same requests in each life up to the fault: one
// that makes them concurrently cannot be swept. A cache that is behind lags by the
// last write of the controller, for three reads and at most five seconds; writes of
// other clients and of whole collections it shows at once, and of a list with a field
// selector those objects that match now. Requests by server-side apply through the
// method Apply meet no faults. What handlers do by other clients than those of
// [Env] is not seen.
package controllertest
