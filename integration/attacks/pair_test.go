package attacks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// pingPause is the pause between two pings of a pair.
const pingPause = 10 * time.Millisecond

// pair are two neighbours of the attackers that keep to every rule: one publishes
// pings without an end, the other receives them. A ping counts from the time at
// which it was due, so that a server that stops reading for a second delays all
// pings of that second.
type pair struct {
	publisher, subscriber *client
	end                   chan struct{}

	mu     sync.Mutex
	sent   int
	delays []time.Duration // of ping 1, 2, …
	fault  string          // ends the pair
}

// newPair begins to ping through a channel of the site.
func newPair(t *testing.T, s target, channel string) *pair {
	t.Helper()
	p := &pair{publisher: s.connect(t), subscriber: s.connect(t), end: make(chan struct{})}
	var all sync.WaitGroup
	for _, c := range []*client{p.publisher, p.subscriber} {
		if ev := c.ask(t, "subscribe", `{"channel":"`+channel+`"}`); ev.Type != "subscribed" {
			t.Fatalf("a neighbour is not let in: %+v", ev)
		}
	}
	all.Go(func() { p.publish(channel) })
	all.Go(func() { p.publisher.fate() }) // it answers heartbeats
	all.Go(p.receive)
	t.Cleanup(func() {
		close(p.end)
		_, _ = p.publisher.conn.Close(), p.subscriber.conn.Close()
		all.Wait()
	})
	return p
}

// publish sends a ping when it is due, and at once when its time has passed.
func (p *pair) publish(channel string) {
	due := time.Now()
	for n := 1; ; n++ {
		due = due.Add(pingPause)
		select {
		case <-p.end:
			return
		case <-time.After(time.Until(due)):
		}
		p.mu.Lock()
		p.sent = n
		p.mu.Unlock()
		text := fmt.Sprintf(`{"type":"message","payload":{"channel":%q,"content":"%d %d"}}`, channel, n, due.UnixMicro())
		if _, err := p.publisher.conn.Write(frame(headText, text)); err != nil {
			p.fail("can not write: " + err.Error())
			return
		}
	}
}

func (p *pair) receive() {
	for want := 1; ; want++ {
		ev, err := p.subscriber.nextMessage()
		if err != nil {
			p.fail(err.Error())
			return
		}
		number, at, _ := strings.Cut(strings.Trim(string(ev.Payload.Content), `"`), " ")
		due, _ := strconv.ParseInt(at, 10, 64)
		if number != strconv.Itoa(want) {
			p.fail(fmt.Sprintf("ping %s came in place of %d", number, want))
			return
		}
		p.mu.Lock()
		p.delays = append(p.delays, time.Since(time.UnixMicro(due)))
		p.mu.Unlock()
	}
}

func (p *pair) fail(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == "" {
		p.fault = what
	}
}

// broken is what has ended the pair, empty if nothing has.
func (p *pair) broken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// pings is how many pings were sent.
func (p *pair) pings() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// delays are how long pings took, in order.
type delays []time.Duration

func (d delays) percentile(p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[(len(d)-1)*p/100]
}

// since gives the delays of all pings behind the first ones, when they have arrived.
// There is at least one.
func (p *pair) since(first int) (d delays, fault string) {
	last := max(p.pings(), first+1)
	arrived := until(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.delays) >= last || p.fault != ""
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.fault != "":
		return nil, p.fault
	case !arrived:
		return nil, fmt.Sprintf("ping %d does not arrive", len(p.delays)+1)
	}
	return slices.Sorted(slices.Values(p.delays[first:last])), ""
}
