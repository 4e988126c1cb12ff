// Package machinetest tests controllers that are built on machine/runner: their
// itineraries, handlers, sources of flags and selectors, on a world in memory,
// without a cluster and without waiting.
//
// A unit test of an itinerary is a table of scripts and of what a user then sees:
//
//	func TestBackupItinerary(t *testing.T) {
//		type script = []machinetest.Line
//		for name, tt := range map[string]struct {
//			script script
//			steps  []string
//			result phases.Result
//		}{
//			"no volumes": {script{machinetest.Flags()},
//				[]string{"Prepare", "Upload", "Finish"}, phases.Succeeded},
//			"volumes": {script{machinetest.Flags("HasVolumes")},
//				[]string{"Prepare", "Volumes", "Upload", "Finish"}, phases.Succeeded},
//			"upload fails": {script{machinetest.Flags(), machinetest.Fail("Upload", "no space left")},
//				[]string{"Prepare", "Upload", "CleanUp"}, phases.Failed},
//			"canceled": {script{machinetest.Flags(), machinetest.Edit("Upload", "cancel")},
//				[]string{"Prepare", "Upload", "CleanUp"}, phases.Canceled},
//		} {
//			t.Run(name, func(t *testing.T) {
//				life := machinetest.New(t, setup())
//				life.Run(tt.script...)
//				life.WantSteps(tt.steps...)
//				life.WantResult(tt.result)
//			})
//		}
//	}
//
// The package does not simulate an API server: for requests that fail and watches that lag
// behind use machine/controller/controllertest. It does not
// analyze itineraries that no life runs: for that use machine/verify.
//
// # Setup
//
// A [Setup] describes the controller under test. Its Options are the runner's
// options that the controller uses in production, bound to a world: a struct
// that stands for the cluster, which handlers change and sources read. A
// controller that takes its clients as interfaces passes fakes that work on this
// struct. [NewScripted] makes a setup without a controller, to test itineraries
// alone.
//
// # One life
//
// [New] begins a life, and [Life.Run] runs it to its end. The clock is simulated
// and follows the requeues, so that a week of waiting takes a millisecond. A
// script lists the events besides what the controller does. Each [Line] names a
// phase and, for example, makes its handler fail ([Fail]) or choose the next
// phase ([Done]), crashes the controller before a write ([CrashBefore]), or lets
// a user edit the object ([Edit]). Afterwards the Want methods compare phases,
// steps, messages, failures and the result, and [Life.Golden] compares the whole
// transcript with a file. A life also ends when the run stops: see
// [Life.RunToError].
//
// A line of the script that was never used and a check that never ran fail the
// test.
//
// # Every life
//
// [Explore] tries every life, breadth-first: all assignments of flags that the
// relations of the vocabulary allow, both values of each flag that a phase
// decides, each choice that a phase declares and none, a failure and a crash at
// each call of a handler, errors up to a limit of attempts, waits up to a
// deadline, and edits and changes of live flags at every moment. Pauses and new
// runs are edits. A pause lasts longer than the deadline of its phase. By default
// a life has at most one failure, one crash and one change of a live flag, and
// each edit at most once; the fields of [Exploration] raise this.
//
// An exploration does not know what handlers do: that StartTraffic never leaves
// traffic off, and that nothing can continue if it fails. An invariant can then
// break in a way that is impossible in production. List such a phase in Settled,
// so that its flags stay as the handler leaves them, and in NeverFails.
//
// The first break of each kind comes with a shortest path to it, in words and as
// the script of a life that breaks in the same way. If [Setup.Source] names the
// expression that makes the setup, the first break is also printed as a Go test
// that fails in the same way ([Found.GoTest]). Reaching a bound is reported as
// inconclusive, which fails the test unless MayBeInconclusive is set.
//
// [Walk] tries random lives beyond these bounds: any number of failures and
// crashes, panics, failing sources, lost writes, and a clock that jumps forward. It
// shrinks a script that breaks a promise.
//
// # Many runs in one object
//
// If an object holds several runs ([Setup.Items]), each reconcile of the run
// under test is followed by one of each other run, and none may change another
// run. So the others advance in step with the run under test. Since no run
// changes another, the order of their reconciles makes no difference, and not
// every order is tried.
//
// # Coverage
//
// A [Coverage] in the setup collects which phases, transitions, pairs of
// transitions, guards and outcomes the lives and explorations of a test cover.
// Items that the relations of the flags make impossible are left out. Coverage
// prints the names of missing items, can be saved and merged over packages and
// runs ([Coverage.Save], [MergeCoverage]), and can be drawn on the graph
// ([Coverage.Drawing]).
//
// # What is checked
//
// After every reconcile, in a life as in an exploration, these promises must
// hold:
//
//   - The plan is the run, given the choices of handlers. A phase is entered
//     under the step that counts, and stays under it.
//   - No step is shown that will not run, and no step that ran is lost. Each
//     phase that is left out has a reason.
//   - Each flag is evaluated once, and again only after a phase that decides it or
//     a flag from which it is computed. Unknown is not false.
//   - Work that is recorded as done is not done again. The choice of a handler, and the
//     time at which the run continues, are kept.
//   - A step is completed when nothing ahead belongs to it.
//   - The options read what they have written.
//   - Nothing runs after a failed phase, and the run stops unless the selector
//     answers the failure. A cleanup itinerary continues after a failed
//     phase, and is left only for another whose result is not Failed.
//   - A phase fails when its attempts are used up, and not before (in a life only
//     with [Setup.EachWrite]).
//   - A run changes no other run of its object. A new run takes over nothing that
//     the previous one knew.
//   - A run that enters an end phase is done, and a run that is done stays done.
//     A selection that is not followed is reported, once.
//   - The state is bounded, and its result follows from the failures and
//     itineraries of the run.
//   - A phase fails for its deadline only if its handler was called once more
//     after it, and only for the time that it worked.
//   - A pause holds a run, but no cleanup itinerary.
//
// An exploration also checks that each state has a path to the end, that every
// handler is called, and that every end phase is entered. A run that is stopped
// by a failure which the selector does not answer is at an end.
//
// The contract of handlers: a phase changes only flags that it declares to
// decide. A handler that is done, if called once more, returns done again and
// leaves the world unchanged. After a crash before its write, repeated calls
// finish the work and reach the same world as without the crash. To check this, handlers
// and sources are called more often than the runner calls them. Calls that a
// line of the script replaces are exempt from the last two.
//
// The [Invariant] functions of the setup are also checked.
//
// # Limits
//
// The object and the world are kept as JSON between reconciles, as an API server
// keeps an object; a type that does not survive JSON whole is refused. Data that
// handlers keep elsewhere survives a simulated crash unless Options makes it
// again. In an exploration nothing may be kept elsewhere: a break that a life
// with the same script does not reproduce is reported as such.
//
// A conflict or a lost write drops the whole result of a reconcile. How
// machine/controller merges a conflict is not simulated; nor are several
// replicas, watches that lag behind, and the limits of an API server.
//
// A handler or source that hangs must return when its context ends. Call [Hang]
// in a fake that waits for it, which takes no time. Any other wait takes ten
// seconds of real time for each timeout. Timeouts that a handler makes itself
// with package context run in real time.
//
// A reconcile that passes several phases, with MaxPhases above 1, is not checked
// against the plan of each. After an error for which the runner gives no time,
// the simulated controller reconciles again in a second, whatever its rate
// limiter would do. The number of attempts is checked in explorations and, with
// [Setup.EachWrite], in lives.
//
// An exploration runs one phase per reconcile, whatever MaxPhases is. It treats
// states as equal if they differ only in
//
//   - flags that no guard ahead reads;
//   - completed steps that nothing ahead can enter;
//   - attempts beyond the 32nd;
//   - numbers that only count, such as that of the visit;
//   - the date, and ages beyond the longest deadline and ten minutes.
//
// Set Exact to keep the first two apart. An exploration does not try panics, failing sources,
// lost writes and clocks that jump; lives and walks do. Only lives try handlers and sources
// that hang, sources that answer late, clocks that go back, and other releases. An exploration
// does not try errors of a phase with unlimited attempts, which only repeat the call. Data that
// only grows in the world or the object, such as a count of calls, makes endless states: then
// the bound is reached.
package machinetest
