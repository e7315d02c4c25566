package metrics

import (
	"math"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// stores are about where rooms are kept. Each hub shows only what it has.
var stores = []metric{
	gauge("history_bytes", "Memory of histories and idempotency keys, without Redis.", inMemory(func(m *memory.Stats, e emitter) {
		e.value(float64(m.Bytes))
	})),
	counter("history_evicted_rooms_total", "Rooms whose history was dropped because the memory for histories was full.", inMemory(func(m *memory.Stats, e emitter) {
		e.count(m.Evicted)
	})),
	gauge("redis_connected", "Whether the subscribed connections to Redis are open: 1 or 0.", inRedis(func(r *redis.Stats, e emitter) {
		e.truth(r.Connected)
	})),
	gauge("redis_away_seconds", "How long Redis has been unusable; 0 if it is usable, infinite before the first contact.", inRedis(func(r *redis.Stats, e emitter) {
		if r.Away == math.MaxInt64 {
			e.value(math.Inf(1))
			return
		}
		e.value(r.Away.Seconds())
	})),
	gauge("redis_channels", "Channels that this node has subscribed to in Redis.", inRedis(func(r *redis.Stats, e emitter) {
		e.amount(r.Channels)
	})),
	histogram("redis_round_trip_seconds", "Round trips to Redis, each with one command or a batch.", inRedis(func(r *redis.Stats, e emitter) {
		e.durations(r.Trips)
	})),
	counter("redis_failures_total", "Round trips in which Redis did not answer.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Failed)
	})),
	counter("redis_connects_total", "How often a subscribed connection to Redis was made.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Connections)
	})),
	counter("redis_silent_total", "Subscribed connections that were replaced because nothing arrived on them any more.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Silent)
	})),
	counter("redis_repairs_total", "Holes in the messages of rooms that were found.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Repairs)
	})),
	counter("redis_repaired_messages_total", "Messages that filled these holes.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Repaired)
	})),
	counter("redis_lost_holes_total", "Holes that could not be filled; a gap tells the subscribers.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Lost)
	})),
	counter("redis_renewed_logs_total", "Histories that went back in time, as after a failover.", inRedis(func(r *redis.Stats, e emitter) {
		e.count(r.Renewed)
	})),
	gauge("notify_queued_events", "Events that wait for the app.", eachSink(func(o *notify.Stats, e emitter) {
		e.amount(o.Waiting, o.Sink)
	}), "sink"),
	gauge("notify_queued_bytes", "Bytes of the events that wait for the app.", eachSink(func(o *notify.Stats, e emitter) {
		e.value(float64(o.Bytes), o.Sink)
	}), "sink"),
	gauge("notify_oldest_seconds", "How long the oldest event has waited for the app.", eachSink(func(o *notify.Stats, e emitter) {
		if o.Oldest.IsZero() {
			e.value(0, o.Sink)
			return
		}
		e.value(max(0, time.Since(o.Oldest).Seconds()), o.Sink)
	}), "sink"),
	counter("notify_delivered_events_total", "Events that the app has taken.", eachSink(func(o *notify.Stats, e emitter) {
		e.count(o.Delivered, o.Sink)
	}), "sink"),
	counter("notify_lost_events_total", "Events that the app was told it did not get.", eachSink(func(o *notify.Stats, e emitter) {
		e.count(o.Lost, o.Sink)
	}), "sink"),
	counter("notify_requests_total", "Requests with events.", eachSink(func(o *notify.Stats, e emitter) {
		e.count(o.Requests, o.Sink)
	}), "sink"),
	counter("notify_failures_total", "Requests with events that failed and are repeated.", eachSink(func(o *notify.Stats, e emitter) {
		e.count(o.Failed, o.Sink)
	}), "sink"),
}

func inMemory(read func(*memory.Stats, emitter)) func(*node.Stats, emitter) {
	return func(s *node.Stats, e emitter) {
		if s.Memory != nil {
			read(s.Memory, e)
		}
	}
}

func inRedis(read func(*redis.Stats, emitter)) func(*node.Stats, emitter) {
	return func(s *node.Stats, e emitter) {
		if s.Redis != nil {
			read(s.Redis, e)
		}
	}
}

// eachSink reads a figure of each sink of events.
func eachSink(read func(*notify.Stats, emitter)) func(*node.Stats, emitter) {
	return func(s *node.Stats, e emitter) {
		for i := range s.Events {
			read(&s.Events[i], e)
		}
	}
}
