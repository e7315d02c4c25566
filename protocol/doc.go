// Package protocol is the native wire protocol, version 1. It reads what clients send, writes
// what the server sends, and lists the codes of errors and of closed connections. It has no
// I/O, no goroutines and no state. Several goroutines may call its functions at once; a
// [Cursor] belongs to one.
//
// # Envelopes
//
// Each WebSocket text frame, and the data of each server-sent event, is one
// envelope, a JSON object on one line:
//
//	{"type":"subscribe","id":7,"payload":{"channel":"chat:42"}}
//
// A client sends type, payload and an optional id: a string of at most 64 bytes, or an integer.
// The server repeats the id, byte for byte, in its reply. It adds timestamp, in milliseconds
// since 1970: when a message was published, or when any other envelope was made.
//
// Unknown fields are ignored. Names are compared exactly. A known field must not appear twice.
// A frame is UTF-8 and nested at most 64 levels deep. The server answers a bad frame with
// `error` and keeps the connection open. Too many bad frames close it.
//
// # What a client sends
//
//	type         payload                                       reply
//	authenticate token                                         authenticated
//	subscribe    channel, recover?: position, history?: n      subscribed
//	unsubscribe  channel                                       unsubscribed
//	message      channel, content, event?, key?, to?           ack, if there was an id
//	history      channel, since?: position, limit?             history
//	ping                                                       pong
//
// The reply to any of them may be `error` instead. The name of a channel has 1 to 255 bytes
// ([ValidChannel]). content is any JSON value. event is the app's name for the kind of message
// ([ValidEvent]). A second message with the same key is acknowledged and not sent again
// ([ValidKey]). A message with to goes to one member alone ([DecodeAddress]) and has no
// position. n and limit are at most 1000; limit is 100 by default, and 0 requests the position
// alone.
//
// # What the server sends
//
//	type          payload
//	connected     version, connection, user?, heartbeat (ms); the first envelope
//	authenticated user?, expires (ms since 1970)?
//	subscribed    channel, position, recovered?, messages?
//	unsubscribed  channel; code and message when the server ended it
//	message       channel, offset, anchor?, sender?, event?, to?, from?, content
//	ack           channel, position, duplicate?, degraded?
//	history       channel, position (the newest), lost?, more?, messages
//	gap           channel, position
//	reconnect     after (ms), reason?
//	pong
//	error         code, message, retryAfter? (ms)
//
// Flags are true or omitted, except for recovered: it is present if the client wanted to
// recover, and false means that the client must reload what it shows. Each of messages has the
// fields of `message` and a timestamp, but no channel, which is beside them. sender is a user,
// or the connection of an anonymous publisher; it is omitted if the app published. degraded
// means that only clients of one server got the message.
//
// # Positions
//
// In a room with history a position has three fields: epoch (letters and digits), offset (an
// integer) and anchor (8 lower-case hexadecimal digits; optional). In a room without history no
// envelope has them. Messages of an epoch have the offsets 1, 2, 3 …, and a client gets each
// once and in order.
//
// `subscribed` and `gap` have the position after which delivery goes on. `gap` says that
// messages before it were lost. A client remembers the epoch of the last `subscribed` or `gap`,
// and offset and anchor of the last `subscribed`, `gap` or `message`. It sends them as recover
// when it subscribes again:
//
//	{"type":"subscribe","payload":{"channel":"chat:42",
//	  "recover":{"epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}}
//
// # Event streams
//
// Server-sent events have the same envelopes. The name of an event is the type of the envelope,
// or the event of a message that has one ([EventName]). The id of an event is a [Cursor]. It has
// an entry for each channel with history:
//
//	<tag>~<epoch>~<offset>~<anchor>
//
// The tag is the first six characters of the base64url form of the SHA-256 of the channel's
// name. The anchor is optional, with its ~. Full stops separate the entries.
//
// # The end
//
// A connection is closed with a code; [CloseCodes] lists the codes. Of those that are not
// registered for WebSocket, 4000-4499 mean that the client must not reconnect as it is, and
// 4500-4999 that it should reconnect. [Codes] lists the codes of `error`.
//
// # Where to start
//
// The name of each type is a constant in envelope.go. The payloads of commands with
// their decoders are in commands.go, replies in replies.go, other envelopes in
// events.go; everything about presence is in presence.go, about documents in change.go.
//
// A new command is a payload and its decoder. A new envelope is a type that implements
// [Event], and [Named] to have a name on event streams. Neither changes other code of
// this package. The command's function is a line in the table of dialect/native.
package protocol
