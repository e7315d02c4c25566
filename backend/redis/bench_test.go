package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// BenchmarkPublish publishes 200 bytes into 1000 rooms, with several callers at a time. For
// comparison, "raw" is go-redis's PUBLISH with one connection for each caller.
func BenchmarkPublish(b *testing.B) {
	s := startServer(b)
	broker := open(b, Options{Address: s.Addr, Timeout: 5 * time.Second}).Broker(deaf{})
	b.Cleanup(func() { broker.Close() })
	content := fmt.Appendf(nil, `"%0198d"`, 1)
	channels := make([]string, 1000)
	for i := range channels {
		channels[i] = fmt.Sprint("room:", i)
	}
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr, Protocol: 2, DisableIdentity: true, PoolSize: 64, MaintNotificationsConfig: noMaintNotifications()})
	b.Cleanup(func() { raw.Close() })
	publish := func(o hub.PublishOptions) func(i int) error {
		return func(i int) error {
			o := o
			if o.Key != "" {
				o.Key = fmt.Sprint(o.Key, i, time.Now().UnixNano())
			}
			m := &hub.Message{Channel: channels[i%1000], Content: content, Time: time.Now(), Position: hub.Position{Anchor: 1}}
			_, err := broker.Publish(context.Background(), m, o)
			return err
		}
	}
	for _, kind := range []struct {
		name string
		do   func(i int) error
	}{
		{"raw", func(i int) error {
			return raw.Publish(context.Background(), "rt:c:{"+channels[i%1000]+"}", content).Err()
		}},
		{"plain", publish(hub.PublishOptions{})},
		{"history", publish(hub.PublishOptions{Retention: hub.Retention{Size: 100, TTL: time.Hour}})},
		{"history-key", publish(hub.PublishOptions{Retention: hub.Retention{Size: 100, TTL: time.Hour}, Key: "k"})},
	} {
		for _, callers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("%s/callers=%d", kind.name, callers), func(b *testing.B) {
				busy := s.cpu()
				publishers(b, callers, kind.do)
				s.report(b, busy, b.N)
			})
		}
	}
}

// cpu returns the processor time that Redis has used. Other processes do not count.
func (s *server) cpu() (seconds float64) {
	s.t.Helper()
	for line := range strings.Lines(fmt.Sprint(s.do("info", "cpu"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if v, err := strconv.ParseFloat(value, 64); err == nil && (name == "used_cpu_user" || name == "used_cpu_sys") {
			seconds += v
		}
	}
	return seconds
}

// report reports the processor time per operation. since is what cpu returned before.
func (s *server) report(b *testing.B, since float64, n int) {
	b.ReportMetric((s.cpu()-since)*1e6/float64(n), "redis-µs/op")
}

// counted is a sink that counts the messages.
type counted struct{ *atomic.Int64 }

func (c counted) Broadcast(_ string, ms ...*hub.Message) { c.Add(int64(len(ms))) }

// BenchmarkDeliver publishes 200 bytes into 1000 rooms, in each of which several nodes have
// subscribers. It ends when all of them have everything. An operation is a publish.
func BenchmarkDeliver(b *testing.B) {
	content := fmt.Appendf(nil, `"%0198d"`, 1)
	for name, keep := range map[string]hub.Retention{"plain": {}, "history": {Size: 100, TTL: time.Hour}} {
		for _, nodes := range []int{1, 3} {
			b.Run(fmt.Sprintf("%s/nodes=%d", name, nodes), func(b *testing.B) {
				s := startServer(b)
				o := Options{Address: s.Addr, Timeout: 30 * time.Second, Probe: time.Minute}
				var got atomic.Int64
				for range nodes {
					broker := open(b, o).Broker(counted{&got})
					b.Cleanup(func() { broker.Close() })
					for i := range 1000 {
						if err := broker.Attach(context.Background(), fmt.Sprint("room:", i), keep); err != nil {
							b.Fatal(err)
						}
					}
				}
				from := open(b, o).Broker(deaf{})
				b.Cleanup(func() { from.Close() })
				var next atomic.Int64
				errs := make(chan error)
				busy := s.cpu()
				b.ResetTimer()
				for range 512 {
					go func() {
						for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
							m := &hub.Message{Channel: fmt.Sprint("room:", i%1000), Content: content, Time: time.Now(), Position: hub.Position{Anchor: 1}}
							if _, err := from.Publish(context.Background(), m, hub.PublishOptions{Retention: keep}); err != nil {
								errs <- err
								return
							}
						}
						errs <- nil
					}()
				}
				for range 512 {
					if err := <-errs; err != nil {
						b.Fatal(err)
					}
				}
				for got.Load() < int64(b.N*nodes) {
					time.Sleep(100 * time.Microsecond)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
				b.ReportMetric(float64(b.N*nodes)/b.Elapsed().Seconds(), "deliveries/s")
				s.report(b, busy, b.N)
			})
		}
	}
}

// publishers divides the operations among several callers.
func publishers(b *testing.B, callers int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	errs := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := do(int(i)); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

type unseen struct{}

func (unseen) Changed(string, ...presence.Event) {}
func (unseen) Missed(string)                     {}

// BenchmarkPresence enters members into 500 rooms and makes them leave, several of a room at a
// time. An operation is one member that enters and leaves.
func BenchmarkPresence(b *testing.B) {
	s := startServer(b)
	store := open(b, Options{Address: s.Addr, Timeout: 5 * time.Second}).Presence(unseen{})
	b.Cleanup(func() { store.Close() })
	for _, members := range []int{1, 10} {
		b.Run(fmt.Sprint("members=", members), func(b *testing.B) {
			var next atomic.Int64
			errs := make(chan error)
			busy := s.cpu()
			for worker := range 64 {
				go func() {
					for i := next.Add(int64(members)); i <= int64(b.N); i = next.Add(int64(members)) {
						room := fmt.Sprint("room:", int(i)%500, ":", worker)
						var ms []*presence.Member
						var ds []presence.Departure
						for k := range members {
							key := fmt.Sprint("user-", k)
							ms, ds = append(ms, &presence.Member{Key: key, Info: `{"name":"someone"}`}), append(ds, presence.Departure{Key: key})
						}
						if err := errors.Join(store.Enter(context.Background(), room, ms), store.Leave(context.Background(), room, ds)); err != nil {
							errs <- err
							return
						}
					}
					errs <- nil
				}()
			}
			for range 64 {
				if err := <-errs; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "transitions/s")
			s.report(b, busy, b.N)
		})
	}
}
