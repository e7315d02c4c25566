package hub

import (
	"context"
	"errors"
	"math"
)

// ErrSubscribed is returned if the connection is in the room already.
var ErrSubscribed = errors.New("hub: already subscribed")

// errPanicked is the error for the other subscribers of a new room whose Attach panicked.
var errPanicked = errors.New("hub: internal error")

// ErrLeft is returned if the connection was closed, or detached from the room, before the
// subscription was complete.
var ErrLeft = errors.New("hub: left the room while subscribing")

// maxRecover is the greatest number of messages that are replayed. A client that missed
// more should load its state from the app.
const maxRecover = 1000

// SubscribeOptions say where a subscription starts and what it delivers.
type SubscribeOptions struct {
	// Recover asks for the messages after a position. Nil asks for History only.
	Recover *Position
	// History asks for the newest messages, at most so many and at most 1,000.
	History int
	// Interests select the [Selective] events that the connection gets. The hub does not
	// interpret the bits.
	Interests uint8
	// Successor are the ids of lost connections whose place this one takes: it does not get the
	// messages that leave one of them out, neither with a replay nor later.
	Successor []string
	// Track says that the subscription is in the connection's [Conn.Standings].
	Track bool
	// Unshown says that the connection gets no [Numbered] event before [Hub.Show].
	Unshown bool
	// Selector chooses the messages, those of a replay too; nil chooses all.
	Selector Selector
	// Member is the id to which messages to one member are addressed in this room, in place of the
	// user of [ConnOptions]. Empty: that user.
	Member string
	// Waits is called, without locks, before Subscribe waits until the queue of the
	// connection has space. May be nil.
	Waits func()
	// Reply returns the events that are queued before any live message of the room. It is
	// called once, without locks. May be nil.
	Reply func(Subscribed) []Event
}

// Subscribed is the result of a subscription.
type Subscribed struct {
	Channel string
	// Position is the position after which live delivery starts. Zero without history.
	Position Position
	// Recovered reports that Messages are all messages after SubscribeOptions.Recover.
	// Otherwise, with Recover set, there are no Messages.
	Recovered bool
	// Messages are the recovered messages or the history, oldest first.
	Messages []*Message
}

// Subscribe adds a connection to a room. The connection becomes a member before the
// position is read. What arrives meanwhile is held back and merged by offset, so that no
// message is lost between replay and live delivery. Errors: [ErrSubscribed], [ErrLeft],
// [ErrClosed] and those of the broker.
func (h *Hub) Subscribe(ctx context.Context, c *Conn, channel string, o SubscribeOptions) (Subscribed, error) {
	s := &subscription{conn: c, channel: channel, interests: o.Interests, held: new(held)}
	if o.Track {
		s.track = new(track)
	}
	if o.Member != "" {
		s.member = &o.Member
	}
	c.succeed(o.Successor)
	if o.Unshown {
		s.shown = math.MaxUint64
	}
	if o.Selector != nil {
		s.sieve = &sieve{selector: o.Selector}
	}
	if err := c.addSubscription(s); err != nil {
		return Subscribed{}, err
	}
	sub, err := h.enterRoom(ctx, s, o)
	return sub, h.start(ctx, s, sub, o, err)
}

// start starts live delivery to a subscription that is in its room, or takes it back if err is an
// error.
func (h *Hub) start(ctx context.Context, s *subscription, sub Subscribed, o SubscribeOptions, err error) error {
	c := s.conn
	if err == nil {
		err = c.waitForQueue(ctx, o.Waits)
	}
	if err == nil {
		var reply []Event
		if o.Reply != nil {
			reply = o.Reply(sub)
		}
		err = c.startLive(s, sub.Position, reply)
	}
	if err != nil {
		c.removeSubscription(s)
		h.leaveRoom(s)
	}
	return err
}

