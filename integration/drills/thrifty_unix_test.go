//go:build unix

package drills

import (
	"net"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func init() { caddy.RegisterModule(new(thrifty)) }

// thrifty is a listener wrapper that has the kernel buffer no more for each connection
// than a burst of messages. By itself Linux goes up to 4 MiB, so that it takes long until
// a client that reads nothing has missed something.
type thrifty struct{}

// thriftySites is a global option for sites that use it.
const thriftySites = `
{
	servers {
		listener_wrappers {
			thrifty
		}
	}
}
`

// kernelBuffers is more than the kernel takes there for a client that reads nothing.
const kernelBuffers = 1 << 20

func (*thrifty) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.thrifty", New: func() caddy.Module { return new(thrifty) }}
}

func (*thrifty) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (*thrifty) WrapListener(l net.Listener) net.Listener { return thriftyListener{l} }

type thriftyListener struct{ net.Listener }

func (l thriftyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetWriteBuffer(256 << 10)
}
