package metrics

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/node"
)

var connections = []metric{
	gauge("ready", "Whether this node takes clients and can serve them: 1 or 0.", func(s *node.Stats, e emitter) {
		e.truth(s.Ready)
	}),
	gauge("connections", "Open connections to this node.", eachKind(func(k hub.KindStats, e emitter, labels ...string) {
		e.amount(k.Connections, labels...)
	}), "transport", "dialect"),
	gauge("rooms", "Rooms that have connections on this node.", func(s *node.Stats, e emitter) {
		e.amount(s.Hub.Rooms)
	}),
	gauge("subscriptions", "Subscriptions of connections to this node.", func(s *node.Stats, e emitter) {
		e.amount(s.Hub.Subscriptions)
	}),
	gauge("members", "Members that are present by this node, each counted once for each room.", func(s *node.Stats, e emitter) {
		e.amount(s.Presence.Members)
	}),
	gauge("documents", "Documents that have subscribers on this node.", func(s *node.Stats, e emitter) {
		e.amount(s.Documents.Open)
	}),
	gauge("queued_messages", "Frames that wait in the queues of connections.", eachKind(func(k hub.KindStats, e emitter, labels ...string) {
		e.amount(k.QueuedMessages, labels...)
	}), "transport", "dialect"),
	gauge("queued_bytes", "Bytes that wait in the queues of connections.", eachKind(func(k hub.KindStats, e emitter, labels ...string) {
		e.amount(k.QueuedBytes, labels...)
	}), "transport", "dialect"),
	gauge("queue_fill_ratio", "How full the fullest queue of a connection is, as a part of its bound.", func(s *node.Stats, e emitter) {
		e.value(s.Conns.Fullest)
	}),
	counter("heartbeat_timeouts_total", "Connections that were closed because they did not answer pings.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Silent)
	}),
	counter("closes_total", "Connections that are over, by close code; other is one that a client or the app chose.", func(s *node.Stats, e emitter) {
		for code, n := range s.Sessions.Closed {
			e.count(n, code)
		}
	}, "code"),
	counter("sent_bytes_total", "Bytes that were written to connections, before TLS and compression.", eachKind(func(k hub.KindStats, e emitter, labels ...string) {
		e.count(k.Bytes, labels...)
	}), "transport", "dialect"),
	counter("received_bytes_total", "Bytes of the messages that clients sent over connections.", func(s *node.Stats, e emitter) {
		e.count(s.Sessions.ReceivedBytes)
	}),
	counter("received_messages_total", "Messages that clients sent over connections, whatever became of them.", func(s *node.Stats, e emitter) {
		e.count(s.Sessions.Received)
	}),
}

// eachKind reads a figure of each kind of connections.
func eachKind(read func(hub.KindStats, emitter, ...string)) func(*node.Stats, emitter) {
	return func(s *node.Stats, e emitter) {
		for kind, k := range s.Conns.Kinds {
			read(k, e, kind.Transport, kind.Dialect)
		}
	}
}
