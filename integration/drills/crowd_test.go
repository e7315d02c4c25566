package drills

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// abreast runs f for each number below n, some at a time.
func abreast(n int, f func(i int)) {
	var all sync.WaitGroup
	turns := make(chan struct{}, 32)
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			f(i)
		})
	}
	all.Wait()
}

// audience is clients that read and count what they lose. Each message of theirs has the time
// at which it was published, so that the audience also notes how long messages take.
type audience struct {
	t       *testing.T   // changes with subtests
	lost    atomic.Int64 // connections that ended before leave
	leave   func()       // ends the connections
	reading sync.WaitGroup
	leaving atomic.Bool
	mayLose bool // a connection that ends is nothing to report

	mu    sync.Mutex
	conns []*wsClient
	took  []time.Duration
}

func newAudience(t *testing.T) *audience {
	a := &audience{t: t}
	a.leave = sync.OnceFunc(func() {
		a.leaving.Store(true)
		for _, c := range a.conns {
			c.close()
		}
		a.reading.Wait()
	})
	t.Cleanup(a.leave)
	return a
}

// fill connects n clients, each in its channel.
func (a *audience) fill(n int, dial func() (*wsClient, error), channel func(i int) string) {
	a.t.Helper()
	var failed atomic.Pointer[error]
	abreast(n, func(i int) {
		c, err := dial()
		if err == nil {
			var ev envelope
			if ev, err = c.call("subscribe", map[string]string{"channel": channel(i)}); err == nil && ev.Type != "subscribed" {
				err = refusal{ev.String()}
			}
		}
		if err != nil {
			failed.Store(&err)
			return
		}
		a.add(c)
	})
	if err := failed.Load(); err != nil {
		a.t.Fatal(*err)
	}
}

func (a *audience) add(c *wsClient) {
	a.mu.Lock()
	a.conns = append(a.conns, c)
	a.mu.Unlock()
	_ = c.conn.SetReadDeadline(time.Time{})
	a.reading.Go(func() {
		for {
			ev, err := c.next()
			switch {
			case err != nil && a.leaving.Load():
				return
			case err != nil:
				if a.lost.Add(1); a.mayLose {
					return
				}
				a.t.Logf("a connection has ended: %v", err)
				return
			case ev.Type == "message":
				a.note(ev.Payload.Content)
			}
		}
	})
}

func (a *audience) note(content []byte) {
	sent, err := strconv.ParseInt(string(content), 10, 64)
	if err != nil {
		return // it has another content
	}
	took := time.Since(time.UnixMicro(sent))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took = append(a.took, took)
}

// size is how many clients are connected.
func (a *audience) size() int { return len(a.conns) - int(a.lost.Load()) }

// pulse publishes into channels in turns for a time, so many messages a second, and returns
// the p99 of all deliveries.
func (a *audience) pulse(dial func() (*wsClient, error), channels []string, perSecond int, lasts time.Duration) time.Duration {
	a.t.Helper()
	stop := make(chan struct{})
	time.AfterFunc(lasts, func() { close(stop) })
	return a.pulseUntil(stop, dial, channels, perSecond)
}

// pulseUntil is pulse until stop is closed.
func (a *audience) pulseUntil(stop <-chan struct{}, dial func() (*wsClient, error), channels []string, perSecond int) time.Duration {
	a.t.Helper()
	const settling = 300 * time.Millisecond
	a.mu.Lock()
	a.took = nil
	a.mu.Unlock()
	c, err := dial()
	if err != nil {
		a.t.Fatal(err)
	}
	var acks sync.WaitGroup
	acks.Go(func() {
		for err := error(nil); err == nil; _, err = c.next() {
		}
	})
	tick := time.NewTicker(time.Second / time.Duration(min(perSecond, 100)))
	defer tick.Stop()
	for began, n := time.Now(), 0; ; {
		select {
		case <-tick.C:
		case <-stop:
			time.Sleep(settling)
			c.close()
			acks.Wait()
			return a.p99()
		}
		for due := int(time.Since(began).Seconds() * float64(perSecond)); n < due; n++ {
			if err := c.send("message", "", map[string]any{"channel": channels[n%len(channels)], "content": time.Now().UnixMicro()}); err != nil {
				a.t.Fatal(err)
			}
		}
	}
}

func (a *audience) p99() time.Duration {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.took) == 0 {
		a.t.Fatal("nothing was delivered")
	}
	slices.Sort(a.took)
	return a.took[len(a.took)*99/100].Round(100 * time.Microsecond)
}

// profile reads figures of a server from its admin endpoint.
type profile struct {
	t     *testing.T
	admin string
}

// heap is how many bytes are in use after a collection.
func (p profile) heap() int64 {
	p.t.Helper()
	p.figure("heap?gc=1&debug=1", `\n# HeapAlloc = (\d+)`) // pools are emptied by the second one
	return p.figure("heap?gc=1&debug=1", `\n# HeapAlloc = (\d+)`)
}

func (p profile) goroutines() int64 {
	p.t.Helper()
	return p.figure("goroutine?debug=1", `^goroutine profile: total (\d+)`)
}

func (p profile) figure(path, pattern string) int64 {
	p.t.Helper()
	res, err := http.Get("http://" + p.admin + "/debug/pprof/" + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		p.t.Fatalf("no figure in %.200s", text)
	}
	n, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return n
}

// mib is a number of bytes for people.
func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
