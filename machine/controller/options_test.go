package controller_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Without New's checks, these faults would be found at the first reconcile, or never.
func TestNewRefuses(t *testing.T) {
	pipeline := func(m *Move) *steps.Pipeline { return &m.Status.Pipeline }
	text := func(m *Move) *string { return &m.Status.Phase }
	fields := runner.Fields[*Move]{Pipeline: pipeline}
	keep := func(k runner.Storage[*Move]) func(o *controller.Options[*Move]) {
		return func(o *controller.Options[*Move]) { o.Runner.Storage, o.StatusSubresource = k, false }
	}
	for _, c := range []struct {
		name string
		o    func(o *controller.Options[*Move])
		want string
	}{
		{"no options", func(o *controller.Options[*Move]) { *o = controller.Options[*Move]{} },
			"Client is missing; New is missing; Runner: Select is missing; Sources is missing; Storage is missing; use " +
				"NewStatusStorage or NewAnnotationStorage; Itineraries are missing"},
		{"an annotation and a status subresource", func(o *controller.Options[*Move]) { o.Runner.Storage = inAnnotation },
			`Storage is the annotation "example.com/state", which cannot be written together with a status subresource; use NewStatusStorage`},
		{"a missing handler", func(o *controller.Options[*Move]) { delete(o.Runner.Phases, "Copy") },
			`Runner: phase "Copy" of itinerary "Move" has no handler; set one in Phases, PhasesByItinerary or Handler`},
		{"a nil handler and a tracer", func(o *controller.Options[*Move]) {
			o.TracerProvider = noop.NewTracerProvider()
			o.Runner.Phases["Copy"] = runner.Phase[*Move]{Handler: runner.HandlerFunc[*Move](nil)}
		}, `Runner: phase "Copy" of itinerary "Move" has no handler; set one in Phases, PhasesByItinerary or Handler`},
		{"a nil observer", func(o *controller.Options[*Move]) {
			o.Runner.Observers = []runner.Observer[*Move]{runner.ObserverFunc[*Move](nil)}
		}, "Runner: Observers: number 1 is nil; remove it"},

		{"no key", keep(runner.NewAnnotationStorage("", fields)),
			`Runner: Storage: "" is not the key of an annotation: name part must be non-empty; Storage: "" is not the key of an ` +
				`annotation: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an ` +
				`alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`},
		{"a key with two slashes", keep(runner.NewAnnotationStorage("example.com/state/of", fields)),
			`Runner: Storage: "example.com/state/of" is not the key of an annotation: ` + validation.IsQualifiedName("example.com/state/of")[0]},
		{"an annotation without a pipeline", keep(runner.NewAnnotationStorage(annotation, runner.Fields[*Move]{Itinerary: text, Phase: text})),
			"Runner: Storage: Fields.Pipeline is missing; give a function that returns a pointer to the pipeline, or Steps"},
		{"two pipelines", keep(runner.NewAnnotationStorage(annotation,
			runner.Fields[*Move]{Pipeline: pipeline, Steps: runner.AlikeSteps(func(m *Move) *[]steps.Step { return (*[]steps.Step)(&m.Status.Pipeline) })})),
			"Runner: Storage: Fields has both Pipeline and Steps; give one of them"},
		{"an itinerary without a phase", keep(runner.NewAnnotationStorage(annotation, runner.Fields[*Move]{Pipeline: pipeline, Itinerary: text})),
			"Runner: Storage: Fields has only one of Itinerary and Phase; give both or neither"},
		{"a phase without an itinerary", keep(runner.NewAnnotationStorage(annotation, runner.Fields[*Move]{Pipeline: pipeline, Phase: text})),
			"Runner: Storage: Fields has only one of Itinerary and Phase; give both or neither"},
		{"no function of the status", keep(runner.NewStatusStorage[*Move](nil)),
			"Runner: Storage: NewStatusStorage has no function; give one that returns a pointer to the state"},
		{"a status that points to nothing", keep(runner.NewStatusStorage(func(m *Move) *runner.State { return m.Status.State })),
			"Read of Storage panics with an empty object: runtime error: invalid memory address or nil pointer dereference; let it allocate what the object lacks; " +
				"Write of Storage panics with an empty object: runtime error: invalid memory address or nil pointer dereference; let it allocate what the object lacks"},
		{"one of Read and Write", func(o *controller.Options[*Move]) { o.Runner.Storage.Write = nil },
			"Runner: Storage has only one of Read and Write; give both"},
		{"no storage", func(o *controller.Options[*Move]) { o.Runner.Storage = runner.Storage[*Move]{} },
			"Runner: Storage is missing; use NewStatusStorage or NewAnnotationStorage"},

		{"New that returns nil", func(o *controller.Options[*Move]) { o.New = func() *Move { return nil } },
			"New returns nil; let it return an empty object"},
		{"conditions without a field", func(o *controller.Options[*Move]) {
			o.Conditions = controller.NewConditions(func(*Move) *[]metav1.Condition { return nil })
		}, "Conditions returns nil; let it return a pointer to the object's conditions"},
		{"nil clients", func(o *controller.Options[*Move]) { o.Client, o.Reader = (*cache)(nil), (*cache)(nil) },
			"Client holds a nil *controller_test.cache; set one that can be called, or remove it if it is optional; Reader holds " +
				"a nil *controller_test.cache; set one that can be called, or remove it if it is optional"},
		{"a nil recorder of the newer events", func(o *controller.Options[*Move]) { o.Recorder = controller.NewEventsRecorder(nil) },
			"Recorder holds a nil controller.RecorderFunc; set one that can be called, or remove it if it is optional"},
		{"a nil recorder", func(o *controller.Options[*Move]) { o.Recorder = controller.RecorderFunc(nil) },
			"Recorder holds a nil controller.RecorderFunc; set one that can be called, or remove it if it is optional"},
		{"a nil registry", func(o *controller.Options[*Move]) { o.Metrics = (*prometheus.Registry)(nil) },
			"Metrics holds a nil *prometheus.Registry; set one that can be called, or remove it if it is optional"},
		{"a nil tracer", func(o *controller.Options[*Move]) { o.TracerProvider = (*spans)(nil) },
			"TracerProvider holds a nil *controller_test.spans; set one that can be called, or remove it if it is optional"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, subresource)
			c.o(&w.options)
			_, err := controller.New(w.options)
			var refused *controller.OptionsError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "controller options: "+c.want, err.Error())
		})
	}
}

func TestNewTakes(t *testing.T) {
	for name, o := range map[string]func(o *controller.Options[*Move]){
		"nothing that is optional": func(o *controller.Options[*Move]) {
			o.Conditions, o.Recorder, o.Metrics, o.Reader, o.TracerProvider = nil, nil, nil, nil, nil
			o.Runner.Paused = nil
		},
		"a key of capital letters": func(o *controller.Options[*Move]) {
			o.Runner.Storage, o.StatusSubresource = runner.NewAnnotationStorage("Example.com/State", runner.Fields[*Move]{
				Pipeline: func(m *Move) *steps.Pipeline { return &m.Status.Pipeline },
			}), false
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plain)
			w.options.StatusSubresource = false
			o(&w.options)
			assert.Equal(t, 4, w.end())
		})
	}
}
