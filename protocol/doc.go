// Package protocol is the native wire protocol, version 1: it reads what clients
// send, writes what the server says, and names errors and the ends of connections.
// It does nothing by itself: no I/O, no goroutines, no state. Its functions may be
// called by several goroutines at once; a [Cursor] belongs to one.
//
// # Envelopes
//
// Each WebSocket text frame, and the data of each server-sent event, is one
// envelope, a JSON object on one line:
//
//	{"type":"subscribe","id":7,"payload":{"channel":"chat:42"}}
//
// A client gives type, an optional id (a string of at most 64 bytes or an integer)
// and payload. The server repeats the id, byte for byte, in its reply, and adds
// timestamp, in milliseconds since 1970: the time of a message's publication, else
// that of the envelope.
//
// Fields that are not known are ignored, names are compared exactly, and a known
// field must not come twice. A frame is UTF-8 and nested at most 64 levels deep. A
// bad frame is answered by `error` and the connection lives on, unless it goes on
// like that.
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
// The reply to any of them may be `error` instead. A channel is named by 1 to 255
// bytes ([ValidChannel]). content is any JSON value; event is the application's
// word for the kind of message ([ValidEvent]); a second message with the same key
// is acknowledged and not sent again ([ValidKey]); to has the message delivered to one
// member alone ([DecodeAddress]), without a position. n is at most 1000, and so is
// limit, which is 100 by default; 0 asks for the position alone.
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
// Flags are true or left out, but for recovered: it is there when the client asked
// to recover, and false means that the client must fetch anew what it shows. Each
// of messages has the fields of `message` and a timestamp, and not the channel,
// which stands beside them. sender is a user, or the connection of an anonymous
// publisher, or missing when the application published. degraded means that only
// clients of one server were reached.
//
// # Positions
//
// In a room with history a position is spread over three fields: epoch (letters and
// digits), offset (an integer) and anchor (8 lower-case hexadecimal digits; may be
// missing). A room without history has none of them anywhere. Messages of an epoch
// have the offsets 1, 2, 3 …, and a client sees each once and in order.
//
// The position in `subscribed` and `gap` is the one after which delivery goes on.
// `gap` says that something was lost before it. A client that remembers the epoch
// of the last `subscribed` or `gap`, and offset and anchor of the last of these or
// of the last message, gives them as recover when it subscribes again:
//
//	{"type":"subscribe","payload":{"channel":"chat:42",
//	  "recover":{"epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}}
//
// # Event streams
//
// Over server-sent events the envelopes are the same. All but messages come under
// the name of their type, messages under their event, if they have one
// ([EventName]). The id of an event is a [Cursor]: for each channel with history
// an entry
//
//	<tag>~<epoch>~<offset>~<anchor>
//
// where the tag is the first six characters of the base64url form of the SHA-256
// of the channel's name, and the anchor may be missing with its ~. Entries are
// joined by full stops.
//
// # The end
//
// A connection ends with a code: [CloseCodes] lists them. Of those that are not
// registered for WebSocket, 4000-4499 ask the client not to come back as it is,
// and 4500-4999 to reconnect. [Codes] lists the codes of `error`.
//
// # Going on from here
//
// The name of each type is a constant in envelope.go. The payloads of commands with
// their decoders are in commands.go, replies in replies.go, other envelopes in
// events.go; everything about presence is in presence.go, about documents in change.go.
//
// A new command is a payload and its decoder. A new envelope is a type that implements
// [Event], and [Named] to have a name on event streams. Neither changes other code of
// this package. The command's function is a line in the table of dialect/native.
package protocol