// enterRoom adds s to its room and reads where its delivery starts.
func (h *Hub) enterRoom(ctx context.Context, s *subscription, o SubscribeOptions) (Subscribed, error) {
	r, first := h.addToRoom(s)
	h.reportChange(s)
	if first {
		h.attachRoom(ctx, r)
	}
	if err := r.waitReady(ctx, s.conn); err != nil {
		return Subscribed{}, err
	}
	if r.err != nil {
		return Subscribed{}, r.err
	}
	return h.readPosition(ctx, r, s.conn, o)
}

// waitReady waits until the broker has attached the room. The context is only asked if it has not
// yet: the context of a session makes a channel then, and keeps it. c is who waits.
func (r *room) waitReady(ctx context.Context, c *Conn) error {
	select {
	case <-r.ready:
		return nil
	default:
	}
	c.Yield()
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// addToRoom adds s to its room and reports whether the room is new.
func (h *Hub) addToRoom(s *subscription) (r *room, first bool) {
	sh := h.shard(s.channel)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r, ok := sh.rooms[s.channel]
	if !ok {
		r = &room{hub: h, channel: s.channel, delays: sh.delays, ready: make(chan struct{})}
		r.options = h.settings.Load().Room(s.channel)
		sh.rooms[s.channel] = r
	}
	if r.add(s) {
		h.reportRoom(Occupancy.Occupy, s.channel)
	}
	return r, !ok
}

// leaveRoom removes s from its room. If s was the last member, the hub removes the room. A
// second call does nothing.
func (h *Hub) leaveRoom(s *subscription) {
	if s.pattern != nil {
		h.leavePattern(s)
		return
	}
	sh := h.shard(s.channel)
	sh.mu.Lock()
	r := s.room
	empty, attached, vacated := false, false, false
	if r != nil {
		empty, attached, vacated = r.remove(s)
	}
	if empty {
		delete(sh.rooms, s.channel)
	}
	if vacated {
		h.reportRoom(Occupancy.Vacate, s.channel)
	}
	sh.mu.Unlock()
	h.reportChange(s)
	if attached {
		h.broker.Detach(r.channel)
	}
}

// attachRoom starts the delivery of a room's messages to this node.
func (h *Hub) attachRoom(ctx context.Context, r *room) {
	defer close(r.ready)
	r.err = errPanicked // unless the broker returns
	// Not bound to the context of the first subscriber, because others wait as well.
	r.err = h.broker.Attach(context.WithoutCancel(ctx), r.channel, r.currentOptions().Retention)
	if r.err == nil && !r.markAttached() {
		h.broker.Detach(r.channel)
	}
}

// readPosition reads the room's position and the messages to replay.
func (h *Hub) readPosition(ctx context.Context, r *room, c *Conn, o SubscribeOptions) (Subscribed, error) {
	sub := Subscribed{Channel: r.channel}
	keep := r.currentOptions().Retention
	if keep.Size == 0 {
		return sub, nil
	}
	page, err := h.broker.History(ctx, r.channel, keep, o.query())
	if err != nil {
		return sub, err
	}
	r.setFirstPosition(page.Top)
	if page.Messages = Selected(c.without(page.Messages, o.Successor), o.Selector); o.Recover == nil {
		page.Messages = page.Messages[max(0, len(page.Messages)-o.History):]
	}
	sub.Position, sub.Messages = page.Top, page.Messages
	if o.Recover != nil {
		sub.Recovered = !page.Lost && !page.More && h.replayable(page.Messages)
		if !sub.Recovered {
			sub.Messages = nil
		}
		h.stats.recovery(sub.Recovered)
	} else if !h.replayable(page.Messages) {
		sub.Messages = nil
	}
	return sub, nil
}

// query is the question for the messages to replay. A Selector may leave some out, so that more
// are looked at.
func (o *SubscribeOptions) query() HistoryQuery {
	if o.Recover != nil || o.History > 0 && o.Selector != nil {
		return HistoryQuery{Since: o.Recover, Limit: maxRecover}
	}
	return HistoryQuery{Limit: min(o.History, maxRecover)}
}

// replayable reports whether a replay leaves half of a connection's queue free.
func (h *Hub) replayable(ms []*Message) bool {
	size := 0
	for _, m := range ms {
		size += eventSize(m)
	}
	return size <= h.settings.Load().QueueBytes/2
}

// addSubscription adds a subscription to the connection, so that Close ends it.
func (c *Conn) addSubscription(s *subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return ErrClosed
	}
	if c.subscription(s.channel) != nil {
		return ErrSubscribed
	}
	c.subs = append(c.subs, s)
	c.follow(s)
	c.tracks = c.tracks || s.track != nil
	return nil
}

