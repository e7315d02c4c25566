// Package engineio is the transport of Engine.IO, version 4, which clients of Socket.IO speak. It
// answers the requests at one path: handshakes with their errors, WebSockets and CORS.
// What packets of the type message contain is the business of a [session.Dialect], which knows
// nothing of this package.
//
// # Files
//
//	serve.go    which request is what, and the table of errors
//	cors.go     what pages of other origins may do
//	packet.go   the types of packets, the encoder around that of the dialect
//	dialect.go  the dialect around the one of the messages: heartbeats and the end
//
// # WebSocket
//
// A WebSocket is one of package ws: its frames, its poller, its shared writes. The type encoder
// stands between the dialect's encoder and that of ws. It encodes the open packet and the
// heartbeat. The dialect's encoder writes its packets whole, so a broadcast is encoded once for
// all connections, as in every dialect.
//
// # Heartbeat
//
// The server pings. It is the heartbeat of the hub: its interval and its timeout are in the open
// packet. Anything that a client sends counts as a sign of life.
package engineio
