package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// client is a client as docs/protocol.md describes it. It keeps what it wants over connections: rooms with
// their positions, messages without an acknowledgement, and a change without an answer.
type client struct {
	w    *world
	no   int
	name string
	user string
	seen *checker.Subscriber
	sent *checker.Publisher

	mu sync.Mutex // may be held while link.mu is taken
	// Guarded by mu.
	link    *link // nil: not connected
	greeted bool
	rest    []byte // of the line that is arriving
	rooms   map[string]*place
	waits   []message // without an acknowledgement, in order
	latest  message
	count   int // messages so far
	ids     int // commands so far
	dials   uint64
	changes int // proposed so far
	logs    map[string]keptLog
}

// keptLog is what a room keeps.
type keptLog struct {
	epoch string
	at    map[uint64]string
}

// message is one message of a client.
type message struct{ channel, name, content string }

// place is a room as a client knows it.
type place struct {
	channel string
	wanted  bool
	stage   stage
	inside  bool // `subscribed` came on this connection
	known   bool // at is
	at      checker.Position
	anchor  string

	members members
	doc     replica
}

// stage is what a client has sent about a room on this connection. It enters a room again only after
// `unsubscribed`: before, it does not know from where to recover.
type stage uint8

const (
	out stage = iota
	in
	leaving
)

func newClient(w *world, no int, user string) *client {
	name := fmt.Sprint("c", no)
	c := &client{w: w, no: no, name: name, user: user, rooms: make(map[string]*place)}
	c.seen, c.sent = w.checker.Subscriber(name), w.checker.Publisher(name)
	for _, channel := range roomNames {
		c.rooms[channel] = &place{channel: channel}
	}
	return c
}

// up connects the client, if it is not connected.
func (c *client) up() {
	c.mu.Lock()
	if c.link != nil {
		c.mu.Unlock()
		return
	}
	c.dials++
	l := newLink(c, c.w.seed<<16|uint64(c.no)<<8|c.dials)
	c.link, c.greeted, c.rest = l, false, nil
	c.mu.Unlock()
	if !c.w.accept(c, l) {
		c.lost(l)
	}
}

// down ends the connection as the network does it.
func (c *client) down() {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		c.w.oracle.cutNow(l)
		l.cut()
		c.lost(l)
	}
}

// vanish goes away without a word to the server.
func (c *client) vanish() {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		l.mute()
		c.lost(l)
	}
}

func (c *client) stall(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.stall(on)
	}
}

// lost notes that a connection has ended.
func (c *client) lost(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l {
		return
	}
	c.link = nil
	c.seen.Disconnected()
	for _, p := range c.rooms {
		p.stage, p.inside, p.members = out, false, members{}
		p.doc.live = false
	}
}

// isUp reports whether the client is connected.
func (c *client) isUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// say sends a command. It needs mu and a connection.
func (c *client) say(kind string, fields map[string]any) {
	c.sayAs(kind, "", fields)
}

func (c *client) sayAs(kind, id string, fields map[string]any) {
	if id == "" {
		c.ids++
		id = kind + strconv.Itoa(c.ids)
	}
	c.link.send(command(kind, id, fields))
}

// subscribe enters a room, now or with the next connection.
func (c *client) subscribe(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.rooms[channel]
	if p.wanted {
		return
	}
	p.wanted = true
	if c.greeted && c.link != nil && p.stage == out {
		c.enter(p)
	}
}

// enter sends `subscribe`. It needs mu and a connection.
func (c *client) enter(p *place) {
	p.stage = in
	fields := map[string]any{"channel": p.channel}
	if p.known {
		fields["recover"] = map[string]any{"epoch": p.at.Epoch, "offset": p.at.Offset, "anchor": p.anchor}
		if p.anchor == "" {
			delete(fields["recover"].(map[string]any), "anchor")
		}
	}
	c.say("subscribe", fields)
}

// unsubscribe leaves a room. It forgets the position if fresh is set.
func (c *client) unsubscribe(channel string, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.rooms[channel]
	if !p.wanted {
		return
	}
	p.wanted = false
	if fresh {
		p.known = false
	}
	c.leave(p)
}

