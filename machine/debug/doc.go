// Package debug shows what the runs of a controller do and have done.
//
// A [Recorder] keeps a bounded history of runs. It is told of them by an observer
// of their runner ([NewObserver]), or by whoever reads their objects
// ([Recorder.Record]).
//
// [NewHandler] returns an [net/http.Handler] with pages of what is recorded, which
// one line mounts on any mux, or on the metrics server of a controller-runtime
// manager (ExtraHandlers). Nothing is registered when the package is imported.
//
//	./                     all runs; filters: q, itinerary, step, phase, activity, result, failing; sort
//	run?name=NS/NAME       one run; item of a list, moment of the past
//	itineraries            all itineraries
//	itinerary?name=NAME    one itinerary by the flags set, unset and unknown
//	graph?name=NS/NAME     the graph of a run, or of an itinerary, as a file; format
//	history?name=NS/NAME   all that is recorded of a run, as a file
//	events?name=NS/NAME    server-sent events, one for each change; of any run without a name
//
// A page is HTML, JSON (application/json) or text (text/plain), as the Accept
// header asks for. JSON begins with an apiVersion ([APIVersion]) and a kind:
// RunList, Run, ItineraryList, Itinerary, RunHistory or Error.
//
// The pages hold names, phases, flags and messages of runs, and nothing else of
// their objects. They answer GET and HEAD alone and change nothing. The handler
// does not ask who reads: put it behind what authenticates, such as the metrics
// server's filter.
package debug
