package session

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// The names below are those of the metrics without prefix, `_total` and labels, so that an
// operator finds the same figure in both. A label with few values becomes a part of the name.

func (s *NodeStats) addHub(h hub.Stats) {
	addAll(s.Gauges, map[string]uint64{
		"channels": uint64(h.Rooms), "subscriptions": uint64(h.Subscriptions),
		"pending_bytes": uint64(h.Pending), "waiting_publishers": uint64(h.Waiting),
	})
	addAll(s.Counters, map[string]uint64{
		"publishers_waited": h.Waited, "publishers_rejected": h.Rejected,
		"overrun_events": h.Dropped, "panics": h.Panics, "heartbeat_timeouts": h.Silent,
		"slow_closes": h.Slow[hub.SlowDisconnect],
		"slow_drops":  h.Slow[hub.SlowDropOldest] + h.Slow[hub.SlowLatest],
		"gaps_slow":   h.Gaps[hub.GapSlow], "gaps_behind": h.Gaps[hub.GapBehind], "gaps_lost": h.Gaps[hub.GapLost],
		"recoveries_hit": h.Recovered, "recoveries_miss": h.Unrecovered,
	})
}

func (s *NodeStats) addConns(c hub.ConnStats) {
	var messages, bytes int
	var sent hub.Sent
	for _, k := range c.Kinds {
		messages, bytes = messages+k.QueuedMessages, bytes+k.QueuedBytes
		sent.Messages, sent.Bytes = sent.Messages+k.Messages, sent.Bytes+k.Bytes
	}
	addAll(s.Gauges, map[string]uint64{"queue_messages": uint64(messages), "queue_bytes": uint64(bytes)})
	addAll(s.Counters, map[string]uint64{"deliveries": sent.Messages, "sent_bytes": sent.Bytes})
}

func (s *NodeStats) addCounts(c Counts) {
	addAll(s.Counters, map[string]uint64{
		"messages_published": sum(c.Published), "published_bytes": sum(c.PublishedBytes), "duplicates": c.Duplicates,
		"received_messages": c.Received, "received_bytes": c.ReceivedBytes,
		"rejections": sum(c.Rejected), "closes": sum(c.Closed),
	})
	for source, n := range c.Published {
		s.Counters["messages_published_"+source.String()] = float64(n)
	}
	for limit, n := range c.RateLimited {
		s.Counters["rate_limited_"+limit] = float64(n)
	}
	for outcome, n := range c.Changes {
		s.Counters["document_changes_"+outcome] = float64(n)
	}
}

func addAll(to map[string]float64, figures map[string]uint64) {
	for name, n := range figures {
		to[name] = float64(n)
	}
}

func sum[K comparable](counts map[K]uint64) (n uint64) {
	for _, each := range counts {
		n += each
	}
	return n
}