// subscription returns the subscription of a channel, or nil. A connection has few, so a
// slice is smaller than a map and as fast. Needs mu.
func (c *Conn) subscription(channel string) *subscription {
	for _, s := range c.subs {
		if s.channel == channel {
			return s
		}
	}
	return nil
}

// startLive queues the reply and then what was held back, and starts live delivery.
func (c *Conn) startLive(s *subscription, at Position, reply []Event) error {
	slow := s.room.currentOptions().Slow
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || s.phase == gone {
		return ErrLeft
	}
	for _, ev := range reply {
		c.reply(ev)
	}
	s.phase, s.from = live, at
	s.startTrack(at)
	c.releaseHeld(s, slow)
	c.pump()
	return nil
}

// reply queues an event of a reply. Only its bytes count against the limits, because a
// replay may have more messages than the queue. Once the connection is closed, for example
// because an earlier event of the reply did not fit, reply does nothing: the close is the
// last thing that the client gets. Needs mu.
func (c *Conn) reply(ev Event) {
	if c.ending {
		return
	}
	it := item{frame: c.encoder.AppendEvent(nil, ev), exempt: true}
	if c.bytesFull(len(it.frame)) {
		c.end(ReasonSlow)
		return
	}
	switch ev := ev.(type) {
	case *Message:
		it.msg = ev
	case Gap:
		it.gap = &ev
	case Progress:
		it.progress = &ev
	}
	c.queue.push(it)
}

// releaseHeld queues what was held back while s was joining. Needs mu.
func (c *Conn) releaseHeld(s *subscription, slow Slow) {
	h := s.held
	s.held = nil
	if h.dropped && s.from.IsZero() {
		c.countGap(GapBehind)
		c.reply(Gap{Channel: s.channel})
	}
	b := newBatch(h.events, slow)
	defer b.release()
	c.deliverEach(s, &b, 0)
}

// removeSubscription removes s from the connection. It returns false if that was done
// before.
func (c *Conn) removeSubscription(s *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropSubscription(s)
}

// dropSubscription is removeSubscription with mu held.
func (c *Conn) dropSubscription(s *subscription) bool {
	s.phase = gone
	for i, have := range c.subs {
		if have == s {
			last := len(c.subs) - 1
			c.subs[i], c.subs[last] = c.subs[last], nil
			c.subs = c.subs[:last]
			return true
		}
	}
	return false
}

// Unsubscribe detaches a connection from a room and queues reply behind the last event of
// the room. It returns false if the connection was not in the room.
func (h *Hub) Unsubscribe(c *Conn, channel string, reply ...Event) bool {
	s := c.unsubscribe(channel, reply)
	if s == nil {
		return false
	}
	h.leaveRoom(s)
	return true
}

func (c *Conn) unsubscribe(channel string, reply []Event) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subscription(channel)
	if s == nil {
		return nil
	}
	c.dropSubscription(s)
	for _, ev := range reply {
		c.reply(ev)
	}
	c.pump()
	return s
}

// Interest changes which [Selective] events of a room the connection gets from now on.
// Without a subscription it does nothing.
func (h *Hub) Interest(c *Conn, channel string, interests uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subscription(channel); s != nil {
		s.interests = interests
	}
}
