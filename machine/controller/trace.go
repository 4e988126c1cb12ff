package controller

import (
	"context"
	"maps"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// tracerName is the instrumentation scope of the spans.
const tracerName = "github.com/konveyor/dynamic-pipeline/machine/controller"

// Attributes of spans.
const (
	attrNamespace = attribute.Key("k8s.namespace.name")
	attrName      = attribute.Key("dynamic_pipeline.object")
	attrItinerary = attribute.Key("dynamic_pipeline.itinerary")
	attrPhase     = attribute.Key("dynamic_pipeline.phase")
	attrNext      = attribute.Key("dynamic_pipeline.next_phase")
	attrDone      = attribute.Key("dynamic_pipeline.done")
)

// traced returns options whose handlers make spans. The maps given are not
// changed.
func traced[T any](o runner.Options[T], tracer trace.Tracer) runner.Options[T] {
	wrap := func(all map[string]runner.Phase[T]) map[string]runner.Phase[T] {
		all = maps.Clone(all)
		for name, p := range all {
			if h := p.Handler; !isNil(h) { // a nil one is the runner's to refuse
				p.Handler = runner.HandlerFunc[T](func(ctx context.Context, object T) (runner.Result, error) {
					ctx, span := tracer.Start(ctx, "phase "+name, trace.WithAttributes(attrPhase.String(name)))
					defer span.End() // records a panic as well, and lets it pass
					result, err := h.Handle(ctx, object)
					recordError(span, err)
					return result, err
				})
				all[name] = p
			}
		}
		return all
	}
	o.Phases = wrap(o.Phases)
	o.PhasesByItinerary = maps.Clone(o.PhasesByItinerary)
	for itinerary, all := range o.PhasesByItinerary {
		o.PhasesByItinerary[itinerary] = wrap(all)
	}
	return o
}

// recordError records an error in a span.
func recordError(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, short(err.Error()))
	}
}
