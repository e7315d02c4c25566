// Package engineio is the transport of Engine.IO, version 4, which clients of Socket.IO speak. It
// answers the requests at one path: handshakes with their errors, polls, WebSockets and CORS.
// What packets of the type message contain is the business of a [session.Dialect], which knows
// nothing of this package.
//
// # Files
//
//	serve.go     which request is what
//	reject.go    the table of errors
//	cors.go      what pages of other origins may do
//	answer.go    the form of other answers
//	packet.go    the types of packets, the encoder around that of the dialect
//	dialect.go   the dialect around the one of the messages: heartbeats and the end
//	sessions.go  the sessions that began with polls, by their sid
//	open.go      the handshake of a client who polls
//	carrier.go   the hub's transport of such a session: its state, and the writes
//	poll.go      a GET, which is held until there is something to answer
//	post.go      a POST, which brings packets
//	payload.go   packets as they stand in polls
//	probe.go     the upgrade from polls to a WebSocket
//
// # WebSocket
//
// A WebSocket is one of package ws: its frames, its poller, its shared writes. The type encoder
// stands between the dialect's encoder and that of ws. It encodes the open packet and the
// heartbeat. The dialect's encoder writes its packets whole, so a broadcast is encoded once for
// all connections, as in every dialect.
//
// # Polls
//
// A session that began with polls has the type carrier as its transport. The hub queues the same
// frames for it as for a WebSocket, in bytes that are shared with all others. A poll that is held
// gets them as packets. While none is held, the hub waits for the carrier as it waits for a socket
// that is full: the queue is the usual one, with its bounds and policies, and no goroutine runs.
//
// The sid is the only credential of such a session. It is random, and it is not the id of the
// connection, which members of a room may see. [Sessions] has the sessions of a node. They belong
// to no configuration: a poll that is held when its configuration ends goes on. Some seconds later it is
// answered with a packet without meaning, unless there was something to answer, and the client polls
// again by the next configuration.
//
// # Upgrade
//
// A WebSocket with the sid of a session is a probe: it opens no session. From the client's probe
// on, polls are answered every 100 ms, until the client has paused and says so on the WebSocket.
// Then the carrier has a link, and the hub goes on writing there. There is one queue all the time,
// and carrier.mu decides where a write goes, so that nothing is lost, doubled or overtaken. An
// upgrade that fails leaves the polls as they are.
//
// A link of plain TCP takes writes without waiting. For others, over TLS and HTTP/2, a goroutine
// writes what the hub hands over, and ends.
//
// # Heartbeat
//
// The server pings. It is the heartbeat of the hub: its interval and its timeout are in the open
// packet. What a client sends counts as a sign of life; a poll alone does not.
//
// # Locks
//
//	hub.Conn.mu > carrier.mu: the hub writes, and waits for space, with its lock held
//
// Neither the hub nor a link is called with carrier.mu held. Sessions.mu is held alone.
package engineio
