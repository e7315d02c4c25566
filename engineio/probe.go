package engineio

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

const (
	// upgradeTime is how long an upgrade may take from the handshake of the WebSocket.
	upgradeTime = 10 * time.Second
	// nudgeEvery is how often a poll is answered while its client is about to upgrade.
	nudgeEvery = 100 * time.Millisecond
	// maxProbes is how many WebSockets a session may try. Clients try one.
	maxProbes = 3
)

// What a client says on the WebSocket, and what it is told. The answer is a whole frame.
const (
	probeAsk    = "2probe"
	probeAnswer = "\x81\x063probe"
)

// probe is a WebSocket that may take a session over from the polls. It is the peer of its reader:
// the session's own after the upgrade.
type probe struct {
	// Static.
	carrier *carrier
	link    ws.Link

	// Guarded by carrier.mu.
	due   time.Time // when the upgrade must be done
	timer *time.Timer
	asked bool // the client has probed

	joined bool // owned by the reader: the upgrade is done
}

var _ ws.Peer = (*probe)(nil)

// join makes a WebSocket the probe of the session. It returns nil if the session has another one, or
// has had too many.
func (c *carrier) join(l ws.Link) ws.Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.gone || c.link != nil || c.probe != nil || c.probes >= maxProbes {
		return nil
	}
	c.probes++
	p := &probe{carrier: c, link: l, due: time.Now().Add(upgradeTime)}
	p.timer = time.AfterFunc(upgradeTime, p.tick)
	c.probe = p
	return p
}

// takeProbe returns the probe, which is none any more. Needs mu.
func (c *carrier) takeProbe() *probe {
	p := c.probe
	if c.probe = nil; p != nil {
		p.timer.Stop()
	}
	return p
}

// tick answers the poll that is held, so that the client can pause its polls. After upgradeTime it
// gives the upgrade up.
func (p *probe) tick() {
	defer guard.Recover(p.carrier.registry.Hub().Settings().Logger, "an upgrade of a client of Engine.IO")
	c := p.carrier
	c.mu.Lock()
	late := c.probe == p && !time.Now().Before(p.due)
	switch {
	case late:
		c.takeProbe()
	case c.probe == p:
		c.nudge()
		p.timer.Reset(nudgeEvery)
	}
	c.mu.Unlock()
	if late {
		p.link.Close()
	}
}

// Receive implements [ws.Peer].
func (p *probe) Receive(message []byte, binary bool) {
	switch {
	case p.joined:
		p.carrier.session.Receive(message, binary)
	case !binary && string(message) == probeAsk:
		p.confirm()
	case !binary && len(message) == 1 && message[0] == packetUpgrade:
		p.upgrade()
	default:
		p.Close(broken("what an upgrade does not begin with"))
	}
}

// confirm answers the probe. From now on the client's polls are answered soon.
func (p *probe) confirm() {
	if err := p.link.Write([]byte(probeAnswer)); err != nil {
		p.Close(hub.ReasonLost)
		return
	}
	c := p.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probe == p && !p.asked {
		p.asked = true
		c.nudge()
		p.timer.Reset(nudgeEvery)
	}
}

// upgrade makes the WebSocket the way to the client. What is queued goes there. An upgrade
// during a POST is one that no client makes: the messages would have no order.
func (p *probe) upgrade() {
	c := p.carrier
	c.mu.Lock()
	switch {
	case c.probe != p || !p.asked:
		c.mu.Unlock()
		p.Close(broken("an upgrade without a probe"))
		return
	case c.posting:
		c.mu.Unlock()
		c.fail(broken("an upgrade during a request with packets"))
		return
	}
	c.takeProbe()
	c.nudge()
	c.link, c.since = p.link, time.Now()
	c.direct, _ = p.link.(directLink)
	f := c.takeWaiting()
	c.mu.Unlock()
	p.joined = true
	c.session.Conn().Heard()
	c.resume(f, nil)
}

// Heard implements [ws.Peer].
func (p *probe) Heard() {
	if p.joined {
		p.carrier.session.Conn().Heard()
	}
}

// Send implements [ws.Peer]. Before the upgrade pings of WebSocket have no answer.
func (p *probe) Send(ev hub.Event) {
	if p.joined {
		p.carrier.session.Conn().Send(ev)
	}
}

// Close implements [ws.Peer]. Before the upgrade the session goes on with polls.
func (p *probe) Close(why hub.Reason) {
	if p.joined {
		p.carrier.session.Conn().Close(why)
		return
	}
	p.carrier.drop(p)
	if why != hub.ReasonLost {
		_ = p.link.Write(ws.Encoder{}.AppendClose(nil, why))
	}
	p.link.Close()
}

// drop gives a probe up.
func (c *carrier) drop(p *probe) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probe == p {
		c.takeProbe()
	}
}

// CloseForAbuse implements [ws.Peer].
func (p *probe) CloseForAbuse(why hub.Reason) {
	if p.joined {
		p.carrier.session.CloseForAbuse(why)
		return
	}
	p.Close(why)
}
