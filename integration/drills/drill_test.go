package drills

import (
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// appKey is the API key of the sites, which name it as {env.REALTIME_TEST_KEY}.
const appKey = "a-key-of-the-app"

// drill is who takes part, and the checker that looks on.
type drill struct {
	t       *testing.T
	base    string // URL of the realtime path
	checker *checker.Checker
	away    bool // the server may be away for a while

	publishers  []*publisher
	subscribers []*subscriber

	quiet      chan struct{} // closed by hush
	hush       func()        // ends the publishing
	disperse   func()        // cuts all subscribers off and waits for them, at the end
	leaving    atomic.Bool   // connections may end from now on
	gone       chan struct{} // closed when everybody leaves
	publishing sync.WaitGroup
	following  sync.WaitGroup
}

func newDrill(t *testing.T, base string, o checker.Options) *drill {
	d := &drill{t: t, base: base, checker: checker.New(o), quiet: make(chan struct{}), gone: make(chan struct{})}
	d.hush = sync.OnceFunc(func() {
		close(d.quiet)
		d.publishing.Wait()
	})
	d.disperse = sync.OnceFunc(d.cutAll)
	t.Cleanup(func() {
		d.hush()
		d.disperse()
	})
	return d
}

// subscriber adds one by WebSocket, which is not connected yet.
func (d *drill) subscriber(channels ...string) *subscriber {
	s := &subscriber{base: d.base, channels: channels}
	s.record = d.checker.Subscriber("ws " + strconv.Itoa(len(d.subscribers)))
	d.subscribers = append(d.subscribers, s)
	return s
}

// streamer adds one by event stream. The sites have an encoder at /rt/sse, which
// keeps the streams there inside of their handlers.
func (d *drill) streamer(inside bool, channels ...string) *subscriber {
	s := &subscriber{base: d.base, channels: channels, stream: streamClient()}
	if inside {
		s.base += "/sse"
	}
	s.record = d.checker.Subscriber("sse " + strconv.Itoa(len(d.subscribers)))
	d.subscribers = append(d.subscribers, s)
	return s
}

// publisher adds one; it begins with publish.
func (d *drill) publisher(p *publisher) {
	p.record = d.checker.Publisher(p.name)
	d.publishers = append(d.publishers, p)
}

// publish starts the publishers.
func (d *drill) publish() {
	for _, p := range d.publishers {
		d.publishing.Go(func() {
			if err := p.run(d.quiet); err != nil {
				d.t.Error(err)
			}
		})
	}
}

// acked is how many messages were acknowledged so far.
func (d *drill) acked() (n int) {
	for _, p := range d.publishers {
		n += int(p.acked.Load())
	}
	return n
}

func (d *drill) retries() (n int) {
	for _, p := range d.publishers {
		n += int(p.retries.Load())
	}
	return n
}

// gathered waits until all subscribers are in their channels.
func (d *drill) gathered() {
	d.t.Helper()
	until(d.t, "all subscribers are in their channels", func() bool {
		for _, s := range d.subscribers {
			if !s.inside.Load() {
				return false
			}
		}
		return true
	})
}

// settle ends the publishing and waits until everything is delivered.
func (d *drill) settle() {
	d.t.Helper()
	d.hush()
	d.gathered()
	if !happens(func() bool { return d.checker.Behind() == 0 }) {
		d.verdict()
		d.t.Fatalf("%v have passed before everything is delivered", drillLimit)
	}
}

// hold connects a subscriber for the whole drill: that its connection ends before
// somebody leaves is a fault.
func (d *drill) hold(s *subscriber) {
	d.t.Helper()
	c, err := s.connect()
	if err != nil {
		d.t.Fatal(err)
	}
	d.following.Go(func() {
		if err := s.follow(c); !d.leaving.Load() {
			d.t.Errorf("a connection has ended: %v", err)
		}
	})
}

func (d *drill) cutAll() {
	d.leaving.Store(true)
	close(d.gone)
	for _, s := range d.subscribers {
		s.drop()
	}
	d.following.Wait()
}

// verdict is the checker's. Faults fail the test.
func (d *drill) verdict() *checker.Report {
	d.t.Helper()
	r := d.checker.Check()
	d.t.Logf("%v%d publishes were tried again", r, d.retries())
	if !r.OK() {
		d.t.Error("not everything was delivered as promised")
	}
	return r
}

// drillLimit is how long anything may take that has to happen.
const drillLimit = 60 * time.Second

// until waits until something is the case.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	if !happens(is) {
		t.Fatalf("%v have passed before %s", drillLimit, what)
	}
}

// happens reports whether something comes to be the case.
func happens(is func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(drillLimit); !is(); {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
	return true
}

// channelsOf names n channels of a room: "room:0" and so on.
func channelsOf(room string, n int) (names []string) {
	for i := range n {
		names = append(names, room+":"+strconv.Itoa(i))
	}
	return names
}

// turns picks k channels for each message, in turns.
func turns(channels []string, k int) func(n int) []string {
	return func(n int) (picked []string) {
		for i := range k {
			picked = append(picked, channels[(n+i*len(channels)/k)%len(channels)])
		}
		return picked
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	for range 2 { // pools are emptied by the second one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
