// Command caddy is a Caddy with the realtime module compiled in. It is what the
// Makefile runs and what the tests of the command line start; to put the module
// into a Caddy of your own, use xcaddy.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-realtime/caddy-realtime"
)

func main() {
	caddycmd.Main()
}
