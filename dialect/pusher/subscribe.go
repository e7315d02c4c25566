package pusher

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// maxUser bounds the id of a user, in bytes.
const maxUser = 128

// maxWatchlist is how many users a client may watch.
const maxWatchlist = 100

// maxUserInfo bounds what an app says about a member, in bytes.
const maxUserInfo = 4096

// subscribe handles pusher:subscribe. An error names the channel, so that the client finds the
// subscription that it is about; the connection stays.
func subscribe(d Dialect, s *session.Session, m *message) *protocol.Error {
	var q struct {
		Channel     string `json:"channel"`
		Auth        string `json:"auth"`
		ChannelData string `json:"channel_data"`
	}
	if e := m.decode(&q); e != nil {
		return e
	}
	if !valid(q.Channel) {
		return protocol.Errorf(protocol.InvalidChannel, "channel %s has a name that can not be used", protocol.Quote(q.Channel))
	}
	pass, e := d.pass(s, q.Channel, q.Auth, q.ChannelData)
	if e == nil && isPresence(q.Channel) {
		e = s.HasSpace(s.Context(), d.App.Prefix+q.Channel, pass, d.App.Members)
	}
	if e != nil {
		s.LogRejected(d.App.Prefix+q.Channel, e)
	} else {
		e = d.subscribe(s, q.Channel, pass)
	}
	if e == nil {
		return nil
	}
	s.Rejected("pusher", e)
	s.Conn().Send(subscriptionError(q.Channel, e))
	return nil
}

// subscribe puts the client into a room. The members of a presence channel are a part of the
// reply, which waits for them.
func (d Dialect) subscribe(s *session.Session, name string, pass *session.Pass) *protocol.Error {
	o, q, cache := session.SubscribeOptions{Pass: pass}, protocol.Subscribe{Channel: d.App.Prefix + name}, isCache(name)
	var latest hub.Event // of a cache channel
	if cache {
		q.History = searched
	}
	if d.App.Recover && !cache { // a cache channel sends its latest event again in any case
		o.Recover = d.App.ID
	}
	o.Reply = func(sub session.Subscribed) []hub.Event {
		switch {
		case cache:
			latest = cached(name, sub.Messages)
			if isPresence(name) {
				return nil
			}
			return []hub.Event{succeeded(name), latest}
		case isPresence(name):
			return missed(nil, sub.Messages)
		}
		return missed([]hub.Event{succeeded(name)}, sub.Messages)
	}
	if isPresence(name) {
		o.Members = func(members *presence.Snapshot) []hub.Event {
			if cache {
				return []hub.Event{protocol.PresenceEvent{Frame: members}, latest}
			}
			return []hub.Event{protocol.PresenceEvent{Frame: members}}
		}
	}
	e := s.Subscribe(s.Context(), q, o)
	if _, missed := latest.(frame); missed && e == nil {
		s.RecordMissed(q.Channel)
	}
	if e == nil || e.Code != protocol.AlreadySubscribed {
		return e
	}
	cache = false // the client has had the event
	if isPresence(name) {
		return s.ShowMembers(d.App.Prefix+name, o.Members)
	}
	s.Conn().Send(succeeded(name)) // kinder than an error to a client that reconnects
	return nil
}

// missed appends the messages that a client missed, which come before all others. In a presence channel
// they come before the list of members, for which they do not wait.
func missed(reply []hub.Event, messages []*hub.Message) []hub.Event {
	for _, m := range messages {
		reply = append(reply, m)
	}
	return reply
}

// pass verifies the signature of a subscription. Nil is what a public channel needs.
func (d Dialect) pass(s *session.Session, name, signature, data string) (*session.Pass, *protocol.Error) {
	if user, ok := strings.CutPrefix(name, ToUser); ok {
		if user != s.User() {
			return nil, protocol.Errorf(protocol.Unauthorized, "sign in as the user of this channel")
		}
		return new(session.Pass), nil
	}
	if !needsAuth(name) {
		return nil, nil
	}
	text := s.Conn().ID() + ":" + name
	if isPresence(name) && data != "" {
		text += ":" + data
	}
	if !d.App.signed(signature, text) {
		return nil, d.App.unsigned(signature)
	}
	pass := &session.Pass{Publish: d.App.ClientEvents, History: isCache(name)}
	if !isPresence(name) || data == "" && s.User() != "" {
		return pass, nil // the member is the user
	}
	var e *protocol.Error
	pass.Member, e = member(data)
	return pass, e
}

