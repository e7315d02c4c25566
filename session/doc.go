// Package session is the conversation with one client, whatever protocol the client
// speaks: who it is, what it may do, and its limits.
//
// # Operations and dialects
//
// A [Session] offers operations: Publish, Subscribe, Unsubscribe, History, Members,
// Update, Change and Authenticate. An operation returns its result or an error and sends
// nothing. Where a reply must come before something that follows, the caller hands in a
// function that makes the reply. A [Dialect] decodes frames, calls the operations and
// sends the replies; package dialect/native is the first one. The HTTP API uses the same
// rules through the [Registry].
//
// # Limits
//
// What is cheap to check is checked first: the limits on connections before the
// handshake, the message rate before a payload is parsed, the permission before
// the size, the size before the room's rate. A frame that breaks a rule gets an
// error and the connection lives on; too many of them in a short time close it. A
// client that is over its rate is left unread for a while, see [Session.Pause]. A client
// whose connections were closed too often is banned for a while.
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
