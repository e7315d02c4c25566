//go:build unix

package drills

import (
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const slowSite = thriftySites + `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		limits {
			queue 16 16MiB
		}
		room disconnect {
			subscribe anyone
			history 2000
		}
		room oldest {
			subscribe anyone
			history 10
			slow drop_oldest
		}
		room latest {
			subscribe anyone
			slow latest
		}
	}
}
`

// queueMessages is the limit of the site.
const queueMessages = 16

// slowRoom is the subscribers of a room. Each message is waited for by those who
// read, so that whoever falls behind does it because it does not read.
type slowRoom struct {
	*drill
	channel string
	burst   int // messages that are published at once
	size    int // of a message, in bytes
	app     *byHTTP
	record  *checker.Publisher

	healthy, slow []*subscriber
	valve         *valve
	sent          int
}

func newSlowRoom(d *drill, channel string, burst, size int) *slowRoom {
	r := &slowRoom{
		drill: d, channel: channel, burst: burst, size: size, valve: newValve(),
		app: newHTTP(d.base, appKey, true), record: d.checker.Publisher("for " + channel),
	}
	d.t.Cleanup(r.app.close)
	d.t.Cleanup(r.valve.open)
	return r
}

// fill adds subscribers that read, and some that may be made to stop: of each the
// last one by event stream.
func (r *slowRoom) fill(healthy, slow int) {
	for i := range healthy {
		if i%4 == 0 {
			r.healthy = append(r.healthy, r.streamer(i%8 == 0, r.channel))
		} else {
			r.healthy = append(r.healthy, r.subscriber(r.channel))
		}
	}
	for i := range slow {
		s := r.subscriber(r.channel)
		if s.dialer = r.valve.dialer(); i == slow-1 {
			s.stream = r.valve.client()
		}
		r.slow = append(r.slow, s)
	}
}

// publish publishes a burst and waits until all who read have it.
func (r *slowRoom) publish() {
	r.t.Helper()
	m := post{size: r.size}
	for range r.burst {
		r.sent++
		m.id = r.channel + "-" + strconv.Itoa(r.sent)
		r.record.Sent(r.channel, m.id)
		m.channels = []string{r.channel}
		got, err := r.app.publish(m)
		if err != nil {
			r.t.Fatal(err)
		}
		r.record.Acked(r.channel, m.id, checker.Position{Epoch: got[0].Epoch, Offset: got[0].Offset})
	}
	until(r.t, "those who read have everything", func() bool { return behind(r.healthy, r.sent) == 0 })
}

// behind counts the subscribers that have not seen n messages.
func behind(list []*subscriber, n int) (count int) {
	for _, s := range list {
		if int(s.seen.Load()) < n {
			count++
		}
	}
	return count
}

// TestSlow lets ten of two hundred clients stop reading, some under each of the
// policies. The others get everything all the time, and each of the ten what its
// room promises.
func TestSlow(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, slowSite)
	d := newDrill(t, "http://"+c.Addr("site")+"/rt", checker.Options{})
	cut := newSlowRoom(d, "disconnect", 8, 30_000)
	cut.fill(136, 4)
	oldest := newSlowRoom(d, "oldest", 8, 30_000)
	oldest.fill(27, 3)
	latest := newSlowRoom(d, "latest", 1, 60_000) // a second one would replace the first
	latest.fill(27, 3)
	ends := cut.connect()
	oldest.hold()
	latest.hold()
	d.gathered()

	cut.stall(func() bool { return cut.app.connections(cut.channel) == len(cut.healthy) })
	cut.wantTold(ends)
	d.gathered()
	oldest.stall(func() bool { return (oldest.sent-queueMessages)*oldest.size > kernelBuffers })
	latest.stall(func() bool { return latest.sent*latest.size > kernelBuffers })
	oldest.wantMissed()
	latest.wantMissed()
	d.settle()
	r := d.verdict()
	if r.Recovered != len(cut.slow) || r.Gaps < len(oldest.slow) {
		t.Errorf("%d of %d have recovered, and %d gaps came for %d", r.Recovered, len(cut.slow), r.Gaps, len(oldest.slow))
	}
}

// hold connects everybody for the whole drill.
func (r *slowRoom) hold() {
	r.t.Helper()
	for _, s := range append(r.healthy, r.slow...) {
		r.drill.hold(s)
	}
}

// connect is hold for a room whose slow ones are cut off; they come back at once.
// It says how their connections end.
func (r *slowRoom) connect() <-chan error {
	ends := make(chan error, 100)
	for _, s := range r.healthy {
		r.drill.hold(s)
	}
	for _, s := range r.slow {
		r.following.Go(func() {
			for !r.leaving.Load() {
				c, err := s.connect()
				if err != nil {
					r.t.Error(err)
					return
				}
				ends <- s.follow(c)
			}
		})
	}
	return ends
}

// stall has the slow ones stop reading and publishes until enough has come to pass.
// That takes less than the ten seconds after which a write that is stuck ends a
// connection, or else the drill says so.
func (r *slowRoom) stall(enough func() bool) {
	r.t.Helper()
	r.publish()
	until(r.t, "the slow ones have it, too", func() bool { return behind(r.slow, r.sent) == 0 })
	r.valve.shut()
	start := time.Now()
	defer func() {
		r.valve.open()
		r.t.Logf("%s: stalled for %v and %d messages", r.channel, time.Since(start).Round(time.Millisecond), r.sent)
	}()
	for r.publish(); !enough(); r.publish() {
		if r.sent > 2*(queueMessages+kernelBuffers/r.size)+r.burst {
			r.t.Fatal("clients that read nothing are not noticed")
		}
	}
}

// wantTold wants the slow ones to be told why they were cut off. The close waits
// for five seconds; who reads on later finds the connection gone.
func (r *slowRoom) wantTold(ends <-chan error) {
	r.t.Helper()
	told := 0
	for range r.slow {
		if err := <-ends; websocket.IsCloseError(err, 4500) || err == ended(4500) {
			told++
		} else {
			r.t.Logf("%s: a slow client was cut off with %v", r.channel, err)
		}
	}
	if told == 0 {
		r.t.Errorf("%s: nobody was told why", r.channel)
	}
}

// wantMissed wants the slow ones to have missed something, and to be up to date
// again.
func (r *slowRoom) wantMissed() {
	r.t.Helper()
	r.publish()
	last := r.channel + "-" + strconv.Itoa(r.sent)
	until(r.t, "the slow ones have the latest", func() bool { return latestOf(r.slow, last) })
	for _, s := range r.slow {
		n := int(s.seen.Load())
		r.t.Logf("%s: a slow client has seen %d of %d messages", r.channel, n, r.sent)
		if n >= r.sent {
			r.t.Errorf("%s: a slow client has missed nothing", r.channel)
		}
	}
}

// latestOf reports whether all have seen this message last.
func latestOf(list []*subscriber, id string) bool {
	for _, s := range list {
		if s.latest.Load() != id {
			return false
		}
	}
	return true
}
