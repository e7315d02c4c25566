package api

import (
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Turn is what a route says about TURN servers. The zero Turn gives nobody credentials.
type Turn struct {
	Servers *auth.TURN
	// Anyone gives credentials to clients that are not signed in as well.
	Anyone bool
}

// iceServers is the answer. It is also the configuration of an RTCPeerConnection.
type iceServers struct {
	Servers []iceServer `json:"iceServers"`
	// Expires is when the credentials expire, in milliseconds.
	Expires int64 `json:"expires"`
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// nobodyInParticular is the user in the credentials of anonymous clients.
const nobodyInParticular = "anonymous"

// turn is POST /turn. A route without TURN servers answers 204 and not an error, because a page asks to find out, and a
// browser writes each error into the console.
func turn(c *call) *protocol.Error {
	if e := c.enter(c.o.Turn.may); e != nil {
		return e
	}
	if c.o.Turn.Servers == nil {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	user := c.o.Caller.User()
	if user == "" {
		user = nobodyInParticular
	}
	t := c.o.Turn.Servers
	name, password, expires := t.Credentials(user, time.Now())
	answer := iceServers{Expires: expires.UnixMilli()}
	if len(t.Open) > 0 {
		answer.Servers = append(answer.Servers, iceServer{URLs: t.Open})
	}
	if len(t.Relays) > 0 {
		answer.Servers = append(answer.Servers, iceServer{URLs: t.Relays, Username: name, Credential: password})
	}
	return c.replyValue(answer)
}

// may decides who gets credentials. A relay costs its owner bandwidth, so that being able to
// connect is not enough.
func (t Turn) may(by session.Caller) *protocol.Error {
	switch {
	case by.App:
		return protocol.Errorf(protocol.Forbidden, "credentials for TURN are for clients, and this request has an API key")
	case t.Servers != nil && by.User() == "" && !t.Anyone:
		return protocol.Errorf(protocol.Unauthorized, "only users get credentials for TURN; sign in first")
	}
	return nil
}
