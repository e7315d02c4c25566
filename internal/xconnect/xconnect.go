// Package xconnect turns on WebSockets over HTTP/2 (RFC 8441, the extended CONNECT
// method) for the whole process. A command or test of this module imports it for
// its side effect; any other process is started with GODEBUG=http2xconnect=1
// instead, which does the same.
//
// Go's HTTP/2 servers announce the extension only when the environment variable
// GODEBUG contains http2xconnect=1, and look at it once, while the process is
// initialized: neither a configuration nor a //go:debug line can set it. This
// package sets it before that. It can because it imports nothing but os: Go
// initializes packages that are ready in the order of their import paths, and this
// one comes before net/http and golang.org/x/net/http2, whose own imports are
// ready later besides.
//
// What GODEBUG says already is respected: with http2xconnect=0 nothing changes.
//
// The switch concerns every handler of the process. Browsers that see the
// announcement send all their WebSockets that way and do not fall back to
// HTTP/1.1, so a handler that knows only the Upgrade header fails for them.
package xconnect

import "os"

const key = "http2xconnect="

func init() {
	if value, change := with(os.Getenv("GODEBUG")); change {
		_ = os.Setenv("GODEBUG", value)
	}
}

// with adds the setting to a value of GODEBUG that does not have it yet. It does
// without package strings, whose initialization would have to come first.
func with(value string) (string, bool) {
	for i := 0; i+len(key) <= len(value); i++ {
		if value[i:i+len(key)] == key {
			return value, false
		}
	}
	if value != "" {
		value += ","
	}
	return value + key + "1", true
}
