// Package workload holds what the load generator does to a server. A workload runs
// against one server that was started for it, and returns figures.
package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// Figures are what a workload measured, by name.
type Figures map[string]float64

// The names of figures.
const (
	CPU       = "CPU µs/delivery"
	P50       = "p50 ms"
	P99       = "p99 ms"
	Rate      = "deliveries/s"
	Lost      = "lost"
	Memory    = "KiB/conn"
	Collected = "KiB/conn collected"
	Connect   = "CPU µs/connect"
	Message   = "CPU µs/message"
	OfRedis   = "CPU µs/message of Redis"
	Offered   = "CPU µs/message and subscriber"
	Events    = "events/s"
	Request   = "CPU µs/request"
	Requests  = "requests/s"
	PingCPU   = "CPU µs/ping"
	Before    = "p99 ms before"
	During    = "p99 during ÷ before"
	Growth    = "KiB/slow reader"
)

// Workload is one way to load a server.
type Workload struct {
	Name      string
	Transport client.Transport // a WebSocket if empty
	TLS       bool
	Ping      time.Duration                    // how often the server pings
	Needs     func(variant string) target.Site // of this server; the usual site if nil
	Run       func(context.Context, *Session) (Figures, error)
}

// Size says how large everything is.
type Size struct {
	Subscribers, Rooms, Idle, Pinged, Slow int
	Publishers, Filtered                   int
	Time                                   time.Duration // of each measurement
	Rest                                   time.Duration // before memory is measured
	Quiet                                  time.Duration // the server must be idle for so long before a measurement
}

// Full is the size of the bars, Tiny shows that everything works.
var (
	Full = Size{Subscribers: 1000, Rooms: 1000, Idle: 5000, Pinged: 2000, Slow: 10, Publishers: 64, Filtered: 1000, Time: 4 * time.Second, Rest: 4 * time.Second, Quiet: 300 * time.Millisecond}
	Tiny = Size{Subscribers: 10, Rooms: 4, Idle: 20, Pinged: 5, Slow: 2, Publishers: 3, Filtered: 20, Time: 200 * time.Millisecond, Rest: 10 * time.Millisecond}
)

// Session is one run of a workload.
type Session struct {
	*target.Server
	Size
	Transport client.Transport
	Variant   string // the name of the target: Without, Native and Proxy run the workload in another way
	ByApp     bool   // messages are sent by HTTP, not by a client
	// ProfileTo is the beginning of the names of files for profiles; none if empty.
	ProfileTo string
}

// atOnce is how many handshakes are in flight.
const atOnce = 256

// open connects clients and waits until the server is quiet.
func (s *Session) open(ctx context.Context, clients, perRoom int) (*client.Group, error) {
	return s.connect(ctx, client.Plan{Clients: clients, PerRoom: perRoom})
}

// openSlow is open for one room whose last clients become slow.
func (s *Session) openSlow(ctx context.Context, clients int) (*client.Group, error) {
	return s.connect(ctx, client.Plan{Clients: clients, PerRoom: clients, Slow: s.Slow})
}

func (s *Session) connect(ctx context.Context, plan client.Plan) (*client.Group, error) {
	plan.Transport, plan.AtOnce = s.Transport, atOnce
	g, err := client.Open(ctx, &s.Endpoint, plan)
	if err != nil {
		return nil, err
	}
	if err := s.quiet(ctx); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// quiet waits until the server has done what the connects left to do, such as to
// announce members: until it uses next to no CPU time.
func (s *Session) quiet(ctx context.Context) error {
	const idle, longest = 10 * time.Millisecond, 20
	if s.Quiet == 0 {
		return nil
	}
	last := time.Duration(-1)
	for range longest {
		now, err := proc.CPU(s.PID)
		if err != nil {
			return err
		}
		if last >= 0 && now-last <= idle {
			return nil
		}
		last = now
		if err := sleep(ctx, s.Quiet); err != nil {
			return err
		}
	}
	return errors.New("the server uses CPU time while nothing happens")
}

// meter measures from its start on.
type meter struct {
	s     *Session
	cpu   time.Duration
	redis time.Duration
	began time.Time
	stop  func()
}

// measure starts to measure, and to profile if that is wanted.
func (s *Session) measure(ctx context.Context, d time.Duration) (*meter, error) {
	m := &meter{s: s, stop: func() {}}
	if s.ProfileTo != "" && s.Server.Profile != nil {
		done := make(chan error, 1)
		go func() { done <- s.Server.Profile(ctx, "profile", s.ProfileTo+".cpu.pb.gz", d) }()
		m.stop = func() { <-done }
	}
	var err error
	if s.Redis != 0 {
		if m.redis, err = proc.CPU(s.Redis); err != nil {
			return nil, err
		}
	}
	m.cpu, err = proc.CPU(s.PID)
	m.began = time.Now()
	return m, err
}

// per returns the CPU time since the start for each of n, in µs, and how long that took.
func (m *meter) per(n int64) (float64, time.Duration, error) {
	took := time.Since(m.began)
	m.stop()
	now, err := proc.CPU(m.s.PID)
	if n == 0 && err == nil {
		err = fmt.Errorf("nothing arrived")
	}
	return float64((now-m.cpu)/time.Microsecond) / float64(max(n, 1)), took, err
}

// ofRedis is per for the server's Redis.
func (m *meter) ofRedis(n int64) (float64, error) {
	now, err := proc.CPU(m.s.Redis)
	return float64((now-m.redis)/time.Microsecond) / float64(max(n, 1)), err
}

// heap writes a profile of the heap if that is wanted.
func (s *Session) heap(ctx context.Context) error {
	if s.ProfileTo == "" || s.Server.Profile == nil {
		return nil
	}
	return s.Server.Profile(ctx, "heap", s.ProfileTo+".heap.pb.gz", 0)
}

// latencies adds the quantiles of a group.
func (f Figures) latencies(g *client.Group) {
	f[P50] = milliseconds(g.Latency.Quantile(0.5))
	f[P99] = milliseconds(g.Latency.Quantile(0.99))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// until waits for a time since the start of the process.
func until(ctx context.Context, at time.Duration) error {
	if d := at - client.Now(); d > 0 {
		return sleep(ctx, d)
	}
	return ctx.Err()
}
