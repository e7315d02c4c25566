// Package session holds the conversation with one client: it reads commands,
// asks the policy, uses the hub and answers. The transports hand it frames, and
// the HTTP API shares its rules through the [Registry].
//
// # Commands
//
// A command is a function in a file of its own and a line in the table of
// command.go. It decodes its payload, does its work and sends its reply; the error
// it returns is sent by [Session.Receive], so that each command is answered once.
//
// # Limits
//
// What is cheap to check is checked first: the limits on connections before the
// handshake, the message rate before a payload is parsed, the permission before
// the size, the size before the room's rate. A frame that breaks a rule gets an
// error and the connection lives on; too many of them in a short time end it. One
// that is over its rate is left unread for a while, see slowDown: Receive does not
// return before. Those who were thrown out too often are not let in for a while.
//
// # Identity
//
// A [Principal] is found out by the handshake, or by the client's `authenticate`, which
// may give an anonymous connection a user and renews a token later on. Everything
// asks for the principal anew, so that a renewed token counts at once: subscriptions it
// does not allow end, and in rooms with presence the session becomes another member.
// A connection ends some seconds after its token, unless that was renewed; whoever
// has no token costs no timer.
//
// A realm may have the application asked, too, behind the policy and the rates:
// about connections before they are made, and about subscribing and publishing on
// the reader's goroutine, whose client waits for the answer.
//
// A connection knows the name of its [Realm] alone, and asks the configuration in
// force for what the name means. Revocations and kicks work on live connections.
// Revocations are also asked before an identity is taken. Both are asked once more when
// the identity shows, because a handshake may be on its way when they come: kicks are
// remembered for that, and [Principal.AsOf] says what they cover. With a [Control] all nodes
// carry them out.
//
// # Configuration
//
// [Registry.Apply] swaps policy and limits in one step. Each command works with
// the ones it finds at its start; a subscription that was being made during the
// swap is checked again when it exists, so that none outlives its permission.
//
// # Concurrency
//
// A Registry may be used by several goroutines at once. [Session.Receive] and
// [Session.Subscribe] belong to the transport's reader: one call at a time. The
// other methods of Session may be called at any time.
//
// The package starts no goroutine. Lock order: Registry.applying, then Session.mu
// or Registry.mu or buckets.mu or dismissals.mu, which are leaves: nothing is locked, and the hub
// is not called, while one of them is held; the exception is Session.mu around
// [hub.Hub.Connect], which never calls back before it returns. The principal of a
// session changes with Registry.mu held, which counts by it, and is read without.
package session
