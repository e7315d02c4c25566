package redis

import "github.com/caddy-realtime/caddy-realtime/hub"

// maxOwnDue is how many small rooms the reader of a subscription broadcasts to itself between two
// reads. Goroutines do the others, so that the reader does not fall behind Redis and other cores
// have work.
const maxOwnDue = 32

// dueBroadcasts are the broadcasts of small rooms that the reader of a subscription does when
// it has handled everything that has arrived, before it waits for more. So no goroutine is
// started for a message, and what arrives together in one room is sent in one write. Only the
// reader uses it, and a link has one at a time.
type dueBroadcasts struct{ all []hub.Due }

// add notes a broadcast; the zero Due is none.
func (d *dueBroadcasts) add(one hub.Due) {
	if !one.IsZero() {
		d.all = append(d.all, one)
	}
}

// run does the broadcasts. The reader holds no lock then.
func (d *dueBroadcasts) run() {
	for i, one := range d.all {
		if i < maxOwnDue {
			one.Run()
		} else {
			one.Start()
		}
	}
	clear(d.all)
	d.all = d.all[:0]
}

// broadcastDue broadcasts a message that the reader has received.
func (b *Broker) broadcastDue(channel string, m *hub.Message) {
	if b.dueSink == nil {
		b.sink.Broadcast(channel, m)
		return
	}
	b.c.link.due.add(b.dueSink.BroadcastDue(channel, m))
}
