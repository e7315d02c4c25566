package api

import (
	"net/http"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// explain is GET /explain.
func explain(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	query := c.r.URL.Query()
	q := session.ExplainQuery{
		Channel: query.Get("channel"), Word: query.Get("action"),
		User: query.Get("user"), Token: query.Get("token"), Realm: query.Get("realm"),
	}
	switch pattern := query.Has("pattern"); {
	case pattern == query.Has("channel"):
		return protocol.Errorf(protocol.InvalidMessage, "either the parameter channel or the parameter pattern is needed")
	case pattern:
		if q.Channel = query.Get("pattern"); !protocol.IsPattern(q.Channel) {
			return protocol.Errorf(protocol.InvalidMessage, "the parameter pattern has no segment *: explain it as a channel")
		}
	case protocol.IsPattern(q.Channel):
		return protocol.Errorf(protocol.InvalidMessage, "the parameter channel has a segment *: explain it as a pattern")
	}
	if q.User != "" && q.Token != "" {
		return protocol.Errorf(protocol.InvalidMessage, "the parameters user and token exclude each other")
	}
	if q.Word == "" {
		q.Word = "subscribe"
	}
	var err error
	if q.Action, err = policy.ParseAction(q.Word); err != nil {
		return protocol.Errorf(protocol.InvalidMessage, "the parameter action: %s", err)
	}
	if query.Has("pattern") && q.Action != policy.Subscribe {
		return protocol.Errorf(protocol.InvalidMessage, "the parameter action: clients can only subscribe to a pattern")
	}
	if exists, paths := c.o.Registry.Realms(q.Realm); !exists {
		e := protocol.Errorf(protocol.InvalidMessage, "there is no realm %s; this hub has the realms %s", protocol.Quote(q.Realm), strings.Join(paths, ", "))
		e.HTTPStatus = http.StatusNotFound
		return e
	}
	if q.Realm == "" {
		q.Realm = c.o.Realm
	}
	return c.replyValue(c.o.Registry.Explain(c.r.Context(), q))
}
