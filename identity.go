package realtime

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// identify says who sends a request: a user, or an anonymous client. A token that
// nobody has recognized is an error, because to ignore it would only hide the
// mistake.
func (h *Handler) identify(r *http.Request) (*session.Principal, *protocol.Error) {
	client := &session.Principal{IP: clientIP(r), Realm: openRealm(h.Path), AsOf: time.Now()}
	if e := h.realm.enter(r, client); e != nil {
		return client, e
	}
	if token := h.realm.find(r); token != "" {
		client, err := h.realm.recognize(r.Context(), client, token)
		if err != nil {
			h.log.Debug("token refused", "error", err)
		}
		return client, session.TokenError(err)
	}
	client.User = h.user(r)
	switch _, sent := bearer(r); {
	case sent && client.User == "":
		return client, protocol.Errorf(protocol.Unauthorized, "the key in Authorization is not an API key of this address")
	case !auth.ValidUser(client.User):
		return client, protocol.Errorf(protocol.Unauthorized, "the user id that was found for this request can not be used")
	}
	client.Info = h.info(r)
	return client, nil
}

func bearer(r *http.Request) (token string, sent bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "Bearer")
}

// user resolves the placeholder. If any part of it is unknown or empty there is no
// user: what is left over would be the same for everybody.
func (h *Handler) user(r *http.Request) string {
	if h.User == "" {
		return ""
	}
	return resolve(r, h.User)
}

// info resolves the placeholders to a JSON object; nil without any.
func (h *Handler) info(r *http.Request) json.RawMessage {
	known := make(map[string]string, len(h.Info))
	for name, placeholder := range h.Info {
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

// resolve gives what a text with placeholders stands for in a request, and nothing
// if any of them is unknown or empty. The result is copied, because it outlives the
// request, of whose headers it may be a part.
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

// clientIP is the address of the client, behind the proxies that the server trusts.
func clientIP(r *http.Request) netip.Addr {
	s, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	ip, _ := netip.ParseAddr(s) // none for Unix sockets
	return ip.Unmap()
}
