package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// What a publish costs with the store, and in memory: `make store-bench`. Each caller waits for its
// message before it publishes the next one. "fsync" is what the disk takes for a write of 16 KiB
// and an fsync, in the same run.
func BenchmarkPublish(b *testing.B) {
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("memory/%d", callers), func(b *testing.B) {
			m := memory.New(deaf{}, memory.Options{})
			defer m.Close()
			publishAll(b, m, callers)
		})
		b.Run(fmt.Sprintf("store/%d", callers), func(b *testing.B) {
			_, broker := openBench(b, Options{Dir: b.TempDir()}, 0)
			took := fsyncs(b)
			publishAll(b, broker, callers)
			b.ReportMetric(float64(took.Microseconds())/1000, "fsync-ms")
		})
	}
}

// What publishers wait longer while the file is compacted: `make store-bench`.
func BenchmarkPublishBesideCompaction(b *testing.B) {
	for _, compacted := range []bool{false, true} {
		b.Run(fmt.Sprint(compacted), func(b *testing.B) {
			o := Options{Dir: b.TempDir()}
			var switches atomic.Int64
			if compacted {
				o.eager, o.sweep = true, 10*time.Millisecond
				o.compare = func(*file, *copying) { switches.Add(1) }
			}
			filledStore(b, o, 2000, 20) // beside a compaction, it would not see what fill stores
			_, broker := openBench(b, o, 0)
			publishAll(b, broker, 64)
			b.ReportMetric(float64(switches.Load()), "switches")
		})
	}
}

func openBench(b *testing.B, o Options, memoryBytes int64) (*Store, *Broker) {
	o.Hub = "default"
	s, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	broker, err := s.Broker(deaf{}, memory.Options{HistoryBytes: memoryBytes})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = broker.Close(), s.Close() })
	return s, broker
}

// publishAll publishes b.N messages of 128 bytes into 100 rooms, and reports the rate and the 99th
// percentile of what a caller waits.
func publishAll(b *testing.B, broker hub.Broker, callers int) {
	content := `"` + strings.Repeat("x", 126) + `"`
	var next atomic.Int64
	waits := make([][]time.Duration, callers)
	var all sync.WaitGroup
	b.ResetTimer()
	for i := range callers {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				began := time.Now()
				if _, err := broker.Publish(context.Background(), message(fmt.Sprint("room", n%100), content), hub.PublishOptions{Retention: hundred}); err != nil {
					b.Error(err)
					return
				}
				waits[i] = append(waits[i], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	every := slices.Concat(waits...)
	slices.Sort(every)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	b.ReportMetric(float64(every[len(every)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(every[len(every)-1].Microseconds())/1000, "max-ms")
}

// fsyncs returns the median of 50 writes with an fsync.
func fsyncs(b *testing.B) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	took := make([]time.Duration, 50)
	for i := range took {
		began := time.Now()
		if _, err := f.WriteAt(make([]byte, 16<<10), int64(i)<<14); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// fill stores messages in rooms, in few transactions.
func fill(b *testing.B, s *Store, rooms, messages int) {
	m, now := message("", `"`+strings.Repeat("x", 126)+`"`), time.Now()
	for first := 0; first < rooms; first += 500 {
		err := s.file.update(func(tx *bbolt.Tx) error {
			w := newWork(tx, nil)
			for n := first; n < min(first+500, rooms); n++ {
				r, err := w.start(fmt.Sprint("filled", n), "epoch")
				for range messages {
					if _, err = w.append(r, m, hundred, now); err != nil {
						return err
					}
				}
				if err != nil {
					return err
				}
			}
			return w.flush()
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// filledStore makes a store with messages, and returns how large its file is.
func filledStore(b *testing.B, o Options, rooms, messages int) int64 {
	s, err := Open(Options{Dir: o.Dir, Hub: "default"})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, s, rooms, messages)
	size, _ := s.file.sizes()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return size
}

// How long a start takes with 100,000 rooms of 20 messages, and how much memory a node needs with
// 1,000,000 messages in the file of which 100 rooms are in use: `make store-bench`.
func BenchmarkLarge(b *testing.B) {
	if os.Getenv("STORE_BENCH") == "" {
		b.Skip("make store-bench runs it: it needs a minute and 1 GB of disk")
	}
	for _, c := range []struct {
		name            string
		rooms, messages int
	}{{"start", 100_000, 20}, {"memory", 50_000, 20}} {
		b.Run(c.name, func(b *testing.B) { large(b, c.rooms, c.messages) })
	}
}

func large(b *testing.B, rooms, messages int) {
	o := Options{Dir: b.TempDir(), Hub: "default"}
	bytes := filledStore(b, o, rooms, messages)
	began := time.Now()
	_, broker := openBench(b, o, 16<<20)
	started := time.Since(began)
	for i := range 100 {
		room := fmt.Sprint("filled", i)
		_ = broker.Attach(context.Background(), room, hundred)
		p, err := broker.History(context.Background(), room, hundred, hub.HistoryQuery{Limit: 100})
		if err != nil || len(p.Messages) != messages {
			b.Fatalf("%d messages, %v", len(p.Messages), err)
		}
	}
	b.ReportMetric(started.Seconds(), "start-s")
	b.ReportMetric(float64(heap())/(1<<20), "heap-MiB")
	b.ReportMetric(float64(bytes)/(1<<20), "file-MiB")
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(broker)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
