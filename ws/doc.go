// Package ws is the WebSocket transport. It answers handshakes, reads a client's frames for
// a session, and writes the hub's frames to the client. It supports HTTP/1.1 upgrades and the
// extended CONNECT of HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220). Of the server around it, it
// knows only net/http.
//
// # Who does what
//
// The answer to a handshake goes through the whole chain of response writers, so that header
// directives, access logs and metrics see it. After that, the type sieve checks the header of
// every frame, rejects what RFC 6455 forbids and takes control frames out. gorilla only reads
// data frames: what it writes is dropped. Everything that goes to the client is a frame that
// [Encoder] made, and comes through the queue of its [hub.Conn], also pongs and the close
// frame. So there is one order and one writer.
//
// On HTTP/1.1 the handler returns after the handshake. A bare connection then waits in package
// poller, and the reader runs when something has arrived. Over TLS
// the same holds: the poller waits for bytes on the wire (the type watched). Other connections have
// a reader on a goroutine of their own. The reader references the registry, the hub and the principal. It
// references nothing of the request, its writers or its handler, because these keep a
// configuration in memory that may be replaced while the connection lives. On HTTP/2 and
// HTTP/3 the stream ends with the handler, therefore the handler is the reader.
//
// # What an idle connection costs
//
// A bare connection has no goroutine and no buffer (the type polled). When bytes arrive, the
// reader borrows a buffer and gorilla's state, the type engine. A ping or pong that comes alone
// needs no engine. The session is opened before the answer to the handshake is sent, so that
// the first event leaves with the answer in one packet.
//
// Over TLS a connection keeps the state of package crypto/tls, about seven kilobytes. The reader
// empties what crypto/tls has read before it waits for more, with a deadline that has passed. So a
// record that has arrived in part stays there, and its rest rings on the wire.
//
// Without a poller, a reader of plain TCP waits for bytes with two kilobytes of stack. Without
// one over TLS, and on streams, only a library knows whether there are bytes to read; there each
// reader keeps an engine of its own.
//
// # Limits
//
// A message has at most [session.Registry.MessageSize] bytes, which is checked when the frame
// header is read. It must be complete within ten seconds of its first bytes. The number of
// control frames is bounded, and so is the cost of fragments beside their payload. A
// connection that exceeds a bound is closed with a code and a text that say so. A message that
// is not UTF-8 closes the connection when it is complete.
//
// # Compression
//
// With [Options].Compression, a connection may use permessage-deflate (RFC 7692) without context
// takeover. It costs nothing between two messages. The encoder of such connections, deflating,
// differs from that of the others, so the members of a room share two forms of a message at
// most. gorilla reads compressed messages as if they were plain, because the sieve clears RSV1;
// then the engine inflates the message, up to the message size. The writers and readers of
// compress/flate are shared, and at most as many are in use as there are processors.
//
// # The end
//
// The hub closes a connection with a close frame and [hub.Transport].Close. The client then
// has a second to answer and to read. The server reads on meanwhile: a socket that is closed
// with unread bytes is reset, and a reset can destroy the close frame on its way. The type
// ending has that logic.
//
// # Goroutines and locks
//
// A connection has at most one goroutine at a time, its reader, and no timer until it ends.
// Fields are grouped by the goroutine or lock that owns them. Locks, from the outermost to the innermost:
//
//	stream.writeMu > ending.mu
//	hub.Conn.mu > ending.mu: the hub waits for space with its lock held
//	hub.Conn.mu > deflater.mu: the hub encodes with its lock held
//	stream.writeMu > waiting: the write timeout bounds a write
//
// No lock is held while the hub or a session is called. The hub calls TryWrite with a
// lock of its own held, therefore TryWrite never waits.
package ws
