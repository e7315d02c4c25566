package realtime

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// apiKeys are hashes of the keys, which makes them equally long.
type apiKeys [][sha256.Size]byte

func (ks *apiKeys) add(key string) { *ks = append(*ks, sha256.Sum256([]byte(key))) }

// match takes the same time for every token, right or wrong.
func (ks apiKeys) match(token string) bool {
	sum, found := sha256.Sum256([]byte(token)), 0
	for i := range ks {
		found |= subtle.ConstantTimeCompare(ks[i][:], sum[:])
	}
	return found == 1
}

// identify says who sends a request: the app with one of its keys, a user, or an
// anonymous client. A token that nobody has recognized is an error, because to
// ignore it would only hide the mistake.
func (h *Handler) identify(r *http.Request) (session.Caller, *protocol.Error) {
	c := session.Caller{IP: clientIP(r)}
	token, sent := bearer(r)
	if c.App = sent && h.keys.match(token); c.App {
		return c, nil
	}
	c.User = h.user(r)
	switch {
	case sent && c.User == "":
		return c, protocol.Errorf(protocol.Unauthorized, "the key in Authorization is not an API key of this address")
	case !validUser(c.User):
		return c, protocol.Errorf(protocol.Unauthorized, "the user id that was found for this request can not be used")
	}
	return c, nil
}

func bearer(r *http.Request) (token string, sent bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "Bearer")
}

// user resolves the placeholder. If any part of it is unknown or empty there is no
// user: what is left over would be the same for everybody. The value is copied,
// because it outlives the request, of whose headers it may be a part.
func (h *Handler) user(r *http.Request) string {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if h.User == "" || !ok {
		return ""
	}
	user, err := repl.ReplaceOrErr(h.User, true, true)
	if err != nil {
		return ""
	}
	return strings.Clone(user)
}

// maxUser is as long as a channel name may be, of which a user id can be a part.
const maxUser = 255

// validUser allows what can be sent and logged without harm. Anonymous is valid.
func validUser(s string) bool {
	return len(s) <= maxUser && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// clientIP is the address of the client, behind the proxies that the server trusts.
func clientIP(r *http.Request) netip.Addr {
	s, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	ip, _ := netip.ParseAddr(s) // none for Unix sockets
	return ip.Unmap()
}
