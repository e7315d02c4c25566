package workload

import "github.com/caddy-realtime/caddy-realtime/bench/target"

// aSocketIO is a site for clients of Socket.IO. It has no room with all clients of the namespace, so that
// a client is in one room, as a native one is.
func aSocketIO(string) target.Site {
	return target.Site{Plain: true, Lines: "\t\tsocketio {\n\t\t\trooms\n\t\t}\n"}
}
