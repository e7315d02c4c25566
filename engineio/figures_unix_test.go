//go:build unix

package engineio_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// crowd is how many clients the figures are of.
const crowd = 2000

// bare is a client with nothing but a connection for its polls.
type bare struct {
	net.Conn
	in  *bufio.Reader
	sid string
}

// send sends a request.
func (b *bare) send(t testing.TB, method, query, body string) {
	t.Helper()
	if b.sid != "" {
		query += "&sid=" + b.sid
	}
	if _, err := fmt.Fprintf(b, "%s /socket.io/?EIO=4&%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s", method, query, len(body), upgradeLines(query), body); err != nil {
		t.Fatal(err)
	}
}

func upgradeLines(query string) string {
	if !strings.Contains(query, "websocket") {
		return ""
	}
	return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
}

// answer reads the answer to a request.
func (b *bare) answer(t testing.TB) string {
	t.Helper()
	res, err := http.ReadResponse(b.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return ""
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res.Status, string(body), err)
	}
	return string(body)
}

// connect returns clients with nothing but connections.
func connect(t testing.TB, addr string, clients int) []*bare {
	t.Helper()
	all := make([]*bare, clients)
	for i := range all {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		all[i] = &bare{Conn: c, in: bufio.NewReaderSize(c, 16)}
	}
	return all
}

// polling makes clients that have joined the room.
func polling(t testing.TB, addr string, clients int) []*bare {
	t.Helper()
	all := connect(t, addr, clients)
	for _, b := range all {
		b.send(t, "GET", "transport=polling", "")
		b.sid = opened(t, b.answer(t)).SID
		b.send(t, "POST", "transport=polling", "4join")
		b.answer(t)
		b.send(t, "GET", "transport=polling", "")
		if got := b.answer(t); got != "4joined" {
			t.Fatal(got)
		}
	}
	return all
}

// quietNode is a node without limits that the figures would run into.
func quietNode(t testing.TB) *node {
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{Connections: 3 * crowd})
	return n
}

// memory is what the process holds.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse+m.StackInuse) / 1024
}

func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdle measures the memory of an idle client: one with a poll that is held, one between two
// polls, and one on a WebSocket. The connection of the client, in this process, is taken off.
func BenchmarkIdle(b *testing.B) {
	for _, way := range []string{"held", "between", "websocket"} {
		b.Run(way, func(b *testing.B) {
			for b.Loop() {
				n := quietNode(b)
				addr := listen(b, n)
				before := memory()
				var all []*bare
				if way == "websocket" {
					all = connect(b, addr, crowd)
					for _, c := range all {
						c.send(b, "GET", "transport=websocket", "")
						c.answer(b)
					}
				} else {
					all = polling(b, addr, crowd)
				}
				if way == "held" {
					for _, c := range all {
						c.send(b, "GET", "transport=polling", "")
					}
					time.Sleep(time.Second)
				}
				b.ReportMetric((memory()-before)/crowd, "KiB/client")
				runtime.KeepAlive(all)
			}
		})
	}
}

// BenchmarkDelivery measures the processor time of a message to a client who polls, the client's own
// share and the next poll included, at ten messages a second.
func BenchmarkDelivery(b *testing.B) {
	n := quietNode(b)
	const clients = 100
	all := polling(b, listen(b, n), clients)
	for b.Loop() {
		for _, c := range all {
			c.send(b, "GET", "transport=polling", "")
		}
		time.Sleep(time.Second)
		start, used := time.Now(), processor()
		const rounds = 20
		for range rounds {
			next := time.Now().Add(100 * time.Millisecond)
			n.publish("a message of the room")
			for _, c := range all {
				c.answer(b)
				c.send(b, "GET", "transport=polling", "")
			}
			time.Sleep(time.Until(next))
		}
		b.ReportMetric(float64((processor()-used).Microseconds())/(rounds*clients), "CPU-µs/delivery")
		b.ReportMetric(rounds*clients/time.Since(start).Seconds(), "deliveries/s")
		n.publish("the last one")
		for _, c := range all {
			c.answer(b)
		}
	}
}

// BenchmarkUpgrade measures the upgrade of all clients at once.
func BenchmarkUpgrade(b *testing.B) {
	for b.Loop() {
		n := quietNode(b)
		addr := listen(b, n)
		all, sockets := polling(b, addr, crowd), connect(b, addr, crowd)
		for _, c := range all {
			c.send(b, "GET", "transport=polling", "")
		}
		time.Sleep(time.Second)
		start, used := time.Now(), processor()
		var clients sync.WaitGroup
		for i, s := range sockets {
			clients.Go(func() {
				s.sid = all[i].sid
				s.send(b, "GET", "transport=websocket", "")
				s.answer(b)
				_, _ = s.Write([]byte("\x81\x86\x00\x00\x00\x002probe"))
				answer := make([]byte, 8)
				if _, err := io.ReadFull(s.in, answer); err != nil || string(answer[2:]) != "3probe" {
					b.Error(err, answer)
				}
				if got := all[i].answer(b); got != "6" {
					b.Error(got)
				}
				_, _ = s.Write([]byte("\x81\x81\x00\x00\x00\x005"))
			})
		}
		clients.Wait()
		n.publish("to all")
		for _, s := range sockets {
			message := make([]byte, 9)
			if _, err := io.ReadFull(s.in, message); err != nil || string(message[2:]) != "4to all" {
				b.Error(err, message)
			}
		}
		b.ReportMetric(float64((processor()-used).Microseconds())/crowd, "CPU-µs/upgrade")
		b.ReportMetric(time.Since(start).Seconds(), "s/all")
	}
}