// leave sends `unsubscribe`, if the client is in the room. It needs mu.
func (c *client) leave(p *place) {
	if p.stage == in {
		p.stage = leaving
		c.w.oracle.leaves(c.link, c.user, p.channel)
		c.say("unsubscribe", map[string]any{"channel": p.channel})
	}
}

// publish sends messages, and keeps those that are not acknowledged. n decides about their lengths.
func (c *client) publish(channel string, many, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range many {
		c.count++
		m := message{channel: channel, name: fmt.Sprintf("%s-%d", c.name, c.count)}
		m.content = text(m.name, (n*(i+3))%200)
		c.waits = append(c.waits, m)
		c.latest = m
		c.sent.Sent(channel, m.name)
		if c.greeted && c.link != nil {
			c.tell(m)
		}
	}
}

// again sends the latest message once more. The server must notice that.
func (c *client) again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeted && c.link != nil && c.latest.name != "" {
		c.sent.Sent(c.latest.channel, c.latest.name)
		c.tell(c.latest)
	}
}

// tell sends a message. It needs mu and a connection.
func (c *client) tell(m message) {
	c.sayAs("message", m.name, map[string]any{"channel": m.channel, "content": m.content, "key": m.name})
}

// show lets the client's member show something.
func (c *client) show(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeted && c.link != nil && c.rooms[hall].inside && c.rooms[hall].wanted {
		c.say("presence", map[string]any{"channel": hall, "info": map[string]any{"n": n}})
	}
}

// forget gives up what the node that crashed may have or not have.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits, c.latest = nil, message{}
	for _, p := range c.rooms {
		p.doc.pending = nil
	}
}

// idle reports whether the client waits for nothing.
func (c *client) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.rooms {
		if p.wanted && (!p.inside || p.doc.pending != nil) {
			return false
		}
	}
	return c.link != nil && len(c.waits) == 0
}

// resume says again what has no answer. It needs mu and a connection.
func (c *client) resume() {
	for _, channel := range roomNames {
		if p := c.rooms[channel]; p.wanted {
			c.enter(p)
		}
	}
	for _, m := range c.waits {
		c.sent.Sent(m.channel, m.name)
		c.tell(m)
	}
}

// feed takes bytes from the network.
func (c *client) feed(l *link, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l {
		return
	}
	var lines [][]byte
	lines, c.rest = split(append(c.rest, p...))
	for _, line := range lines {
		for _, line := range c.w.faults.line(c, line) {
			if c.link == l {
				c.take(line)
			}
		}
	}
}

// take handles one frame. It needs mu.
func (c *client) take(line []byte) {
	switch {
	case string(line) == "ping":
		c.link.send([]byte("pong"))
		return
	case strings.HasPrefix(string(line), "close "):
		return // the end of the connection follows
	}
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil {
		c.w.oracle.fault("%s cannot read %q: %v", c.name, line, err)
		return
	}
	c.handle(&e)
}

func (c *client) handle(e *envelope) {
	q := &e.Payload
	p := c.rooms[q.Channel]
	switch e.Type {
	case "connected":
		c.greeted = true
		c.resume()
	case "subscribed":
		c.subscribed(p, q)
	case "unsubscribed":
		c.unsubscribed(p, q)
	case "message":
		c.seen.Message(q.Channel, checker.Position{Epoch: p.epoch(q.Offset), Offset: q.Offset}, nameOf(q.Content))
		p.moved(q)
	case "gap":
		c.gap(p, q)
	case "ack":
		c.acked(e)
	case "presence":
		c.w.oracle.presence(c, p, e)
	case "remote-change", "change-accepted", "change-rejected":
		c.changed(p, e)
	case "error":
		c.w.oracle.fault("%s gets the error %s for %s: %s", c.name, q.Code, e.ID, q.Message)
	case "history":
		c.log(q)
	case "reconnect":
	default:
		c.w.oracle.fault("%s gets an envelope of the type %q", c.name, e.Type)
	}
}

