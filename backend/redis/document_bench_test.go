package redis

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// board returns a document of about this size, with rows of some 80 bytes.
func board(bytes int) (state string, rows int) {
	var b strings.Builder
	b.WriteString(`{"rows":{`)
	for ; b.Len() < bytes-40; rows++ {
		if rows > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"row-%04d":{"name":"something to do","done":false,"tags":["a","b"],"order":%d}`, rows, rows)
	}
	return b.String() + "}}", rows
}

var boards = map[string]int{"1KiB": 1 << 10, "40KiB": 40 << 10}

// nodesOf makes the services of nodes that share a store.
var nodesOf = map[string]func(b *testing.B) []*document.Service{
	"memory":       func(b *testing.B) []*document.Service { return []*document.Service{inMemory(b)} },
	"redis":        func(b *testing.B) []*document.Service { return overRedis(b, 1) },
	"redis-3nodes": func(b *testing.B) []*document.Service { return overRedis(b, 3) },
}

func inMemory(b *testing.B) *document.Service {
	return serviceOn(b, func(s document.Sink) (document.Store, error) { return memory.NewDocumentStore(s), nil })
}

func overRedis(b *testing.B, nodes int) (all []*document.Service) {
	s := startServer(b)
	for range nodes {
		c := open(b, patientOptions(s.Addr))
		all = append(all, serviceOn(b, func(s document.Sink) (document.Store, error) { return c.Documents(s), nil }))
	}
	return all
}

func serviceOn(b *testing.B, open func(document.Sink) (document.Store, error)) *document.Service {
	s, err := document.New(open, func(document.News) {})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func replaceWith(b *testing.B, s *document.Service, channel, state string) {
	tree, e := document.Parse([]byte(state), document.Limits{})
	if e != nil {
		b.Fatal(e)
	}
	change := document.Change{Latest: true, Patch: document.Replacement(tree)}
	if out, err := s.Change(b.Context(), channel, change, document.Options{Limits: document.Limits{Root: true}}); err != nil || out.Err != nil {
		b.Fatal(out, err)
	}
}

// BenchmarkDocumentChange changes one document as fast as possible, with eight callers on each
// node.
func BenchmarkDocumentChange(b *testing.B) {
	for name, start := range nodesOf {
		for size, bytes := range boards {
			b.Run(name+"/"+size, func(b *testing.B) {
				nodes := start(b)
				state, rows := board(bytes)
				replaceWith(b, nodes[0], "doc", state)
				for _, s := range nodes {
					if err := s.Attach(b.Context(), "doc"); err != nil {
						b.Fatal(err)
					}
				}
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				b.ReportAllocs()
				b.ResetTimer()
				for i := range 8 * len(nodes) {
					wg.Go(func() {
						for n := left.Add(-1); n >= 0; n = left.Add(-1) {
							text := fmt.Appendf(nil, `[{"op":"replace","path":"/rows/row-%04d/order","value":%d}]`, int(n)%rows, n)
							p, e := document.ParsePatch(text, document.Limits{})
							if e != nil {
								b.Error(e)
								return
							}
							out, err := nodes[i%len(nodes)].Change(b.Context(), "doc", document.Change{Latest: true, Patch: p}, document.Options{})
							if err != nil || out.Err != nil {
								b.Error(out.Err, err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
			})
		}
	}
}

// BenchmarkDocumentJoin reads a document for a client that joins late, and encodes the frame.
func BenchmarkDocumentJoin(b *testing.B) {
	for _, name := range []string{"memory", "redis"} {
		for size, bytes := range boards {
			b.Run(name+"/"+size, func(b *testing.B) {
				s := nodesOf[name](b)[0]
				state, _ := board(bytes)
				replaceWith(b, s, "doc", state)
				var frame []byte
				b.ReportAllocs()
				for b.Loop() {
					snap, err := s.Read(b.Context(), "doc", document.Options{})
					if err != nil {
						b.Fatal(err)
					}
					frame = protocol.SubscribedReply{
						Channel: "doc", Document: &protocol.DocumentState{Epoch: snap.Epoch, Version: snap.Version, State: snap.State},
					}.AppendEnvelope(frame[:0])
				}
			})
		}
	}
}

// BenchmarkDocumentIdle measures what an unused document takes: in the process while it is
// cached (parsed and as text), in the process after that, and in Redis.
func BenchmarkDocumentIdle(b *testing.B) {
	const count = 500
	for size, bytes := range boards {
		state, _ := board(bytes)
		fill := func(s *document.Service) {
			for i := range count {
				replaceWith(b, s, fmt.Sprint("doc:", i), state)
			}
		}
		b.Run("memory/"+size, func(b *testing.B) {
			for b.Loop() {
				before := heapInUse()
				var store document.Store
				s := serviceOn(b, func(sink document.Sink) (document.Store, error) {
					store = keepOpen{memory.NewDocumentStore(sink)}
					return store, nil
				})
				fill(s)
				used := heapInUse() - before
				s.Close() // drops the cache
				b.ReportMetric(float64(used)/count, "B/used")
				b.ReportMetric(float64(heapInUse()-before)/count, "B/idle")
				runtime.KeepAlive(store)
			}
		})
		b.Run("redis/"+size, func(b *testing.B) {
			for b.Loop() {
				r := startServer(b)
				c := open(b, patientOptions(r.Addr))
				fill(serviceOn(b, func(sink document.Sink) (document.Store, error) { return c.Documents(sink), nil }))
				var sum int64
				for _, key := range r.do("keys", "rt:d[hl]:*").([]any) {
					sum += r.do("memory", "usage", key).(int64)
				}
				b.ReportMetric(float64(sum)/count, "B/redis")
			}
		})
	}
}

// keepOpen is a store that stays open when the service is closed.
type keepOpen struct{ document.Store }

func (keepOpen) Close() error { return nil }

func heapInUse() int64 {
	runtime.GC()
	runtime.GC() // what finalizers have released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
