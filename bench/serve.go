package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"

	"github.com/caddy-realtime/caddy-realtime/bench/floor"
	"github.com/caddy-realtime/caddy-realtime/bench/hub"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// serveWord makes this program a server: serve <name> <address> [<certificate> <key>].
// The peers of the bench are thus processes of their own, and need no build of their own.
const serveWord = "serve"

// served reports whether this process is to be a server. It returns when the server has
// ended.
func served() bool {
	if len(os.Args) < 4 || os.Args[1] != serveWord {
		return false
	}
	collect := make(chan os.Signal, 1)
	signal.Notify(collect, proc.Collect)
	go func() {
		for range collect {
			debug.FreeOSMemory()
		}
	}()
	err := fmt.Errorf("no server %s", os.Args[2])
	switch os.Args[2] {
	case "hub":
		err = hub.Serve(os.Args[3], os.Args[4:])
	case "floor":
		err = floor.Serve(os.Args[3])
	case parkedPeer:
		err = floor.ServeParked(os.Args[3], os.Args[4:])
	}
	fmt.Fprintln(os.Stderr, err)
	return true
}
