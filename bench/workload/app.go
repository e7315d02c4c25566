package workload

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// app is the app behind a server. It accepts everything at once, so that what is measured
// is the server. It runs in the process of the bench: its time is not the server's.
type app struct {
	server http.Server
	over   chan struct{}
	flight *client.Flight // nil: nothing waits for what arrives

	mu   sync.Mutex
	next map[uint32]uint32 // by sender: the number that comes next, guarded by mu
	got  int64             // messages that came in order, guarded by mu
}

// startApp listens at an address.
func startApp(addr string, flight *client.Flight) (*app, error) {
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		return nil, err
	}
	a := &app{over: make(chan struct{}), flight: flight, next: make(map[uint32]uint32)}
	a.server.Handler, a.server.ReadHeaderTimeout = a, drained
	go func() { _ = a.server.Serve(l); close(a.over) }()
	return a, nil
}

func (a *app) close() {
	_ = a.server.Close()
	<-a.over
}

// ServeHTTP takes the stamps out of a request. A message that comes again does not count.
func (a *app) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	client.Stamps(body, func(s client.Stamp) {
		if a.next[s.Sender] != s.Seq {
			return
		}
		a.next[s.Sender]++
		a.got++
		if a.flight != nil {
			a.flight.Arrive(s)
		}
	})
}

// arrived returns how many messages the app got in order.
func (a *app) arrived() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got
}

// await waits until n messages arrived, or nothing arrives any more.
func (a *app) await(n int64) {
	last, since := a.arrived(), time.Now()
	for last < n && time.Since(since) < drained {
		time.Sleep(5 * time.Millisecond)
		if now := a.arrived(); now != last {
			last, since = now, time.Now()
		}
	}
}
