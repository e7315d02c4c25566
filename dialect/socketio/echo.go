package socketio

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// echoEvents are what Laravel Echo sends by its broadcaster `socket.io`.
var echoEvents = map[string]func(*Dialect, *session.Session, *event) *protocol.Error{
	"subscribe":    echoSubscribe,
	"unsubscribe":  echoUnsubscribe,
	"client event": echoWhisper,
}

// echoHeaders are the headers that pages may give the app. Others would let a page pretend what
// proxies say about it.
var echoHeaders = []string{"Authorization", "X-Csrf-Token", "X-Xsrf-Token"}

// echoFrame is the argument of the events.
type echoFrame struct {
	Channel string `json:"channel"`
	Auth    struct {
		Headers map[string]any `json:"headers"`
	} `json:"auth"`
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// headers returns those headers that the app gets.
func (f *echoFrame) headers() map[string]string {
	all := make(map[string]string)
	for name, value := range f.Auth.Headers {
		text, ok := value.(string)
		if name = http.CanonicalHeaderKey(name); !ok || strings.ContainsAny(text, "\r\n\x00") {
			continue
		}
		for _, allowed := range echoHeaders {
			if name == allowed {
				all[name] = text
			}
		}
	}
	return all
}

// echoArgument reads the argument of an event, and finds the room of its channel.
func echoArgument(d *Dialect, ev *event) (f echoFrame, room string, e *protocol.Error) {
	if len(ev.args) == 0 || json.Unmarshal(ev.args[0], &f) != nil {
		return f, "", noRoomName()
	}
	room, e = d.server.room(ev.in.Name, f.Channel)
	return f, room, e
}

const (
	echoPrivate  = "private-"
	echoPresence = "presence-"
)

// echoSubscribe handles `subscribe`. The app is asked about channels that are not public. The client
// learns only of a rejection.
func echoSubscribe(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	f, room, e := echoArgument(d, ev)
	if e == nil {
		e = echoJoin(s, &f, room)
	}
	if e == nil {
		s.Conn().Send(done(ev.packet, ""))
		return nil
	}
	s.Conn().Send(packetOf(ev.in.Name, "subscription_error", protocol.AppendString(nil, f.Channel), strconv.AppendInt(nil, int64(e.Status()), 10)))
	return e
}

func echoJoin(s *session.Session, f *echoFrame, room string) *protocol.Error {
	present := strings.HasPrefix(f.Channel, echoPresence)
	o := session.SubscribeOptions{}
	if present || strings.HasPrefix(f.Channel, echoPrivate) {
		member, e := s.AskChannel(s.Context(), session.ChannelQuestion{Channel: f.Channel, Headers: f.headers(), Presence: present})
		if e != nil {
			return e
		}
		o.Pass = &session.Pass{Publish: true, Member: member}
	}
	if present {
		o.Members = func(members *presence.Snapshot) []hub.Event {
			return []hub.Event{protocol.PresenceEvent{Frame: members}}
		}
	}
	e := s.Subscribe(s.Context(), protocol.Subscribe{Channel: room}, o)
	if e == nil || e.Code != protocol.AlreadySubscribed { // Echo subscribes again when it has reconnected
		return e
	}
	if present {
		return s.ShowMembers(room, o.Members)
	}
	return nil
}

func echoUnsubscribe(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	_, room, e := echoArgument(d, ev)
	if e != nil {
		return e
	}
	_ = s.Unsubscribe(room, nil) // a client that is not subscribed has what it wants
	s.Conn().Send(done(ev.packet, ""))
	return nil
}

// echoWhisper handles `client event`: from one member of a channel that is not public to the others.
func echoWhisper(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	f, room, e := echoArgument(d, ev)
	switch {
	case e != nil:
		return e
	case !strings.HasPrefix(f.Event, "client-"):
		return protocol.Errorf(protocol.Forbidden, "a client event begins with client-")
	case !strings.HasPrefix(f.Channel, echoPrivate) && !strings.HasPrefix(f.Channel, echoPresence):
		return protocol.Errorf(protocol.Forbidden, "client events are for private channels and those with presence")
	case !s.Conn().In(room):
		return protocol.Errorf(protocol.NotSubscribed, "the client has not subscribed to %s", protocol.Quote(f.Channel))
	}
	if e := checkEvent(f.Event); e != nil {
		return e
	}
	if f.Data == nil {
		f.Data = json.RawMessage("null")
	}
	whisper := *ev
	whisper.name = f.Event
	return d.publish(s, &whisper, outgoing{room: room, args: [][]byte{f.Data}, volatile: true})
}

// echoMembers makes the event with which a client learns who is there.
func echoMembers(namespace, name string, members []*presence.Member) []hub.Event {
	list := []byte{'['}
	for i, m := range members {
		if i > 0 {
			list = append(list, ',')
		}
		list = appendEchoMember(list, m)
	}
	return []hub.Event{packetOf(namespace, "presence:subscribed", protocol.AppendString(nil, name), append(list, ']'))}
}

// echoDiff makes an event of each member that has come or gone. There is none for one that has changed.
func echoDiff(namespace, name string, d *presence.Diff) []hub.Event {
	all := []hub.Event{}
	channel := protocol.AppendString(nil, name)
	add := func(event string, members []*presence.Member) {
		for _, m := range members {
			all = append(all, packetOf(namespace, event, channel, appendEchoMember(nil, m)))
		}
	}
	add("presence:leaving", d.Left)
	add("presence:joining", d.Entered)
	return all
}

func appendEchoMember(dst []byte, m *presence.Member) []byte {
	dst = protocol.AppendString(append(dst, `{"user_id":`...), m.Key)
	info := m.Info
	if info == "" {
		info = "{}"
	}
	return append(append(append(dst, `,"user_info":`...), info...), '}')
}
