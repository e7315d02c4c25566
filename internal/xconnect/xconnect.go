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
// A setting that GODEBUG has already stays: with http2xconnect=0 nothing changes.
//
// The setting affects every handler of the process. A browser that sees the
// announcement sends all its WebSockets that way and does not fall back to
// HTTP/1.1, so a handler that knows only the Upgrade header fails for it.
package xconnect

import "os"

const key = "http2xconnect="

func init() {
	if value, change := with(os.Getenv("GODEBUG")); change {
		_ = os.Setenv("GODEBUG", value)
	}
}

// with returns a value of GODEBUG with the setting, and whether the setting was missing. It
// does not use package strings, which would have to be initialized first.
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
