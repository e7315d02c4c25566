package drills

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// TestHalfHandshakes holds sockets on which a handshake was begun, or not even that. They
// hinder nobody, and are cut off.
func TestHalfHandshakes(t *testing.T) {
	n := crowdOf(t, sized(200, 5000), 2)
	row := newRow(t, "10 s; all are cut off", "%d handshakes that never end, with `read_header 2s`", n)
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, badSite)
	addr := c.Addr("site")
	var sockets []net.Conn
	for i := range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		sockets = append(sockets, conn)
		half := "GET /rt HTTP/1.1\r\nHost: " + addr + "\r\nConnection: Upgrade\r\nUpgra"
		if _, err := io.WriteString(conn, half[:i%len(half)]); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	good := subscribeWS(t, dialer(), "http://"+addr+"/rt", "open:1")
	if ev, err := good.call("message", map[string]any{"channel": "open:1", "content": "hello"}); err != nil || ev.Type != "ack" {
		t.Errorf("%v, %v", ev, err)
	}
	took := time.Since(start)
	for _, conn := range sockets {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if said, err := awaitCut(conn); err != nil {
			t.Fatalf("a handshake that never ends is not cut off: %q, %v", said, err)
		}
	}
	t.Logf("a client was served after %v, and %d half handshakes were cut off after %v",
		took.Round(time.Millisecond), len(sockets), time.Since(start).Round(time.Millisecond))
	row.came("a client is served after %v; all are cut off after %.1f s", took.Round(time.Millisecond), time.Since(start).Seconds())
	if took > 10*time.Second {
		t.Errorf("a good client had to wait for %v", took)
	}
}
