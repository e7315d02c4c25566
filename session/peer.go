package session

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Peer is who is at the other end of a connection. It must not share the memory of
// a request, which it outlives, and is not changed once a session was opened for
// it.
type Peer struct {
	// User is the id of the user; empty means anonymous.
	User string
	// IP is the client's address; the zero Addr is not counted.
	IP netip.Addr
	// Info is what the others may know of the user, a JSON object; may be nil.
	Info json.RawMessage
	// Claims and Grants are those of the peer's token, see [policy.Subject].
	Claims map[string]string
	Grants policy.Grants
	// TokenID names the token (jti); may be empty.
	TokenID string
	// Issued is when the token was made. Without a token it is when the peer was
	// recognized, for which [Registry.Open] puts the present.
	Issued time.Time
	// AsOf is when it was found out who the peer is and that it may come in. What has
	// happened to the user since was not known then: a kick covers it. Zero stands for
	// when [Registry.Open] is called.
	AsOf time.Time
	// Expires is when the token ends; zero without one. The connection ends with it
	// unless the client renews it.
	Expires time.Time
	// Realm names the one that the connection came through, see [Config].
	Realm string
	// Handshake is for [auth.Question].
	Handshake string
}

// As gives the peer with the identity of a token in place of its own. A grant that
// means nothing is an error.
func (p *Peer) As(id auth.Identity) (Peer, error) {
	grants, err := compileGrants(id.Grants)
	if err != nil {
		return Peer{}, err
	}
	return Peer{
		User: id.User, Info: id.Info, Claims: id.Claims, Grants: grants,
		TokenID: id.ID, Issued: id.Issued, Expires: id.Expires,
		IP: p.IP, Realm: p.Realm, Handshake: p.Handshake, AsOf: p.AsOf,
	}, nil
}

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

// From is what the peer's address is counted by; zero without one.
func (p *Peer) From() netip.Addr { return network(p.IP) }

// Caller is the peer as one who asks for something.
func (p *Peer) Caller() Caller {
	return Caller{User: p.User, Claims: p.Claims, Grants: p.Grants, IP: p.IP, Realm: p.Realm, Handshake: p.Handshake}
}

// Known reports whether the peer has said who it is, be it with a token that names
// no user.
func (p *Peer) Known() bool { return p.User != "" || !p.Expires.IsZero() }

// Identity is what revocations look at. A peer without a token was recognized at AsOf,
// or at present.
func (p *Peer) Identity() auth.Identity {
	id := auth.Identity{User: p.User, ID: p.TokenID, Issued: p.Issued, Expires: p.Expires}
	if id.Expires.IsZero() && id.Issued.IsZero() {
		if id.Issued = p.AsOf; p.AsOf.IsZero() {
			id.Issued = time.Now()
		}
	}
	return id
}
