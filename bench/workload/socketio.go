package workload

import "github.com/caddy-realtime/caddy-realtime/bench/target"

// aSocketIO is a site for clients of Socket.IO.
func aSocketIO(string) target.Site {
	return target.Site{Plain: true, Lines: "\t\tsocketio {\n\t\t\trooms\n\t\t}\n\t\troom io:* {\n\t\t\tsubscribe anyone\n\t\t}\n"}
}
