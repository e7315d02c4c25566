package access

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// messageHandlers are the blocks handle_message of a route. The first one that names a channel
// handles its messages.
type messageHandlers []*messageHandler

// messageHandler is one block. Its fields are static.
type messageHandler struct {
	handler
	channels policy.Patterns
}

var _ session.MessageHandler = messageHandlers(nil)

func newMessageHandlers(ctx caddy.Context, path string, blocks []*config.HandleMessage, calls *tally.Calls) (all messageHandlers, err error) {
	for i, c := range blocks {
		if err := config.CheckOrder(blocks[:i+1]); err != nil {
			return nil, err
		}
		settings, channels, err := c.Compile()
		if err != nil {
			return nil, err
		}
		h := &messageHandler{channels: channels}
		if h.handler, err = newHandler(ctx, "handle_message", path, "message", "channel", settings, calls); err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// Handles implements [session.MessageHandler].
func (hs messageHandlers) Handles(channel string) bool { return hs.of(channel) != nil }

func (hs messageHandlers) of(channel string) *messageHandler {
	if i := slices.IndexFunc(hs, func(h *messageHandler) bool { return h.channels.Match(channel) }); i >= 0 {
		return hs[i]
	}
	return nil
}

// messageQuestion is the body of a request about a message.
type messageQuestion struct {
	Channel    string          `json:"channel"`
	Content    json.RawMessage `json:"content"`
	Event      string          `json:"event,omitempty"`
	Tags       json.RawMessage `json:"tags,omitempty"`
	To         *address        `json:"to,omitempty"`
	User       string          `json:"user,omitempty"`
	Connection string          `json:"connection,omitempty"`
	ID         string          `json:"id,omitempty"`
}

// address is the addressee of a message to one member.
type address struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
}

// HandleMessage implements [session.MessageHandler].
func (hs messageHandlers) HandleMessage(ctx context.Context, who session.Client, p protocol.Publish) (protocol.Publish, bool, error) {
	q := messageQuestion{
		Channel: p.Channel, Content: p.Content, Event: p.Event, Tags: p.Tags,
		User: who.User, Connection: who.Connection, ID: p.Key,
	}
	if p.To != nil {
		q.To = &address{p.To.User, p.To.Connection}
	}
	a, err := hs.of(p.Channel).ask(ctx, who, map[string]string{"channel": p.Channel}, q, true)
	if err != nil || a.Status == http.StatusNoContent {
		return p, err == nil, err
	}
	text, err := jsonBody(&a)
	if err != nil || text == nil {
		return p, false, err
	}
	return replaced(p, text)
}

// replaced returns a message with what an answer has in place of its parts.
func replaced(p protocol.Publish, text json.RawMessage) (protocol.Publish, bool, error) {
	var said struct {
		Content json.RawMessage `json:"content"`
		Event   *string         `json:"event"`
		Tags    json.RawMessage `json:"tags"`
	}
	err := auth.CheckJSON(text)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		return p, false, fmt.Errorf("%w: %w", session.ErrAnswer, err)
	}
	if said.Content != nil { // it is a part of a text that is compact and valid
		p.Content = said.Content
	}
	var e *protocol.Error
	if said.Event != nil {
		p.Event, e = *said.Event, protocol.ValidEvent(*said.Event)
	}
	if e == nil && len(said.Tags) > 0 && string(said.Tags) != "null" {
		p.Tags, e = protocol.DecodeTags(said.Tags)
	}
	if e != nil {
		return p, false, fmt.Errorf("%w: %s", session.ErrAnswer, e.Message)
	}
	return p, false, nil
}
