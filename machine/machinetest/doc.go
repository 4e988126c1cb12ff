// Package machinetest tests a controller that is built on machine/runner: its
// itineraries, handlers, sources of flags and selector, over a world in memory,
// without a cluster and without waiting.
//
// # Setup
//
// A [Setup] is the controller under test. Its Options are the runner's options
// that the controller uses in production, bound to a world: a struct that
// stands for the cluster, which handlers change and sources look at. A
// controller that takes its clients as interfaces passes fakes that work on
// this struct. [Scripted] is a setup without a controller, for the test of
// itineraries alone.
//
// # One life
//
// [New] begins a life, [Life.Run] runs it to its end. The clock is simulated
// and follows the requeues, so that a week of waiting takes a millisecond. A
// script says what happens beside what the controller does: each [Line] names
// a phase and, for example, lets its handler fail ([Fail]) or choose where the
// run goes on ([Done]), crashes the controller before a write ([CrashBefore]),
// or lets a user edit the object ([Edit]). Afterwards the Want methods compare
// phases, steps, messages, failures and the result, and [Life.Golden] compares
// the whole transcript with a file. A life also ends when the run stops: see
// [Life.RunToError].
//
//	life := machinetest.New(t, setup())
//	life.Run(machinetest.Flags("HasVolumes"), machinetest.Fail("Upload", "no space left"))
//	life.WantItinerary("CleanUp")
//	life.WantResult(phases.Failed)
//	life.WantMessages("Prepare: Completed", "Volumes: Completed", "Upload: Failed", "CleanUp: Completed")
//
// A line of the script that is never used and a check that never ran fail the
// test.
//
// # Every life
//
// [Explore] tries every life, breadth-first: all assignments of flags that the
// relations of the vocabulary allow, each flag that a phase decides both ways,
// each choice that a phase declares and none, a failure and a crash at each call
// of a handler, errors up to a limit of attempts, waits up to a deadline, and edits
// and changes of live flags at every moment. Pauses and runs that begin again are
// edits. A pause lasts longer than the deadline of its phase.
//
// The first break that it finds of each kind comes with a shortest way to it,
// in words and as the script of a life that breaks the same. If [Setup.Source] says
// how a test makes the setup, the first is printed as a test in Go as well, which
// fails in the same way ([Found.GoTest]). A bound that is hit is reported as
// inconclusive, and is never a pass.
//
// [Walk] tries random lives beyond these bounds: any number of failures and crashes,
// and all that a script can say. It shrinks what breaks to a minimal script.
//
// # Many runs in one object
//
// If an object holds several runs ([Setup.Items]), each reconcile of the one under
// test is followed by one of each other, which must leave it as it is, and the
// other way round. So the others move in step with it; since no run changes another,
// how their moves are mixed makes no difference, and not every mix is tried.
//
// # Coverage
//
// A [Coverage] in the setup collects which phases, transitions, pairs of
// transitions, guards and outcomes the lives and explorations of a test cover. What
// the relations of the flags make impossible is left out. It prints what is missing
// by name, is saved and merged over packages and runs ([Coverage.Save],
// [MergeCoverage]), and drawn on the graph ([Coverage.Drawing]).
//
// # What is checked
//
// After every reconcile, in a life as in an exploration, these promises of the
// design must hold: the plan is the run, given the choices of handlers (1); no
// step that will not run, and no step that ran is lost (2); what is left out
// has a reason (3); each flag is asked once, and again only after a phase that
// decides it (4); unknown is not false (5), and work that is done is not done
// again (5); the choice of a handler, and the time at which the run goes on,
// are kept; a phase is entered under the step that counts, and stays under it;
// a run that enters an end phase is done; a step is completed when nothing
// ahead belongs to it (7); what the options write is what they read (8);
// nothing runs after a failed phase, and the run stops unless the selector
// answers the failure (11); a cleanup itinerary passes a failed phase by, and
// is left only for another whose result is not Failed; a phase is tried as often as
// it may; a run changes no other of its object, and one that begins again takes over
// nothing that the one before knew; a run that is done stays
// done (11), and a selection that is not followed is reported, once; the state
// is bounded (12); the result is the one that the failures and the itineraries
// of the run lead to (13); a phase fails for its deadline only if its handler
// was called once more after it, and only for the time that it worked (15); a
// pause holds a run, but no cleanup itinerary (16). An exploration also checks
// that each state has a way to the end, that every handler is called, and that
// every end phase is entered. A run that is stopped by a failure which the
// selector does not answer is at an end.
//
// The contract of handlers: a phase changes no flag that it does not declare
// to decide. Called once more after it is done, a handler is done and leaves
// the world as it is. After a crash before its write, repeated calls get the
// work done and reach the same world as without the crash. For this, handlers
// and sources are called more often than the runner calls them. Calls that a
// line of the script replaces are exempt from the last two.
//
// And the embedder's own: the [Invariant] functions of the setup.
//
// # Limits
//
// The object and the world are kept as JSON between reconciles, as an API
// server keeps an object; a type that JSON does not keep whole is refused. What
// handlers keep elsewhere survives a simulated crash only if Options does not
// make it again, and must not exist in an exploration: a break that a life with
// the same script does not show says so.
//
// A conflict or a lost write drops the whole result of a reconcile. How
// machine/controller merges a conflict is not simulated; nor are several
// replicas, watches that lag behind, and the limits of an API server.
//
// A handler or source that hangs must return when its context ends; call [Hang]
// in a fake that waits for it, which takes no time. One that waits in another
// way is waited for, ten seconds of real time for each timeout. Timeouts that a
// handler makes itself with package context run in real time.
//
// A reconcile that passes several phases, with MaxPhases above 1, is not held
// against the plan of each. After an error that the runner gives no time for,
// the simulated controller comes back in a second, whatever its rate limiter
// would do. How many attempts a phase may have is checked in explorations and, with
// [Setup.EachWrite], in lives.
//
// An exploration runs one phase per reconcile, whatever MaxPhases says. It
// takes states as one that differ only in flags that no guard ahead reads, in
// completed steps that nothing ahead can enter, in attempts beyond the 32nd, in
// what only counts or reports (the number of the visit, the itineraries left),
// in the date, and in how long ago something was beyond the longest deadline and
// ten minutes; set Exact to keep the first two apart. Panics and hanging handlers,
// sources that fail, writes that are lost, and clocks that jump are for lives and
// walks; an exploration does not try them, nor errors of a phase whose attempts have
// no limit, which only repeat the call. What only grows in the world or
// the object, such as a count of calls, makes endless states: then the bound is
// hit.
package machinetest