// epoch is that of a message with an offset.
func (p *place) epoch(offset uint64) string {
	if offset == 0 {
		return ""
	}
	return p.at.Epoch
}

// moved notes the position of a message.
func (p *place) moved(q *payload) {
	if q.Offset > 0 {
		p.at.Offset, p.anchor = q.Offset, q.Anchor
	}
}

func (c *client) subscribed(p *place, q *payload) {
	p.inside = true
	at := checker.Position{Epoch: q.Epoch, Offset: q.Offset}
	replay := make([]checker.Message, len(q.Messages))
	for i, m := range q.Messages {
		replay[i] = checker.Message{Position: checker.Position{Epoch: q.Epoch, Offset: m.Offset}, ID: nameOf(m.Content)}
	}
	if p.known && !q.Recovered {
		c.w.oracle.gapped(c, p.channel, "is not recovered")
	}
	c.seen.Subscribed(p.channel, at, q.Recovered, replay...)
	if !q.Recovered || len(replay) > 0 || at.Offset <= p.at.Offset { // else the missed messages follow
		p.at, p.anchor = at, q.Anchor
	}
	p.known = q.Epoch != ""
	if p.stage == in {
		c.w.oracle.enters(c.link, c.user, p.channel)
	}
	if q.Document != nil {
		c.loaded(p, q.Document)
	}
}

func (c *client) unsubscribed(p *place, q *payload) {
	if q.Code != "" {
		c.w.oracle.fault("%s was unsubscribed from %s: %s", c.name, p.channel, q.Code)
	}
	c.seen.Unsubscribed(p.channel)
	p.stage, p.inside = out, false
	p.members, p.doc.live = members{}, false
	if p.wanted { // again, or it was left to read its document again
		c.enter(p)
	}
}

func (c *client) gap(p *place, q *payload) {
	c.w.oracle.gapped(c, p.channel, "gets a gap")
	c.seen.Gap(p.channel, checker.Position{Epoch: q.Epoch, Offset: q.Offset})
	p.at, p.anchor = checker.Position{Epoch: q.Epoch, Offset: q.Offset}, q.Anchor
	p.known = q.Epoch != ""
	if p.channel == desk && p.wanted {
		c.reread(p)
	}
}

func (c *client) acked(e *envelope) {
	i := slices.IndexFunc(c.waits, func(m message) bool { return m.name == e.ID })
	if i < 0 && c.latest.name != e.ID {
		return // of presence, or of a message that was given up
	}
	if i >= 0 {
		c.waits = slices.Delete(c.waits, i, i+1)
	}
	at := checker.Position{Epoch: e.Payload.Epoch, Offset: e.Payload.Offset}
	c.sent.Acked(e.Payload.Channel, e.ID, at)
	c.w.oracle.acked(e.Payload.Channel, e.ID, at, e.Payload.Duplicate)
}

// poll sends again what was not answered for long.
func (c *client) poll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil || !c.greeted {
		return
	}
	for _, m := range c.waits {
		c.sent.Sent(m.channel, m.name)
		c.tell(m)
	}
}

// ask requests what the rooms keep, page after page.
func (c *client) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs = make(map[string]keptLog)
	for _, channel := range []string{kept, hall} {
		c.askSince(channel, c.rooms[channel].at.Epoch, 0)
	}
}

func (c *client) askSince(channel, epoch string, offset uint64) {
	since := map[string]any{"epoch": epoch, "offset": offset}
	c.say("history", map[string]any{"channel": channel, "limit": 1000, "since": since})
}

// log takes a page of what a room keeps.
func (c *client) log(q *payload) {
	l, known := c.logs[q.Channel]
	if !known {
		l = keptLog{epoch: q.Epoch, at: make(map[uint64]string)}
		c.logs[q.Channel] = l
	}
	for _, m := range q.Messages {
		l.at[m.Offset] = nameOf(m.Content)
	}
	if n := len(q.Messages); q.More && n > 0 {
		c.askSince(q.Channel, q.Epoch, q.Messages[n-1].Offset)
	}
}
