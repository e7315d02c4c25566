package main

import "github.com/caddy-realtime/caddy-realtime/bench/workload"

// row is one line of the table: a figure of a workload against a peer.
type row struct {
	workload string
	peer     string
	figure   string
	// ratio is the bar for this server's figure divided by the peer's, absolute the bar
	// for the figure itself. There is none if 0.
	ratio, absolute float64
}

// rows are what `make bench` shows. Rows of the same workload and peer are next to each
// other: they come from the same runs. How many were lost is checked for each.
var rows = []row{
	{"fanout", "nchan", workload.CPU, 1.0, 0},
	{"fanout", "nchan", workload.P99, 0, 0},
	{"fanout-sse", "nchan", workload.CPU, 0, 0},
	{"fanout-tls", "nchan", workload.CPU, 0, 0},
	{"saturated", "floor", workload.CPU, 1.1, 0},
	{"saturated", "floor", workload.Rate, 0, 0},
	{"saturated", "hub", workload.CPU, 0, 0},
	{"saturated-sse", "nchan", workload.CPU, 0, 0},
	{"rooms", "nchan", workload.CPU, 1.2, 0},
	{"rooms", "nchan", workload.P99, 0, 0},
	{"fanout-redis", workload.InMemory, workload.CPU, 0, 0},
	{"fanout-redis", workload.InMemory, workload.P99, 0, 0},
	{"rooms-redis", workload.InMemory, workload.CPU, 0, 0},
	{"rooms-redis", workload.InMemory, workload.P99, 0, 0},
	{"idle", "nchan", workload.Memory, 0, 5},
	{"idle", "nchan", workload.Collected, 0, 0},
	{"idle", "nchan", workload.Connect, 0, 80},
	{"idle", parkedPeer, workload.Memory, 0, 0},
	{"idle", parkedPeer, workload.Collected, 0, 0},
	{"idle", parkedPeer, workload.Connect, 0, 0},
	{"idle", workload.Bare, workload.Memory, 0, 0},
	{"idle", workload.Bare, workload.Collected, 0, 0},
	{"idle", workload.Bare, workload.Connect, 0, 0},
	{"idle", workload.Plain, workload.Memory, 0, 0},
	{"idle", workload.Plain, workload.Collected, 0, 0},
	{"idle", workload.Plain, workload.Connect, 0, 0},
	{"idle-sse", "nchan", workload.Memory, 0, 5},
	{"idle-sse", "nchan", workload.Collected, 0, 0},
	{"idle-sse", "nchan", workload.Connect, 0, 0},
	{"idle-tls", "nchan", workload.Memory, 0, 12},
	{"idle-tls", "nchan", workload.Collected, 0, 0},
	{"idle-tls", "nchan", workload.Connect, 0, 0},
	{"idle-tls", parkedPeer, workload.Memory, 0, 0},
	{"idle-tls", parkedPeer, workload.Collected, 0, 0},
	{"idle-tls", parkedPeer, workload.Connect, 0, 0},
	{"idle-tls", workload.Bare, workload.Memory, 0, 0},
	{"idle-tls", workload.Bare, workload.Collected, 0, 0},
	{"idle-tls", workload.Bare, workload.Connect, 0, 0},
	{"pings", "nchan", workload.PingCPU, 0, 0},
	{"slow", "nchan", workload.During, 0, 1.1},
	{"slow", "nchan", workload.P99, 0, 0},
	{"slow", "nchan", workload.Growth, 0, 1024 + 256},
	{"filters-all", workload.Without, workload.Offered, 1.2, 0},
	{"filters-few", workload.Without, workload.Offered, 1, 0},
	{"volatile", workload.Without, workload.Message, 0, 0},
	{"volatile-redis", workload.Without, workload.Message, 0, 0},
	{"volatile-redis", workload.Without, workload.OfRedis, 0, 0},
	{"handle-message", workload.Without, workload.Message, 0, 0},
	{"handle-message", workload.Proxy, workload.Message, 0, 0},
	{"notify", workload.Without, workload.Message, 0, 0},
	{"notify", workload.Without, workload.Events, 0, 0},
	{"notify-redis", workload.Without, workload.Message, 0, 0},
	{"notify-redis", workload.Without, workload.OfRedis, 0, 0},
	{"notify-redis", workload.Without, workload.Events, 0, 0},
	{"pusher-fanout", workload.Native, workload.CPU, 1.1, 0},
	{"pusher-saturated", workload.Native, workload.CPU, 1.1, 0},
	{"pusher-idle", workload.Native, workload.Memory, 0, 0},
	{"pusher-idle", workload.Native, workload.Collected, 1.1, 0},
	{"pusher-idle", workload.Native, workload.Connect, 0, 0},
	{"pusher-events", workload.Native, workload.Request, 0, 0},
	{"pusher-events", workload.Native, workload.Requests, 0, 0},
	{"pusher-events-100", workload.Native, workload.Request, 0, 0},
	{"pusher-events-100", workload.Native, workload.Requests, 0, 0},
	{"socketio-fanout", workload.Native, workload.CPU, 1.1, 0},
	{"socketio-saturated", workload.Native, workload.CPU, 1.1, 0},
	{"socketio-idle", workload.Native, workload.Memory, 0, 0},
	{"socketio-idle", workload.Native, workload.Collected, 1.1, 0},
	{"socketio-idle", workload.Native, workload.Connect, 0, 0},
	{"pusher-presence", workload.Native, workload.Seconds, 0, 0},
	{"pusher-presence", workload.Native, workload.CPUTotal, 0, 0},
	{"pusher-presence", workload.Native, workload.MiB, 0, 0},
	{"pusher-presence", workload.Native, workload.Peak, 0, 0},
	{"pusher-presence", workload.Native, workload.Twice, 0, 0},
}
