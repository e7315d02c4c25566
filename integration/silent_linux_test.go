package integration

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestSilentConnectionsHaveNoGoroutine holds WebSockets and event streams that are silent. Caddy
// wraps the connections of a server that speaks HTTP/1.1 alone.
func TestSilentConnectionsHaveNoGoroutine(t *testing.T) {
	for _, protocols := range []string{"h1", "h1 h2 h3"} {
		t.Run(protocols, func(t *testing.T) {
			c := Start(t, `
				{
					servers {
						protocols `+protocols+`
					}
				}
				http://{{site}} {
					realtime {
						room news {
							subscribe anyone
							history 10
							presence
						}
					}
				}
			`)
			const each = 50
			open(t, c.Addr("site")) // what the first connection starts stays
			before := runtime.NumGoroutine()
			for range each {
				open(t, c.Addr("site"))
			}
			more := 0
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if more = runtime.NumGoroutine() - before; more < each/2 {
					return
				}
			}
			t.Errorf("%d goroutines for %d connections", more, 2*each)
		})
	}
}

// open opens a WebSocket and an event stream, and reads until both are in the room.
func open(t *testing.T, addr string) {
	t.Helper()
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	const subscribe = "\x81\xb1\x00\x00\x00\x00" + `{"type":"subscribe","payload":{"channel":"news"}}`
	for _, c := range []struct{ path, header, then string }{
		{"/realtime", upgrade, subscribe},
		{"/realtime?channel=news", "Accept: text/event-stream\r\n", ""},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", c.path, addr, c.header, c.then)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		in, got := bufio.NewReader(conn), new(strings.Builder)
		for !strings.Contains(got.String(), `"subscribed"`) {
			b, err := in.ReadByte()
			if err != nil {
				t.Fatalf("%q, then %v", got, err)
			}
			got.WriteByte(b)
		}
	}
}
