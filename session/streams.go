package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Streams carries out what the client of an event stream requests over HTTP, because a stream goes
// one way. A request has the secret of the stream, which `connected` has told its client.
//
// The secret of a stream is the name of its node, the id of its connection, and a proof. The proof is
// random, and the id is its hash. So every node can check a secret without a question to another one, also
// when the stream is over, and rejects a wrong one before anything is looked up. The id alone is no secret:
// the members of a room see the ids of anonymous ones.
type Streams struct {
	// Static before the first session is opened.
	rules    *current
	rates    *Rates
	sessions *sessions
	node     string
	others   Forwarder // nil: there are no other nodes
}

// Forwarder is an optional ability of a [Control]: to hand a request to one other node. Without it
// there are only the streams of this node.
type Forwarder interface {
	// Forward hands a request to a node and waits a moment for the reply. An error wraps
	// [hub.ErrUnavailable]; the node may have carried out the request all the same.
	Forward(ctx context.Context, node string, request []byte) ([]byte, error)
	// Node returns the name of this node, as the other nodes know it.
	Node() string
}

// init is called by New.
func (t *Streams) init(r *Registry) {
	t.rules, t.rates, t.sessions, t.node = &r.rules, &r.Rates, &r.sessions, r.Inspection.node.Name
}

const (
	// proofSize is the length of a proof in letters and digits of five bits each.
	proofSize = 26
	// idSize is the length of the id of a stream. It has 130 bits, so that nobody finds another proof of it.
	idSize = 26
	// maxNode and maxSecret bound the name of a node and a secret with it, in bytes.
	maxNode   = 32
	maxSecret = maxNode + 1 + idSize + 1 + proofSize
)

// secret returns the secret of a stream of this node.
func (t *Streams) secret(proof string) string {
	return t.node + "." + streamID(proof) + "." + proof
}

// newProof returns the proof of a new stream.
func newProof() string { return strings.ToLower(rand.Text()[:proofSize]) }

// streamID returns the id of the connection of a stream.
func streamID(proof string) string {
	sum := sha256.Sum256([]byte("caddy-realtime stream " + proof))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:idSize])
}

// secretParts is what a secret consists of.
type secretParts struct{ node, connection, proof string }

// parseSecret returns false if a text is no secret: if it has another form, or the proof is not that of the
// connection.
func parseSecret(s string) (n secretParts, ok bool) {
	if len(s) > maxSecret {
		return n, false
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return n, false
	}
	n = secretParts{parts[0], parts[1], parts[2]}
	return n, validNode(n.node) && n.proves()
}

func (p *secretParts) proves() bool {
	return len(p.proof) == proofSize && streamID(p.proof) == p.connection
}

// validNode reports whether a text may be the name of a node. It becomes part of a name in the store.
func validNode(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= maxNode
}

// streamUpdate is a change of a member on its way to the node that has the stream.
type streamUpdate struct {
	Connection string `json:"connection"`
	Proof      string `json:"proof"`
	User       string `json:"user,omitempty"`
	Realm      string `json:"realm,omitempty"`
	Channel    string `json:"channel"`
	Status     string `json:"status,omitempty"`
	// Info is a JSON object as bytes, because JSON in JSON may get longer than a room allows.
	Info []byte `json:"info,omitempty"`
}

// MayUpdate decides whether a caller may update members by [Streams.Update] at all. Errors are
// FORBIDDEN and UNAUTHORIZED.
func (t *Streams) MayUpdate(c Caller) *protocol.Error {
	if c.App {
		return protocol.Errorf(protocol.Forbidden, "a stream belongs to a client, and this request has an API key")
	}
	return t.rules.Load().mustAuthenticate(c.who())
}

