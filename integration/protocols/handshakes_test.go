package protocols

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// Caddy puts `tls` first where it is missing. The log says at the start that the wrapper bounds nothing then.
func TestHandshakesBehindTLS(t *testing.T) {
	t.Parallel()
	const site = `
{
	admin {{admin}}
	servers {
		listener_wrappers {
			realtime_handshakes
		}
	}
}
https://{{site}} {
	tls internal
	realtime /rt
}
`
	integration.StartProcess(t, site).WaitLog("realtime_handshakes bounds nothing: it stands behind TLS")
}
