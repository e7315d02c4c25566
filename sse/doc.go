// Package sse is the transport of event streams (Server-Sent Events, WHATWG
// HTML section 9.2): it answers
//
//	GET <base>?channel=a&channel=b
//
// with a stream that begins with the event `connected`, goes on with `subscribed`
// for each channel, and then brings the messages.
//
// # The stream
//
// A message has no `event:` line, or the application's event name in it; its data
// is the envelope of the native protocol, or with ?format=content the content
// alone. Everything else the server says is an event named like its envelope.
// Behind everything that moves a position stands an `id:`, a cursor over all
// channels of the stream, with which a client comes back in the header
// Last-Event-ID or in the query parameter lastEventID. Heartbeats are comments.
//
// # Refusals
//
// A browser's EventSource gives up for ever on any status but 200. What will not
// get better is therefore answered with its status and a problem document: a bad
// request, a channel that may not be subscribed. What may get better, such as a
// rate limit or a node that drains, is answered with 200, a `retry:` and the end
// of the stream, so that the browser comes back by itself; clients that did not
// ask for text/event-stream get the status and Retry-After.
//
// # Framings
//
// Over HTTP/1.1 the connection is taken over where the caller allows it: the
// handler returns, nothing of the request stays in memory, and a small goroutine
// waits for the client to leave. Else, and over HTTP/2 and HTTP/3, the stream
// lives inside the handler.
//
// # Concurrency
//
// [Encoder] is a value without state. A transport is written to by the hub, one
// goroutine at a time, and closed by any. Its gate is shut by [Serve] until the
// response has begun, so that a stream that is refused after all can still be
// answered with a status; from then on the gate's lock is held during each write,
// which is how a handler knows that none follows its return.
//
// Locks, from the outermost to the innermost:
//
//	hub.Conn.mu > stamps.mu
//	gate.mu > inside.state
//	gate.mu > waiting: the write timeout bounds a write
//
// The hub calls the transport with its own lock of the connection held. There the gate is
// tried and never waited for.
//
// A taken-over connection has one goroutine, which waits for its client to leave
// and ends with the connection.
package sse
