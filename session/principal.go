package session

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Principal is the client at the other end of a connection or a request, as the server
// knows it. It is immutable and held by pointer: sessions, callers and the policy share
// one, and a renewed token makes another one. It must not share the memory of a request,
// which it outlives.
//
// Three structs that look like it stay, because their packages must not import this
// one: [auth.Identity] is what a token says, before anybody knows the connection;
// presence.Who and hub.Address are the two ids, user and connection, by which the core
// finds a member or an addressee.
type Principal struct {
	// Subject has User, Claims and Grants: what the policy decides by.
	policy.Subject
	// IP is the client's address; the zero Addr is not counted.
	IP netip.Addr
	// Info is what other members may know about the user, a JSON object; may be nil.
	Info json.RawMessage
	// TokenID names the token (jti); may be empty.
	TokenID string
	// Issued is when the token was issued. Without a token it is when the client was
	// recognized; [Registry.Open] fills it in.
	Issued time.Time
	// AsOf is when the server found out who the client is and accepted it. A kick after
	// this time covers the principal, because the server did not know of it then. Zero
	// means the time of [Registry.Open].
	AsOf time.Time
	// Expires is when the token expires, with the leeway; zero without a token. The
	// connection is closed then, unless the client renews the token.
	Expires time.Time
	// Realm names the realm that the client came through, see [Config].
	Realm string
	// Handshake identifies the handshake, see [auth.Question]; empty if the realm did not
	// ask the app then.
	Handshake string
	// Trace is the span of the handshake; nil if it is not traced. What the connection does
	// has links to it.
	Trace *tracing.Origin
}

// As returns a principal with the identity of a token in place of p's own, which was
// recognized at asOf. A grant that means nothing is an error.
func (p *Principal) As(id auth.Identity, asOf time.Time) (*Principal, error) {
	grants, err := compileGrants(id.Grants)
	if err != nil {
		return nil, err
	}
	return &Principal{
		Subject: policy.Subject{User: id.User, Claims: id.Claims, Grants: grants},
		Info:    id.Info, TokenID: id.ID, Issued: id.Issued, Expires: id.Expires,
		IP: p.IP, Realm: p.Realm, Handshake: p.Handshake, AsOf: asOf,
	}, nil
}

// compileGrants checks the grants of a token or of the app's answer.
func compileGrants(list []auth.Grant) (policy.Grants, error) {
	grants := make([]policy.Grant, len(list))
	for i, g := range list {
		grants[i] = policy.Grant(g)
	}
	compiled, err := policy.CompileGrants(grants)
	if err != nil {
		return policy.Grants{}, fmt.Errorf("session: granted channels: %w", err)
	}
	return compiled, nil
}

// dated returns p with its times filled in: p itself if none was missing. Nil is an
// anonymous client without an address.
func (p *Principal) dated(now time.Time) *Principal {
	if p == nil {
		p = &nobody
	}
	next := *p
	if p.AsOf.IsZero() {
		next.AsOf = now
	}
	next.Issued = next.Identity().Issued
	if next.AsOf.Equal(p.AsOf) && next.Issued.Equal(p.Issued) {
		return p
	}
	return &next
}

// From is the address by which the principal is counted; zero without one.
func (p *Principal) From() netip.Addr { return network(p.IP) }

// Known reports whether the client has said who it is, even with a token that names no
// user.
func (p *Principal) Known() bool { return p.User != "" || !p.Expires.IsZero() }

// Identity is what revocations are compared with. Without a token, Issued is AsOf, or now if
// AsOf is zero.
func (p *Principal) Identity() auth.Identity {
	id := auth.Identity{User: p.User, ID: p.TokenID, Issued: p.Issued, Expires: p.Expires}
	if id.Expires.IsZero() && id.Issued.IsZero() {
		if id.Issued = p.AsOf; p.AsOf.IsZero() {
			id.Issued = time.Now()
		}
	}
	return id
}

// Caller is a principal that wants to do something, and how it came: by a session's
// connection, or by a request to the HTTP API. It is small and passed by value.
type Caller struct {
	// Principal may be nil, which stands for an anonymous client without an address.
	Principal *Principal
	// Connection is the id of the connection; empty for the HTTP API.
	Connection string
	// App says that the caller is the app itself, with its API key. It may do everything
	// that its Scope covers, and no rate applies. The size of a message is bounded as for
	// everyone.
	App bool
	// Validate makes the room's rules about content apply to what the app publishes.
	// They always apply to everyone else.
	Validate bool

	pass *Pass // what counts for the channel alone; nil for nothing

	paid bool // see Rates.Charge

	stream string // the connection of the stream whose secret an anonymous request has, see Streams; may be empty

	conn *hub.Conn // whose reader the caller is; nil outside of Session.Receive

	// Key identifies the API key, and is not the key itself. It is the same on all nodes
	// and after reloads, because idempotency keys count for the API key that sent them.
	Key string
	// Scope bounds what the app's key may do; nil means no bound.
	Scope *policy.Scope
}

// nobody stands for the principal that a Caller does not have.
var nobody Principal

// who returns the principal, which is never nil.
func (c *Caller) who() *Principal {
	if c.Principal == nil {
		return &nobody
	}
	return c.Principal
}

// User is the id of the caller's user; empty means anonymous.
func (c Caller) User() string { return c.who().User }
