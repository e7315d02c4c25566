package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// channelHandler is the block laravel_echo. It asks what a page with Laravel Echo would ask: the
// route /broadcasting/auth of the app.
type channelHandler struct{ handler }

var _ session.ChannelHandler = (*channelHandler)(nil)

func newChannelHandler(ctx caddy.Context, c *config.LaravelEcho, calls *tally.Calls) (*channelHandler, error) {
	settings, err := c.Compile()
	if err != nil {
		return nil, err
	}
	h := new(channelHandler)
	h.handler, err = newHandler(ctx, "laravel_echo", "/broadcasting", "auth", "channel", settings, calls)
	return h, err
}

// HandleChannel implements [session.ChannelHandler].
func (h *channelHandler) HandleChannel(ctx context.Context, who session.Client, q session.ChannelQuestion) (*session.PassMember, error) {
	header := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}, "X-Requested-With": {"XMLHttpRequest"},
	}
	for name, value := range q.Headers {
		header.Set(name, value)
	}
	form := url.Values{"channel_name": {q.Channel}, "socket_id": {who.Connection}}
	a, err := h.post(ctx, who, map[string]string{"channel": q.Channel}, header, []byte(form.Encode()), false)
	var rejected *protocol.Error
	if errors.As(err, &rejected) && a.Status/100 == 4 {
		rejected.HTTPStatus = a.Status
	}
	if err != nil {
		return nil, err
	}
	return channelMember(&a, q)
}

// channelMember reads the answer, whatever type it says of itself: Laravel calls its JSON a page. Only a
// channel with presence has a member in it.
func channelMember(a *askapp.Answer, q session.ChannelQuestion) (*session.PassMember, error) {
	unusable := func(why string) error {
		return fmt.Errorf("%w: the channel %s: %s", session.ErrAnswer, protocol.Quote(q.Channel), why)
	}
	if a.Long || auth.CheckJSON(a.Body) != nil {
		return nil, unusable("it is not JSON, or longer than max_answer")
	}
	if string(a.Body) == "false" || string(a.Body) == "null" {
		return nil, protocol.Errorf(protocol.Forbidden, "the app does not allow it")
	}
	if !q.Presence {
		return nil, nil
	}
	var said struct {
		Data json.RawMessage `json:"channel_data"`
	}
	if json.Unmarshal(a.Body, &said) != nil || len(said.Data) == 0 {
		return nil, unusable("it has no channel_data")
	}
	var text string
	if json.Unmarshal(said.Data, &text) == nil { // as other drivers of Laravel write it
		said.Data = json.RawMessage(text)
	}
	return memberOf(said.Data, unusable)
}

// What the app may say about a member, in bytes.
const (
	maxMember     = 128
	maxMemberInfo = 4096
)

// memberOf reads channel_data.
func memberOf(data json.RawMessage, unusable func(string) error) (*session.PassMember, error) {
	var m struct {
		ID   json.RawMessage `json:"user_id"`
		Info json.RawMessage `json:"user_info"`
	}
	if auth.CheckJSON(data) != nil || json.Unmarshal(data, &m) != nil {
		return nil, unusable("its channel_data is not an object")
	}
	id := ""
	if json.Unmarshal(m.ID, &id) != nil {
		var number json.Number // as it is written: it may have more digits than a float
		_ = json.Unmarshal(m.ID, &number)
		id = number.String()
	}
	info, e := protocol.DecodeContent(m.Info)
	switch {
	case id == "" || len(id) > maxMember:
		return nil, unusable("its user_id is not an id of 1 to 128 bytes")
	case len(m.Info) == 0 || string(m.Info) == "null" || e == nil && string(info) == "[]": // an empty array of PHP
		return &session.PassMember{ID: id}, nil
	case e != nil || info[0] != '{' || len(info) > maxMemberInfo:
		return nil, unusable("its user_info is not an object of at most 4096 bytes")
	}
	return &session.PassMember{ID: id, Info: info}, nil
}
