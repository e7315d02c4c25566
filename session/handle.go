package session

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Client is the client that the app is asked about.
type Client struct {
	User string
	// Connection is the id of the connection; empty over the HTTP API.
	Connection string
	// Handshake is that of the [Principal].
	Handshake string
	// From is the address by which the client is counted; the zero Addr is unknown.
	From netip.Addr
}

// MessageHandler asks the app about what clients publish. Errors are an [*protocol.Error], by
// which the app rejects the message, one that wraps [ErrAnswer], or another one if there is no
// answer. Several goroutines may call it at once. It bounds how long it takes.
type MessageHandler interface {
	// Handles reports whether the app is asked about messages in a channel.
	Handles(channel string) bool
	// HandleMessage returns the message as the app wants it published. taken says that nothing
	// is to be published. The wait for a turn ends with ctx; a request to the app does not.
	HandleMessage(ctx context.Context, who Client, p protocol.Publish) (said protocol.Publish, taken bool, err error)
}

// ErrAnswer means that the app has answered, and that the answer can not be used.
var ErrAnswer = errors.New("session: the answer of the app can not be used")

// client returns the client as the app is asked about it.
func (c Caller) client() Client {
	p := c.who()
	return Client{User: p.User, Connection: c.Connection, Handshake: p.Handshake, From: p.From()}
}

// messageHandler returns what asks the app about a message of a caller; nil if nothing does.
func (u *rules) messageHandler(c Caller, channel string) MessageHandler {
	h := u.realms[c.who().Realm].Messages
	if c.App || h == nil || !h.Handles(channel) {
		return nil
	}
	return h
}

// handled is a message that has passed all checks, and what asks the app about it.
type handled struct {
	handler MessageHandler
	rules   *rules
	room    *policy.Room
	caller  Caller
	said    protocol.Publish // by the client, with the content as the room wants it
	message *hub.Message
}

// publishHandled asks the app and publishes what it answers. A repeat on this node gets the
// answer to the first message.
func (p *Publishing) publishHandled(ctx context.Context, h handled) (hub.Published, *protocol.Error) {
	key := scoped(h.caller, h.said.Key)
	if key == "" {
		return p.askAndPublish(ctx, h, key)
	}
	// Like a broker, it separates the keys of messages to one member.
	k := answerKey{channel: h.said.Channel, key: key, direct: h.said.To != nil}
	return p.answers.once(ctx, k, h.message.Digest(), func() (hub.Published, *protocol.Error) {
		return p.askAndPublish(ctx, h, key)
	})
}

// publishTime bounds the publish of what the app has answered.
const publishTime = 10 * time.Second

// askAndPublish asks the app and publishes what it answers.
func (p *Publishing) askAndPublish(ctx context.Context, h handled, key string) (hub.Published, *protocol.Error) {
	said, taken, err := h.handler.HandleMessage(ctx, h.caller.client(), h.said)
	if err != nil {
		return hub.Published{}, p.rules.unanswered(ctx, "message", h.said.Channel, err)
	}
	if taken {
		return hub.Published{}, nil
	}
	m := h.message
	if e := h.replace(m, said); e != nil {
		return hub.Published{}, p.rules.unanswered(ctx, "message", h.said.Channel, errors.Join(ErrAnswer, e))
	}
	// The app may have stored the message: it is published even if the client is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTime)
	defer cancel()
	return p.send(ctx, h.caller, m, key)
}

// replace puts what the app has answered into the message. The room's rules hold for it.
func (h *handled) replace(m *hub.Message, said protocol.Publish) *protocol.Error {
	m.First = m.Digest()
	if len(said.Content) > h.rules.limits.MessageSize {
		return protocol.Errorf(protocol.TooLarge, "content is larger than %d bytes", h.rules.limits.MessageSize)
	}
	content, e := h.room.Check(said.Content)
	if e != nil {
		return e
	}
	m.Content, m.Event, m.Tags = content, said.Event, said.Tags
	return nil
}

// unanswered turns an error of a handler into one for the client. Unless the app has rejected
// what the client wants, it logs the error.
func (c *current) unanswered(ctx context.Context, what, about string, err error) *protocol.Error {
	u, rejected := c.Load(), (*protocol.Error)(nil)
	switch {
	case errors.Is(err, ErrAnswer):
		u.log.Log(ctx, u.loudness(ctx, unusable), "the answer of the app can not be used", "what", what, "about", about, "error", err)
		return protocol.Errorf(protocol.Internal, "the app has answered what the server can not use; the server's log says why")
	case errors.As(err, &rejected):
		return rejected
	}
	u.log.Log(ctx, u.loudness(ctx, silent), "the app did not answer", "what", what, "about", about, "error", err)
	return retry(protocol.Unavailable, "the app did not answer, try again", time.Second, 5*time.Second)
}
