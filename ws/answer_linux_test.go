package ws_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

type connKey struct{}

// TestOnePacket says that the answer to a handshake and the first event leave together: a client
// has both after one read. Without the cork the answer comes first, nearly always.
func TestOnePacket(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := n.options()
		o.Conn = func(r *http.Request) net.Conn { return r.Context().Value(connKey{}).(net.Conn) }
		if err := ws.Serve(w, r, o); err != nil {
			t.Error(err)
		}
	}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	s.Start()
	t.Cleanup(s.Close)
	addr := strings.TrimPrefix(s.URL, "http://")
	for range 30 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+testKey+"\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		k, err := c.Read(buf)
		if got := string(buf[:k]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.Contains(got, `"connected"`) {
			t.Errorf("%q, %v", got, err)
		}
		_ = c.Close()
	}
}
