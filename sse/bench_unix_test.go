//go:build unix

package sse_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// quiet is a registry with streams of one kind around a server, for measurements.
func quiet(b *testing.B, hijack bool) (*session.Registry, *httptest.Server) {
	b.Helper()
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
	if err != nil {
		b.Fatal(err)
	}
	p, err := policy.Compile([]policy.Room{{Pattern: "*", Subscribe: policy.Anyone, Publish: policy.Anyone}})
	if err != nil {
		b.Fatal(err)
	}
	registry := session.New(h)
	registry.Apply(session.Config{Policy: p})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := sse.Serve(w, r, sse.Options{Registry: registry, Hijack: func(http.ResponseWriter) bool { return hijack }})
		if err != nil {
			b.Error(err)
		}
	}))
	b.Cleanup(func() {
		_ = h.Close()
		server.Close()
	})
	return registry, server
}

// dial opens one stream and reads its head. The connection is the client's half.
func dial(b *testing.B, addr string, in *bufio.Reader) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /?channel=news HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
		b.Fatal(err)
	}
	in.Reset(conn)
	for line := ""; !strings.Contains(line, "subscribed"); {
		if line, err = in.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	return conn
}

// BenchmarkConnect is the whole life of a stream, the client's part included. The
// bytes that 2,000 idle ones hold are reported as B/conn: heap and stacks, again
// with the client's part, a bare connection.
func BenchmarkConnect(b *testing.B) {
	for _, hijack := range []bool{true, false} {
		b.Run(map[bool]string{true: "hijacked", false: "inside"}[hijack], func(b *testing.B) {
			_, server := quiet(b, hijack)
			addr, in := server.Listener.Addr().String(), bufio.NewReader(nil)
			from := cpu(b)
			for b.Loop() {
				_ = dial(b, addr, in).Close()
			}
			b.ReportMetric(float64(cpu(b)-from)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(idle(b, addr, in), "B/conn")
		})
	}
}

func idle(b *testing.B, addr string, in *bufio.Reader) float64 {
	const n = 2000
	before := inUse()
	for range n {
		conn := dial(b, addr, in)
		defer conn.Close()
	}
	return float64(inUse()-before) / n
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkBroadcast is one message of 128 bytes to 500 streams, one after the
// other, with the reading half of the clients.
func BenchmarkBroadcast(b *testing.B) {
	for _, hijack := range []bool{true, false} {
		b.Run(map[bool]string{true: "hijacked", false: "inside"}[hijack], func(b *testing.B) {
			const n = 500
			registry, server := quiet(b, hijack)
			in := bufio.NewReader(nil)
			for i := range n {
				conn := dial(b, server.Listener.Addr().String(), in)
				defer conn.Close()
				if i < n-1 { // members are written to in the order in which they came
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
			}
			p := protocol.Publish{Channel: "news", Content: []byte(`"` + strings.Repeat("x", 126) + `"`)}
			from := cpu(b)
			for b.Loop() {
				if _, e := registry.Publishing.Publish(b.Context(), session.Caller{App: true}, p); e != nil {
					b.Fatal(e)
				}
				for line := ""; !strings.HasPrefix(line, "data: "); {
					line, _ = in.ReadString('\n')
				}
			}
			b.ReportMetric(float64(cpu(b)-from)/float64(b.N)/n, "cpu-ns/delivery")
		})
	}
}

// cpu is the time this process has computed, which a busy machine does not change
// as much as the time that has passed.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
