package access

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Identity finds out which client sends a request, by the options of the route. Its fields
// are static.
type Identity struct {
	Path  string            // of the route
	User  string            // placeholder for the id of the user; may be empty
	Info  map[string]string // placeholders for what others may know of the user, by name
	Realm *Realm            // nil without token and authorize
	Log   *slog.Logger
}

// Identify returns the client that sends a request: a user, or an anonymous client. A
// token that is not accepted is an error, because to ignore it would only hide the mistake.
func (i *Identity) Identify(r *http.Request) (*session.Principal, *protocol.Error) {
	client := &session.Principal{IP: ClientIP(r), Realm: OpenRealm(i.Path), AsOf: time.Now()}
	if e := i.Realm.enter(r, client); e != nil {
		return client, e
	}
	if token := i.Realm.find(r); token != "" {
		client, err := i.Realm.recognize(r.Context(), client, token)
		if err != nil {
			i.Log.Debug("token refused", "error", err)
		}
		return client, session.TokenError(err)
	}
	client.User = i.user(r)
	switch _, sent := bearer(r); {
	case sent && client.User == "":
		return client, protocol.Errorf(protocol.Unauthorized, "the key in Authorization is not an API key of this address")
	case !auth.ValidUser(client.User):
		return client, protocol.Errorf(protocol.Unauthorized, "the user id that was found for this request can not be used")
	}
	client.Info = i.info(r)
	return client, nil
}

// Anonymous returns the client of a handshake in which nothing identifies it, because pages of any
// origin may connect: what their browsers add to a request is not kept for the app either.
func (i *Identity) Anonymous(r *http.Request) (*session.Principal, *protocol.Error) {
	client := &session.Principal{IP: ClientIP(r), Realm: OpenRealm(i.Path), AsOf: time.Now()}
	plain := WithoutKey(r)
	plain.Header.Del("Cookie")
	return client, i.Realm.enter(plain, client)
}

func bearer(r *http.Request) (token string, sent bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "Bearer")
}

// user resolves the placeholder. If any part of it is unknown or empty there is no user:
// the rest would be the same for everybody.
func (i *Identity) user(r *http.Request) string {
	if i.User == "" {
		return ""
	}
	return resolve(r, i.User)
}

// info resolves the placeholders and returns a JSON object; nil if none has a value.
func (i *Identity) info(r *http.Request) json.RawMessage {
	known := make(map[string]string, len(i.Info))
	for name, placeholder := range i.Info {
		if value := resolve(r, placeholder); value != "" {
			known[name] = value
		}
	}
	if len(known) == 0 {
		return nil
	}
	text, err := json.Marshal(known) // what is not UTF-8 is replaced
	if err != nil {
		return nil // never: nothing in it can fail
	}
	return text
}

// resolve replaces the placeholders of a text for a request. It returns nothing if any of
// them is unknown or empty. The result is a copy, because it outlives the request, and may
// be a part of its headers.
func resolve(r *http.Request, text string) string {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return ""
	}
	value, err := repl.ReplaceOrErr(text, true, true)
	if err != nil {
		return ""
	}
	return strings.Clone(value)
}

// ClientIP returns the address of the client, behind the proxies that the server trusts.
func ClientIP(r *http.Request) netip.Addr {
	s, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	ip, _ := netip.ParseAddr(s) // none for Unix sockets
	return ip.Unmap()
}

// CheckInfo finds values that would be the same for everybody.
func CheckInfo(info map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(info)) {
		if block.Constant(info[name]) {
			return fmt.Errorf("'%s' for '%s' has no placeholder such as {http.auth.user.name}", info[name], name)
		}
	}
	return nil
}

// CheckUser finds a user that would be the same for everybody.
func CheckUser(s string) error {
	if block.Constant(s) {
		return fmt.Errorf("'%s' has no placeholder such as {http.auth.user.id}, so that everyone would be the same user", s)
	}
	return nil
}

// WithoutKey returns the request without its API key, which is for the HTTP API. A connection
// that is made with a key is one of a client: all rules for clients hold for it, and the key
// is not kept.
func WithoutKey(r *http.Request) *http.Request {
	plain := *r
	plain.Header = r.Header.Clone()
	plain.Header.Del("Authorization")
	return &plain
}
