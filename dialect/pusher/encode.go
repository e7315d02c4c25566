package pusher

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// encoder writes the events of the hub as this protocol has them. It is comparable.
type encoder struct {
	prefix   string
	activity int  // seconds
	counts   bool // clients are sent how many subscriptions a channel has
}

// frame is a message of the protocol itself.
type frame struct {
	event, channel string
	data           string // JSON
	object         bool   // data is sent as it is, not as a string
}

// AppendEvent implements [hub.Encoder].
func (c encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case *hub.Message:
		return c.appendMessage(dst, ev)
	case frame:
		return appendFrame(dst, ev)
	case protocol.Connected:
		return appendFrame(dst, frame{event: "pusher:connection_established",
			data: `{"socket_id":"` + ev.Connection + `","activity_timeout":` + strconv.Itoa(c.activity) + `}`})
	case protocol.PresenceEvent:
		if s, ok := ev.Frame.(*presence.Snapshot); ok && c.shows(s.Channel) {
			return appendFrame(dst, frame{event: "pusher_internal:subscription_succeeded", channel: c.name(s.Channel), data: presentMembers(s)})
		}
	case protocol.Subscriptions:
		if name := c.name(ev.Channel); c.counts && isCounted(name) {
			return appendFrame(dst, frame{event: "pusher_internal:subscription_count", channel: name, data: `{"subscription_count":` + strconv.Itoa(ev.Count) + `}`})
		}
	case protocol.Watched:
		return appendFrame(dst, frame{event: "pusher_internal:watchlist_events", data: watchlistEvents(ev)})
	case protocol.UnsubscribedReply:
		if ev.Cause != nil {
			return appendFrame(dst, subscriptionError(c.name(ev.Channel), ev.Cause))
		}
	}
	return dst
}

// Split implements [ws.Splitter]: each change of a member is a message of its own.
func (c encoder) Split(ev hub.Event) []hub.Event {
	p, ok := ev.(protocol.PresenceEvent)
	if !ok {
		return nil
	}
	d, ok := p.Frame.(*presence.Diff)
	if !ok {
		return nil
	}
	all := []hub.Event{}
	if !c.shows(d.Channel) {
		return all
	}
	for _, m := range d.Left {
		all = append(all, c.removed(d.Channel, m))
	}
	for _, m := range d.Entered {
		all = append(all, c.added(d.Channel, m))
	}
	// This protocol has no changes of a member. One that left and is back with another info at
	// once is a change here; a status, which only native clients have, is none there.
	for _, m := range d.Renewed {
		all = append(all, c.removed(d.Channel, m), c.added(d.Channel, m))
	}
	return all
}

func (c encoder) removed(room string, m *presence.Member) frame {
	return frame{"pusher_internal:member_removed", c.name(room), `{"user_id":` + string(protocol.AppendString(nil, m.Key)) + `}`, false}
}

func (c encoder) added(room string, m *presence.Member) frame {
	data := append([]byte(`{"user_id":`), protocol.AppendString(nil, m.Key)...)
	data = append(append(data, `,"user_info":`...), info(m)...)
	return frame{"pusher_internal:member_added", c.name(room), string(data) + "}", false}
}

// shows reports whether the clients of this protocol know members in a room.
func (c encoder) shows(room string) bool { return isPresence(c.name(room)) }

// name returns the channel of a room.
func (c encoder) name(room string) string { return strings.TrimPrefix(room, c.prefix) }

func info(m *presence.Member) string {
	if m.Info == "" {
		return "{}"
	}
	return m.Info
}

// watchlistEvents is the data of a message about the users of a watchlist.
func watchlistEvents(ev protocol.Watched) string {
	type event struct {
		Name  string   `json:"name"`
		Users []string `json:"user_ids"`
	}
	var data struct {
		Events []event `json:"events"`
	}
	if len(ev.Online) > 0 {
		data.Events = append(data.Events, event{"online", ev.Online})
	}
	if len(ev.Offline) > 0 {
		data.Events = append(data.Events, event{"offline", ev.Offline})
	}
	text, _ := json.Marshal(data) // can not fail: there are only texts
	return string(text)
}

// presentMembers is the data of a subscription to a presence channel.
func presentMembers(s *presence.Snapshot) string {
	size := 0
	for _, m := range s.Members {
		size += len(m.Key) + len(info(m)) + 8
	}
	ids, hash := make([]byte, 0, size), make([]byte, 0, size)
	for i, m := range s.Members {
		if i > 0 {
			ids, hash = append(ids, ','), append(hash, ',')
		}
		ids, hash = protocol.AppendString(ids, m.Key), protocol.AppendString(hash, m.Key)
		hash = append(append(hash, ':'), info(m)...)
	}
	return `{"presence":{"ids":[` + string(ids) + `],"hash":{` + string(hash) + `},"count":` + strconv.Itoa(s.Count) + `}}`
}

// appendMessage appends a published event. A name that the protocol itself uses would make clients
// believe what is not true; no app can publish it, and other dialects have no such names.
func (c encoder) appendMessage(dst []byte, m *hub.Message) []byte {
	event := m.Event
	switch {
	case event == "":
		event = "message"
	case isInternal(event):
		return dst
	}
	dst = protocol.AppendString(append(dst, `{"event":`...), event)
	name := c.name(m.Channel)
	dst = protocol.AppendString(append(dst, `,"channel":`...), name)
	dst = append(dst, `,"data":`...)
	if len(m.Content) == 0 {
		dst = append(dst, `"null"`...)
	} else {
		dst = protocol.AppendString(dst, string(m.Content))
	}
	if m.Sender != "" && isClientEvent(event) && isPresence(name) {
		dst = protocol.AppendString(append(dst, `,"user_id":`...), m.Sender)
	}
	return append(dst, '}')
}

func isInternal(event string) bool {
	return strings.HasPrefix(event, "pusher:") || strings.HasPrefix(event, "pusher_internal:")
}

func appendFrame(dst []byte, f frame) []byte {
	dst = protocol.AppendString(append(dst, `{"event":`...), f.event)
	if f.channel != "" {
		dst = protocol.AppendString(append(dst, `,"channel":`...), f.channel)
	}
	// With the escapes of a string: the members of a large channel are much, and for one client alone.
	dst = append(slices.Grow(dst, len(f.data)+len(f.data)/3+16), `,"data":`...)
	if f.object {
		return append(append(dst, f.data...), '}')
	}
	return append(protocol.AppendString(dst, f.data), '}')
}

// AppendPing implements [hub.Encoder]. The transport has pings, which browsers answer even in
// tabs that they slow down.
func (encoder) AppendPing(dst []byte) []byte { return dst }
