package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// streamMember is an event stream whose client is a member of a channel.
type streamMember struct {
	*stream
	r                   *run
	watcher             *client
	channel, secret, id string
}

// streamMember opens a stream, and a connection that watches its member.
func (r *run) streamMember(headers ...string) *streamMember {
	m := &streamMember{r: r, channel: r.channel(Presence)}
	m.stream, m.watcher = r.stream(url.Values{"channel": {m.channel}}, headers...), entered(r, m.channel)
	hello := decode([]byte(m.until("connected").data)).Payload
	m.until("subscribed")
	m.secret, _ = hello["secret"].(string)
	m.id, _ = hello["connection"].(string)
	if user, ok := hello["user"].(string); ok {
		m.id = user
	}
	return m
}

func (m *streamMember) update(body any, headers ...string) *http.Response {
	return m.r.request("POST", "/channels/"+url.PathEscape(m.channel)+"/presence", body, headers...)
}

// updated makes an update that succeeds.
func (m *streamMember) updated(body any, headers ...string) {
	if a := m.update(body, headers...); a.StatusCode != 200 {
		fail("an update is answered with %s", a.Status)
	}
}

// shows waits until the watcher sees the member with these fields, and no others.
func (m *streamMember) shows(fields object) {
	m.watcher.until("presence", "the member's update", func(e envelope) bool {
		info, _ := e.Payload["info"].(map[string]any)
		said, _ := info[m.id].(map[string]any)
		_, same := object(said).differs(pairs(fields)...)
		return same && len(said) == len(fields)
	})
}

func pairs(fields object) (all []any) {
	for name, value := range fields {
		all = append(all, name, value)
	}
	return all
}

var streamMemberChecks = []Check{
	{"the client of a stream updates its member with the secret of the stream", "Presence over a stream", []need{needRoom(Presence)}, func(r *run) {
		m := r.streamMember()
		a := m.update(object{"secret": m.secret, "status": "away"})
		text := answered(a, 200)
		if field, ok := text.differs("channel", m.channel); !ok {
			fail("the answer to an update lacks %s", field)
		}
		m.shows(object{"status": "away"})
		m.updated(object{"secret": m.secret, "info": object{"name": "Bob"}})
		m.shows(object{"status": "away", "name": "Bob"})
	}},
	{"a secret that no stream has is an error", "Presence over a stream", []need{needRoom(Presence)}, func(r *run) {
		m := r.streamMember()
		r.problem(m.update(object{"secret": m.id, "status": "away"}), 409, "NOT_SUBSCRIBED")
	}},
	{"each stream has a secret of its own, and it is over with the stream", "Presence over a stream", []need{needRoom(Presence), needKey}, func(r *run) {
		first, other := r.streamMember(), r.streamMember()
		if first.secret == other.secret {
			fail("two streams have the secret %q", first.secret)
		}
		r.admin("DELETE", "/connections/"+url.PathEscape(first.id), nil)
		ended(first.stream, 4403, false)
		r.problem(first.update(object{"secret": first.secret, "status": "away"}), 409, "NOT_SUBSCRIBED")
	}},
	{"a channel that the stream does not have is an error", "Presence over a stream", []need{needRoom(Presence)}, func(r *run) {
		m := r.streamMember()
		if m.channel = r.channel(Presence); !strings.HasSuffix(r.target.Rooms[Presence], "*") {
			panic(absence("needs --presence with a * at the end"))
		}
		r.problem(m.update(object{"secret": m.secret, "status": "away"}), 409, "NOT_SUBSCRIBED")
	}},
	{"a channel without presence has no members to update", "Presence over a stream", []need{needRoom(Presence), needRoom(Plain)}, func(r *run) {
		m, channel := r.streamMember(), r.channel(Plain)
		s := r.stream(url.Values{"channel": {channel}})
		m.secret, _ = decode([]byte(s.until("connected").data)).Payload["secret"].(string)
		m.channel = channel
		s.until("subscribed")
		r.problem(m.update(object{"secret": m.secret, "status": "away"}), 403, "FORBIDDEN")
	}},
	{"the API key does not update a member", "Presence over a stream", []need{needRoom(Presence), needKey}, func(r *run) {
		m := r.streamMember()
		r.problem(m.update(object{"secret": m.secret, "status": "away"}, "Authorization", "Bearer "+r.target.Key), 403, "FORBIDDEN")
	}},
	{"an update is bounded, and not empty", "Presence over a stream", []need{needRoom(Presence)}, func(r *run) {
		m := r.streamMember()
		for _, update := range []object{
			{"status": strings.Repeat("x", 33)}, {"status": 1}, {"info": "x"}, {"info": object{"x": strings.Repeat("x", 1024)}}, {},
		} {
			update["secret"] = m.secret
			r.problem(m.update(update), 400, "INVALID_MESSAGE")
		}
	}},
}

// answered checks the status of an answer and returns its body.
func answered(a *http.Response, status int) (body object) {
	if a.StatusCode != status {
		fail("%s %s is answered with %s, not with %d", a.Request.Method, a.Request.URL.Path, a.Status, status)
	}
	if err := json.NewDecoder(a.Body).Decode(&body); err != nil {
		fail("%s %s is answered with a body that is not JSON: %v", a.Request.Method, a.Request.URL.Path, err)
	}
	return body
}
