package workload

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// All are the workloads, in the order in which they run.
var All = []Workload{
	{Name: "pings", Ping: 2 * time.Second, Run: pinged},
	{Name: "fanout", Run: fanout(128, 10)},
	{Name: "fanout-sse", Transport: client.Stream, Run: fanout(128, 10)},
	{Name: "fanout-tls", TLS: true, Run: fanout(128, 10)},
	{Name: "saturated", Run: saturated(128)},
	{Name: "saturated-sse", Transport: client.Stream, Run: saturated(128)},
	{Name: "rooms", Run: rooms(128)},
	{Name: "fanout-redis", Needs: inRedis, Run: fanout(128, 10)},
	{Name: "rooms-redis", Needs: inRedis, Run: rooms(128)},
	{Name: "idle", Run: idle},
	{Name: "idle-sse", Transport: client.Stream, Run: idle},
	{Name: "idle-tls", TLS: true, Run: idle},

	{Name: "slow", Run: slow(8192, 50)},

	{Name: "filters-all", Run: filters(128, 10, true)},
	{Name: "filters-few", Run: filters(128, 10, false)},
	{Name: "volatile", Needs: plainRooms(false), Run: volatile(128)},
	{Name: "volatile-redis", Needs: plainRooms(true), Run: volatile(128)},
	{Name: "handle-message", Needs: asking, Run: through(128)},
	{Name: "notify", Needs: notifying(false), Run: notified(128)},
	{Name: "notify-redis", Needs: notifying(true), Run: notified(128)},
	{Name: "pusher-fanout", Needs: anApp, Run: pushed(fanout(128, 10))},
	{Name: "pusher-saturated", Needs: anApp, Run: pushed(saturated(128))},
	{Name: "pusher-idle", Needs: anApp, Run: pushed(idle)},
	{Name: "pusher-events", Needs: anApp, Run: pushed(requests(1, 128))},
	{Name: "pusher-events-100", Needs: anApp, Run: pushed(requests(100, 128))},
	{Name: "socketio-fanout", Needs: aSocketIO, Run: spoken(client.SocketIO, fanout(128, 10))},
	{Name: "socketio-saturated", Needs: aSocketIO, Run: spoken(client.SocketIO, saturated(128))},
	{Name: "socketio-idle", Needs: aSocketIO, Run: spoken(client.SocketIO, idle)},
	{Name: "pusher-presence", Needs: seated, Run: pushed(crowd)},
}

// Find returns the workload of a name.
func Find(name string) (Workload, bool) {
	for _, w := range All {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}
