package metrics

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/node"
)

var messages = []metric{
	counter("messages_published_total", "Messages that were accepted by this node, repeats with the same key not counted.", func(s *node.Stats, e emitter) {
		for source, n := range s.Sessions.Published {
			e.count(n, source.String())
		}
	}, "source"),
	counter("published_bytes_total", "Bytes of the content of these messages.", func(s *node.Stats, e emitter) {
		for source, n := range s.Sessions.PublishedBytes {
			e.count(n, source.String())
		}
	}, "source"),
	counter("duplicates_total", "Messages that were not published again, because their key was known.", func(s *node.Stats, e emitter) {
		e.count(s.Sessions.Duplicates)
	}),
	counter("deliveries_total", "Messages that were written to connections or queued for them, each counted once for each connection.", eachKind(func(k hub.KindStats, e emitter, labels ...string) {
		e.count(k.Messages, labels...)
	}), "transport", "dialect"),
	histogram("publish_to_write_seconds", "Time from the acceptance of a message to its write, for each delivery.", func(s *node.Stats, e emitter) {
		e.durations(s.Hub.Delays)
	}),
	gauge("pending_bytes", "What rooms have yet to broadcast; a small event counts as 1 KiB.", func(s *node.Stats, e emitter) {
		e.amount(s.Hub.Pending)
	}),
	gauge("waiting_publishers", "Publishers that wait because their room has too much to broadcast.", func(s *node.Stats, e emitter) {
		e.amount(s.Hub.Waiting)
	}),
	counter("publishers_waited_total", "Publishers that had to wait for their room.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Waited)
	}),
	counter("publishers_rejected_total", "Publishers that were rejected because they would have had to wait too long.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Rejected)
	}),
	counter("overrun_events_total", "Events that were dropped because their room was too far behind; a gap tells the subscribers.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Dropped)
	}),
	counter("slow_closes_total", "Connections that were closed because their queue was full.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Slow[hub.SlowDisconnect])
	}),
	counter("slow_drops_total", "Messages that the slow policy of a room dropped from queues, or replaced by newer ones.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Slow[hub.SlowDropOldest], "drop_oldest")
		e.count(s.Hub.Slow[hub.SlowLatest], "latest")
	}, "policy"),
	counter("gaps_total", "Losses that were announced: slow counts connections, behind and lost count rooms.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Gaps[hub.GapSlow], "slow")
		e.count(s.Hub.Gaps[hub.GapBehind], "behind")
		e.count(s.Hub.Gaps[hub.GapLost], "lost")
	}, "cause"),
	counter("recoveries_total", "Subscriptions that asked for what they had missed: hit got all of it, miss did not.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Recovered, "hit")
		e.count(s.Hub.Unrecovered, "miss")
	}, "result"),
	counter("panics_total", "Faults of the server that were survived; the log has the details.", func(s *node.Stats, e emitter) {
		e.count(s.Hub.Panics)
	}),
}
