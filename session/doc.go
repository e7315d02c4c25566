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
// rules through the capabilities of the [Registry].
//
// # Where things are
//
//	session.go      a session: how it is opened, how it ends
//	receive.go      Dialect; what a frame costs, offences, panics
//	succession.go   messages that do not overtake each other when one is over a rate
//	authenticate.go how a session gets another principal, and when a token ends
//	subscribe.go    how a session enters and leaves rooms
//	apply.go        what a new configuration does to a live session
//	principal.go    Principal and Caller: who asks, and by which way
//	takes.go        what a dialect asks of the session: what the route takes, timers
//	registry.go     Registry: what it is made of, Apply, orders of other nodes
//	rules.go        Config, Realm: the configuration in force, and what it allows
//	app.go          questions to the app
//	sessions.go     the table of sessions, and how many there are
//	limits.go       Limits; bucket.go: token buckets
//
// and a file, or two, for each capability, with the operations of sessions that belong
// to it:
//
//	Admission    admission.go             may a client connect; bans
//	Publishing   publish.go, history.go   messages
//	             replay.go                messages for a client that is in the room already
//	Presence     presence.go              members
//	Documents    documents.go, change.go, follow.go
//	Kicks        kicks.go                 connections of a user are closed
//	Revocations  revocations.go           tokens that do not count any more
//	Rates        rates.go                 callers without a connection, and rooms
//	Memory       memory.go                what requests of the HTTP API hold
//	Inspection   inspect*.go              what operators ask, over all nodes
//	Enrollment   enroll.go                subscriptions by order of the app
//	Audience     audience.go              how many subscriptions a channel has, when that changes
//	             lost.go                  what a lost connection leaves for the next one
//	             ticket.go                the same, for clients that prove who they are by a secret
//	             explain.go               why a client may or may not do something
//	Watchlists   watchlist.go             whether users are online, for clients that watch them
//	Streams      streams.go, forward.go   what clients with an event stream request over HTTP
//	cluster      cluster.go               orders to the other nodes
//
// # Limits
//
// Cheap checks run first: the limits on connections before the handshake, the message
// rate before a payload is parsed, the permission before the size, the size before the
// room's rate, and the app last. A frame that breaks a rule gets an error and the
// connection lives on; too many of them in a short time close it. A client that is over
// its rate is left unread for a while, see [Session.Pause]. A client whose connections
// were closed too often is banned for a while.
//
// # Identity
//
// The handshake finds the [Principal]. Later, the client's `authenticate` may give an
// anonymous connection a user, or renew a token. Every command reads the principal again, so
// that a renewed token counts at once: subscriptions that it does not allow end, and in rooms
// with presence the session becomes another member. A connection is closed some seconds after
// its token has expired, unless the token was renewed. A connection without a token has no
// timer, unless it must authenticate.
//
// A realm may also ask the app, after the checks of policy and rates: about connections in
// the handshake, and about subscriptions and messages on the reader's goroutine. The client
// waits for the answer.
//
// A connection knows only the name of its [Realm], and looks the realm up in the
// configuration in force. Revocations and kicks close live connections. A handshake may be on
// its way when they come, so both are checked again when the session exists: Revocations and
// Kicks remember them, and [Principal.AsOf] says which ones cover a principal. With a
// [Control] all nodes carry them out.
//
// # Configuration
//
// [Registry.Apply] swaps policy and limits in one step. Each command works with the rules
// that it finds at its start. A subscription that is made during the swap is checked again
// when it exists, so that none outlives its permission.
//
// # Concurrency
//
// A Registry may be used by several goroutines at once. [Session.Receive], [Session.Spend],
// [Session.Pause] and [Session.Subscribe] belong to the transport's reader: one call at a
// time. The other methods of Session may be called by any goroutine at any time.
//
// The package starts five kinds of goroutines, under a guard: when a room gets a document by
// a new configuration, the session follows it beside Apply, because the store may be slow; and
// an order to subscribe connections is carried out beside other orders, because a client may
// not read; timers of [Audience] and of [Watchlists] count what has changed; and a dialect may start a
// timer for its connection.
//
// Locks, from the outermost to the innermost:
//
//	Registry.applying > hub.feeds.mu: a subscription to a pattern ends
//	Registry.applying > Session.mu > hub.Hub.mu
//	Registry.applying > sessions.mu > Watchlists.mu: a user comes or goes
//	Session.mu > lostConns.mu: tickets become records
//
// Session.mu is held around [hub.Hub.Connect], which does not call back before it returns.
// sessions.mu is held while a [Headcount] is notified; the implementation has its own lock
// and does not block. buckets.mu, recentKicks.mu, Memory.mu, Audience.mu, Watchlists.mu and lostConns.mu are leaves: nothing
// else is locked while one of them is held. The principal of a session is written with
// sessions.mu held, because the table counts by it, and is read without a lock.
package session
