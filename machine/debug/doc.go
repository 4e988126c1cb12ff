// Package debug shows what the runs of a controller do and have done, as web pages. It
// only reads: it neither drives runs nor changes their objects.
//
// A [Recorder] keeps a bounded history of runs. It receives them from an observer of
// their runner ([NewObserver]), or from a program that reads their objects
// ([Recorder.Record]).
//
// [NewHandler] returns an [net/http.Handler] with pages of the recorded runs. One line
// mounts it on any mux, or on the metrics server of a controller-runtime manager
// (ExtraHandlers). Importing the package registers nothing.
//
//	./                     all runs; filters: q, itinerary, step, phase, activity, result, failing; sort
//	run?name=NS/NAME       one run; parameters: item (of a list), moment (in the past)
//	itineraries            all itineraries
//	itinerary?name=NAME    one itinerary, planned with the flags in set, unset and unknown
//	graph?name=NS/NAME     the graph of a run, or of an itinerary, as a file; format
//	history?name=NS/NAME   everything that is recorded of a run, as a file
//	events?name=NS/NAME    server-sent events after changes of a run; without a name, of all runs
//
// A page is HTML, JSON (application/json) or text (text/plain), depending on the Accept
// header. The JSON begins with an apiVersion ([APIVersion]) and a kind: RunList, Run,
// ItineraryList, Itinerary, RunHistory or Error.
//
// The pages show names, phases, flags and messages of runs, and nothing else of their
// objects. They accept only GET and HEAD, and change nothing. The handler does not
// authenticate its clients: protect it, for example with the filter of the metrics
// server.
package debug
