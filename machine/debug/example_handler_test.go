package debug_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// ExampleNewHandler serves the pages on a mux; any mux will do. On the metrics server of
// a controller-runtime manager, use
//
//	metricsserver.Options{ExtraHandlers: map[string]http.Handler{"/debug/pipeline/": pages}}
func ExampleNewHandler() {
	itineraries := machine.MustCompileSet(phases.Itinerary{Name: "Backup", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{
		{Name: "Snapshot", Step: "Volumes"}, {Name: "Upload", Step: "Upload"},
	}})
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
	if err != nil {
		panic(err)
	}
	pages, err := debug.NewHandler(recorder, debug.HandlerOptions{Title: "Backups"})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/debug/pipeline/", pages)

	// A runner's observer usually records the runs; this one was read from an object.
	recorder.Record(debug.Name{Namespace: "shop", Name: "nightly"}, runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Backup", Phase: "Upload"},
	}, false)

	server := httptest.NewServer(mux)
	defer server.Close()
	request, _ := http.NewRequest(http.MethodGet, server.URL+"/debug/pipeline/", nil)
	request.Header.Set("Accept", "text/plain")
	response, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	fmt.Print(string(text))
	// Output:
	// NAME          ITINERARY  PHASE   ACTIVITY  PROGRESS
	// shop/nightly  Backup     Upload  Working   0 of 1 steps
}
