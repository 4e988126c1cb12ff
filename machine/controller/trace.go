package controller

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/konveyor/dynamic-pipeline/machine/controller/internal/handlers"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// tracerName is the instrumentation scope of the spans.
const tracerName = "github.com/konveyor/dynamic-pipeline/machine/controller"

// Attributes of spans.
const (
	attrNamespace = attribute.Key("k8s.namespace.name")
	attrName      = attribute.Key("dynamic_pipeline.object")
	attrItem      = attribute.Key("dynamic_pipeline.item")
	attrItinerary = attribute.Key("dynamic_pipeline.itinerary")
	attrPhase     = attribute.Key("dynamic_pipeline.phase")
	attrNext      = attribute.Key("dynamic_pipeline.next_phase")
	attrDone      = attribute.Key("dynamic_pipeline.done")
)

// traced returns options whose handlers make spans. The maps of o are not changed.
func traced[T any](o runner.Options[T], tracer trace.Tracer) runner.Options[T] {
	return handlers.Wrap(o, func(h runner.Handler[T]) runner.Handler[T] { return tracedHandler(h, tracer) })
}

// tracedHandler returns a handler that makes a span for each call of h.
func tracedHandler[T any](h runner.Handler[T], tracer trace.Tracer) runner.Handler[T] {
	if isNil(h) { // the runner refuses it
		return h
	}
	return runner.VisitFunc[T](func(ctx context.Context, object T, v runner.Visit) (runner.Result, error) {
		ctx, span := tracer.Start(ctx, "phase "+v.Phase, trace.WithAttributes(attrItinerary.String(v.Itinerary), attrPhase.String(v.Phase)))
		defer span.End() // also records a panic, and lets it pass
		result, err := h.Handle(ctx, object, v)
		recordError(span, err)
		return result, err
	})
}

// recordError records an error in a span.
func recordError(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, short(err.Error()))
	}
}
