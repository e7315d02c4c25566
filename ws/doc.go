// Package ws is the WebSocket transport: it takes a request over, reads a
// client's frames for a session and writes the hub's frames to it. It speaks
// HTTP/1.1 upgrades and the extended CONNECT of HTTP/2 (RFC 8441) and HTTP/3
// (RFC 9220), and knows nothing of the server around it but net/http.
//
// # Who does what
//
// The handshake is answered here, through the whole chain of response writers, so
// that header directives, access logs and metrics see it. After that the type
// sieve looks at the header of every frame, refuses what RFC 6455 refuses and takes
// control frames out. gorilla reads data frames and does nothing else: the connection
// it is given swallows what it writes. Everything that goes to the client is a frame
// made by [Encoder] and comes through the queue of its [hub.Conn], pongs and the close
// included, so that there is one order and one writer.
//
// On HTTP/1.1 the handler returns after the handshake and the reader runs on a
// goroutine with a fresh stack. It references the registry, the hub and the principal;
// nothing of the request, its writers or its handler, and so nothing of a
// configuration that may be replaced while the connection lives. On HTTP/2 and
// HTTP/3 the stream ends with the handler, which therefore is the reader.
//
// # What an idle connection costs
//
// On plain TCP a reader waits for bytes with two kilobytes of stack, and borrows a
// buffer and gorilla's state, in the type engine, when there are some. Over TLS and
// on streams, where only a library knows whether there is something to read, it
// keeps an engine of its own.
//
// # Limits
//
// A message has at most [session.Registry.MessageSize] bytes, which is checked
// against the frame header; it is complete within ten seconds of its first bytes;
// what its fragments cost beside their payload is bounded, and so are control
// frames. Whoever goes beyond is closed with a code and a text that say so. Text that is
// not UTF-8 ends the connection when the message is complete.
//
// permessage-deflate is not offered: it costs more memory for a connection than
// everything else together.
//
// # The end
//
// The hub ends a connection with a close frame and [hub.Transport].Close. The
// client then has a second to answer and to read what it was sent, because a
// socket closed with unread bytes is reset, which can destroy the close frame on
// its way. The type ending holds that logic.
//
// # Goroutines and locks
//
// A connection has one goroutine at a time, its reader, and no timer until it ends.
// Fields are grouped by who may touch them. Locks, from the outermost to the innermost:
//
//	stream.writeMu > ending.mu
//	stream.writeMu > waiting: the write timeout bounds a write
//
// No lock is held while the hub or a session is called. The hub calls TryWrite with a
// lock of its own held, therefore TryWrite never waits.
package ws