// member reads the member that an app has signed.
func member(data string) (*session.PassMember, *protocol.Error) {
	var m struct {
		ID   json.RawMessage `json:"user_id"`
		Info json.RawMessage `json:"user_info"`
	}
	if json.Unmarshal([]byte(data), &m) != nil {
		return nil, protocol.Errorf(protocol.Unauthorized, "channel_data must have a user_id")
	}
	id := text(m.ID)
	if id == "" || len(id) > maxUser {
		return nil, protocol.Errorf(protocol.Unauthorized, "channel_data must have a user_id of 1 to %d bytes", maxUser)
	}
	if len(m.Info) > maxUserInfo {
		return nil, protocol.Errorf(protocol.TooLarge, "user_info is larger than %d bytes", maxUserInfo)
	}
	if len(m.Info) > 0 && m.Info[0] != '{' {
		return nil, protocol.Errorf(protocol.Unauthorized, "user_info must be an object")
	}
	return &session.PassMember{ID: id, Info: m.Info}, nil
}

// text returns a JSON string or number as a text; empty for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

func unsubscribe(d Dialect, s *session.Session, m *message) *protocol.Error {
	var q struct {
		Channel string `json:"channel"`
	}
	if e := m.decode(&q); e != nil {
		return e
	}
	if !valid(q.Channel) {
		return protocol.Errorf(protocol.InvalidChannel, "channel %s has a name that can not be used", protocol.Quote(q.Channel))
	}
	_ = s.Unsubscribe(d.App.Prefix+q.Channel, nil) // there is no answer in this protocol
	return nil
}

// signIn handles pusher:signin. A connection that fails to sign in is closed.
func signIn(d Dialect, s *session.Session, m *message) *protocol.Error {
	var q struct {
		Auth     string `json:"auth"`
		UserData string `json:"user_data"`
	}
	if e := m.decode(&q); e != nil {
		return e
	}
	id, watchlist, ok := d.identity(s, q.Auth, q.UserData)
	if !ok {
		s.Conn().Close(hub.Reason{Code: codeUnauthorized, Text: "the sign-in is not valid"})
		return nil
	}
	e := s.Identify(s.Context(), id, func(*session.Principal) {
		data, _ := json.Marshal(map[string]string{"user_data": q.UserData})
		s.Conn().Send(frame{event: "pusher:signin_success", data: string(data)})
	})
	if e != nil {
		s.Rejected("pusher", e)
		s.Conn().Close(hub.Reason{Code: codeUnauthorized, Text: e.Message})
		return nil
	}
	d.watch(s, watchlist)
	s.Recover(s.Context())
	return nil
}

// watch watches the users of a signed watchlist. As at Pusher, those beyond the limit are left out, with an
// error.
func (d Dialect) watch(s *session.Session, users []string) {
	if !d.App.Watchlists {
		return
	}
	if len(users) > maxWatchlist {
		s.Conn().Send(errorFrame(codeWatchlist, "the watchlist has more than 100 users"))
		users = users[:maxWatchlist]
	}
	s.Watch(users)
}

// identity verifies who signs in.
func (d Dialect) identity(s *session.Session, signature, data string) (id auth.Identity, watchlist []string, ok bool) {
	var user struct {
		ID    string          `json:"id"`
		Info  json.RawMessage `json:"user_info"`
		Watch []string        `json:"watchlist"`
	}
	if !d.App.signed(signature, s.Conn().ID()+"::user::"+data) || json.Unmarshal([]byte(data), &user) != nil {
		return id, nil, false
	}
	if user.ID == "" || len(user.ID) > maxUser || len(user.Info) > maxUserInfo {
		return id, nil, false
	}
	if len(user.Info) > 0 && user.Info[0] != '{' {
		user.Info = nil
	}
	return auth.Identity{User: user.ID, Info: user.Info}, user.Watch, true
}

// subscriptionError is the answer to a subscription that is rejected.
func subscriptionError(name string, e *protocol.Error) frame {
	kind := "AuthError"
	if e.Code == protocol.LimitExceeded || e.Code == protocol.RateLimited || e.Code == protocol.TooLarge {
		kind = "LimitReached"
	}
	data := append([]byte(`{"type":"`+kind+`","error":`), protocol.AppendString(nil, e.Message)...)
	data = append(data, `,"status":`+strconv.Itoa(e.Status())+`}`...)
	return frame{event: "pusher:subscription_error", channel: name, data: string(data), object: true}
}

func succeeded(name string) frame {
	return frame{event: "pusher_internal:subscription_succeeded", channel: name, data: "{}"}
}