// Update changes what the client of a stream says about itself in a room, on whichever node the stream
// is. Errors are those of [Streams.MayUpdate] and [Session.Update], RATE_LIMITED, FORBIDDEN if the
// stream is one of another user, and UNAVAILABLE if its node can not be reached. NOT_SUBSCRIBED is also
// the answer to a wrong secret and for a stream that is over.
func (t *Streams) Update(ctx context.Context, c Caller, q protocol.StreamPresence) *protocol.Error {
	if e := t.MayUpdate(c); e != nil {
		return e
	}
	if e := t.rates.spend(c); e != nil {
		return e
	}
	if err := q.Change().Check(); err != nil {
		return protocol.Errorf(protocol.InvalidMessage, "%s", err)
	}
	to, ok := parseSecret(q.Secret)
	if !ok {
		return noStream()
	}
	u := streamUpdate{to.connection, to.proof, c.who().User, c.who().Realm, q.Channel, q.Status, q.Info}
	switch {
	case to.node == t.node:
		return t.update(u)
	case t.others == nil:
		return noStream()
	}
	return t.forward(ctx, to.node, u)
}

// asStream returns the caller of a request over HTTP with the stream whose secret the request has. An
// anonymous client has the same name in such a request as on its stream. A user has a name already. Without
// a secret, asStream returns the caller. Errors are INVALID_MESSAGE for a wrong secret, and FORBIDDEN for the
// app. A stream that is over is none.
func (c Caller) asStream(secret string) (Caller, *protocol.Error) {
	if secret == "" {
		return c, nil
	}
	if c.App {
		return c, protocol.Errorf(protocol.Forbidden, "the field \"secret\" is for the client of a stream, and this request has an API key")
	}
	parts, ok := parseSecret(secret)
	if !ok {
		return c, protocol.Errorf(protocol.InvalidMessage, "the field \"secret\" is not the secret of a stream; send the one of the event \"connected\", or none")
	}
	if c.User() == "" {
		c.stream = parts.connection
	}
	return c, nil
}

// noStream is the answer to a wrong secret too, so that nobody learns which streams there are.
func noStream() *protocol.Error {
	return protocol.Errorf(protocol.NotSubscribed, "no stream has this secret; a stream that was opened again has another one")
}

// update carries out an update on this node. It does not block.
func (t *Streams) update(u streamUpdate) *protocol.Error {
	if p := (secretParts{t.node, u.Connection, u.Proof}); !p.proves() {
		return noStream()
	}
	s := t.sessions.stream(u.Connection)
	if s == nil {
		return noStream()
	}
	if p := s.who(); p.User != u.User || p.Realm != u.Realm {
		return protocol.Errorf(protocol.Forbidden, "the stream belongs to another user; send the credentials of the stream")
	}
	e := s.Update(u.Channel, protocol.Appearance{Status: u.Status, Info: u.Info})
	if s.followed() && e == nil {
		s.tell("presence updated", "channel", u.Channel)
	}
	return e
}

// forwardReply is the reply of the node that has the stream: an error, or nothing.
type forwardReply struct {
	Code    protocol.Code `json:"code,omitempty"`
	Message string        `json:"message,omitempty"`
	// RetryAfter is in milliseconds.
	RetryAfter int64 `json:"retryAfter,omitempty"`
}

// forward hands an update to the node that has the stream.
func (t *Streams) forward(ctx context.Context, node string, u streamUpdate) *protocol.Error {
	body, err := json.Marshal(forwarded{Presence: &u})
	var answer []byte
	if err == nil {
		answer, err = t.others.Forward(ctx, node, body)
	}
	var reply forwardReply
	if err == nil {
		err = json.Unmarshal(answer, &reply)
	}
	switch {
	case err != nil:
		t.rules.Load().log.Debug("the node of a stream could not be reached", "node", node, "error", err)
		return retry(protocol.Unavailable, "the server that has the stream does not answer; if the stream breaks, send this again on the next one", time.Second, 3*time.Second)
	case reply.Code == "":
		return nil
	}
	e := protocol.Errorf(reply.Code, "%s", reply.Message)
	e.RetryAfter = time.Duration(reply.RetryAfter) * time.Millisecond
	return e
}
