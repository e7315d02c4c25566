package gate

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"runtime"
	"strconv"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"
)

var errAtOnce = errors.New("'realtime_handshakes' takes how many TLS handshakes are computed at once: a number from 1 on")

func init() { caddy.RegisterModule(new(Handshakes)) }

// Handshakes bounds how many TLS handshakes a server computes at once. It is a listener wrapper and stands before
// `tls`:
//
//	servers {
//		listener_wrappers {
//			realtime_handshakes [<at once>]
//			tls
//		}
//	}
//
// HTTP/3 has no listener of this kind, so its handshakes are not bounded. Handshakes that wait are served in their
// order. None is rejected. After a handshake its place stays empty for twice as long as the handshake took, at most 3 ms.
type Handshakes struct {
	// AtOnce is how many handshakes are computed at once; at least 1. Default: half of the processors that Go may
	// use, and at least one.
	AtOnce int `json:"at_once,omitempty"`

	gate gate
	warn func()
}

// CaddyModule implements [caddy.Module].
func (*Handshakes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.realtime_handshakes", New: func() caddy.Module { return new(Handshakes) }}
}

// Provision implements [caddy.Provisioner].
func (h *Handshakes) Provision(ctx caddy.Context) error {
	n := h.AtOnce
	if n == 0 {
		n = max(1, runtime.GOMAXPROCS(0)/2)
	}
	h.gate = newGate(n)
	h.warn = sync.OnceFunc(func() {
		ctx.Logger().Warn("realtime_handshakes bounds nothing: it stands behind TLS; write `tls` behind it in `listener_wrappers`, which Caddy puts first if it is missing", zap.Int("at_once", n))
	})
	return nil
}

// Validate implements [caddy.Validator].
func (h *Handshakes) Validate() error {
	if h.AtOnce < 0 {
		return errAtOnce
	}
	return nil
}

// behindTLS is what Caddy wraps if TLS comes before this wrapper.
var behindTLS = reflect.TypeOf(tls.NewListener(nil, nil))

// WrapListener implements [caddy.ListenerWrapper]. Where TLS comes first it says so in the log, at once if it can tell and
// otherwise at the first client.
func (h *Handshakes) WrapListener(l net.Listener) net.Listener {
	if reflect.TypeOf(l) == behindTLS {
		h.warn()
	}
	return listener{l, h.gate, h.warn}
}

// UnmarshalCaddyfile reads `realtime_handshakes [<at once>]`.
func (h *Handshakes) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	args := d.RemainingArgs()
	switch len(args) {
	case 0:
	case 1:
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 {
			return d.WrapErr(errAtOnce)
		}
		h.AtOnce = n
	default:
		return d.ArgErr()
	}
	if d.NextBlock(d.Nesting()) {
		return d.Err("'realtime_handshakes' has no block; write how many handshakes are computed at once behind it")
	}
	return nil
}

var (
	_ caddy.ListenerWrapper = (*Handshakes)(nil)
	_ caddy.Provisioner     = (*Handshakes)(nil)
	_ caddy.Validator       = (*Handshakes)(nil)
	_ caddyfile.Unmarshaler = (*Handshakes)(nil)
)
