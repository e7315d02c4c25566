// Package tracing makes spans of OpenTelemetry below those of Caddy's directive `tracing`. It
// uses the interfaces of OpenTelemetry alone: whether and where spans go is the matter of the
// site. Without `tracing`, or if a request is not sampled, there are no spans, and Start costs a
// look at the context.
package tracing

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name under which the spans are made.
const scope = "github.com/caddy-realtime/caddy-realtime"

// Origin is the handshake of a connection. The connection outlives the span of the handshake, so
// that what it does later has traces of its own, with a link to the handshake. It keeps neither
// the span nor the request.
type Origin struct {
	provider trace.TracerProvider
	span     trace.SpanContext
}

// OriginOf returns the origin for a connection that a request opens; nil if it is not traced.
func OriginOf(ctx context.Context) *Origin {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return nil
	}
	return &Origin{span.TracerProvider(), span.SpanContext()}
}

type originKey struct{}

// Context returns a context whose spans have the origin. That of the nil origin is ctx.
func (o *Origin) Context(ctx context.Context) context.Context {
	if o == nil {
		return ctx
	}
	return context.WithValue(ctx, originKey{}, o)
}

// nothing ends what is no span.
func nothing(error) {}

// Start starts a span about a channel, which may be empty, below the one of ctx. The caller calls
// end with the error that came of it, or nil.
func Start(ctx context.Context, name, channel string) (inside context.Context, end func(error)) {
	var span trace.Span
	if above := trace.SpanFromContext(ctx); above.IsRecording() {
		ctx, span = above.TracerProvider().Tracer(scope).Start(ctx, name)
	} else if o, _ := ctx.Value(originKey{}).(*Origin); o != nil {
		ctx, span = o.provider.Tracer(scope).Start(ctx, name, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: o.span}))
	} else {
		return ctx, nothing
	}
	if channel != "" {
		span.SetAttributes(attribute.String("realtime.channel", channel))
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// Inject adds the header `traceparent` to a request that is made inside of a span, so that the
// spans of the app are below it.
func Inject(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}
