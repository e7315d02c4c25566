// Package sse is the transport of event streams (Server-Sent Events, WHATWG
// HTML section 9.2): it answers
//
//	GET <base>?channel=a&channel=b
//
// with a stream that starts with the event `connected` and has one `subscribed` for each
// channel; then the messages follow.
//
// # The stream
//
// A message has no `event:` line, unless the app named its event. Its data is the envelope of
// the native protocol, or the content alone with ?format=content. Everything else that the
// server sends is an event with the name of its envelope. Each event that changes a position
// has an `id:`, a cursor over all channels of the stream. A client that reconnects sends the
// cursor in the header Last-Event-ID or in the query parameter lastEventID. Heartbeats are
// comments.
//
// # Rejected requests
//
// A browser's EventSource never reconnects after a status other than 200. Permanent errors are
// answered with their status and a problem document: a bad request, a channel that the client
// may not subscribe to. Temporary errors, such as a rate limit or a node that drains, are
// answered with 200, a `retry:` and the end of the stream, so that the browser reconnects by
// itself. Clients that do not accept text/event-stream get the status and Retry-After.
//
// # Framings
//
// Over HTTP/1.1 the stream hijacks the connection if the caller allows it: the handler returns,
// nothing of the request stays in memory, and the connection waits in package poller for its
// client to disconnect. Where the poller can not wait, a small goroutine does. Without a hijack, and over HTTP/2 and
// HTTP/3, the stream stays inside the handler.
//
// # Concurrency
//
// [Encoder] is a value without state. The hub writes to a transport, one goroutine at a time;
// any goroutine may close it. Writes wait at the transport's gate until [Serve] has started the
// response, so that Serve can still answer with a status. Afterwards the gate's lock is held
// during each write, so that a handler that returns knows that no write follows.
//
// Locks, from the outermost to the innermost:
//
//	hub.Conn.mu > stamps.mu
//	gate.mu > inside.state
//	hijacked.state > poller.watch.mu
//	gate.mu > waiting: the write timeout bounds a write
//
// The hub calls TryWrite with its own lock of the connection held, therefore TryWrite never
// waits for the gate.
//
// A hijacked connection that can not wait in the poller has one goroutine, which waits for the
// client to disconnect and ends with the connection.
package sse
