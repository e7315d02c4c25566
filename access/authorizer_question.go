package access

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// request makes the question a request. Of what the client sent it has what the
// handshake kept and nothing else.
func (a *authorizer) request(ctx context.Context, w http.ResponseWriter, q auth.Question) (*http.Request, error) {
	var from handshake
	if err := json.Unmarshal([]byte(q.Handshake), &from); err != nil {
		return nil, err
	}
	action := q.Action.String()
	query := url.Values{"action": {action}}
	h := http.Header{"Accept": {"application/json"}, "X-Realtime-Action": {action}}
	add := func(name, header, value string) {
		if value != "" {
			query.Set(name, value)
			h.Set(header, value)
		}
	}
	add("channel", "X-Realtime-Channel", q.Channel)
	add("user", "X-Realtime-User", q.User)
	from.restore(h)
	u := url.URL{Path: strings.TrimSuffix(a.path, "/") + "/authorize", RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.RequestURI(), nil)
	if err != nil {
		return nil, err
	}
	r.RequestURI, r.Host, r.RemoteAddr, r.Header = u.RequestURI(), from.Host, from.remote(), h
	if from.TLS { // so that the app is told https
		r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: from.Host}
	}
	repl := caddy.NewReplacer()
	r = caddyhttp.PrepareRequest(r, repl, w, a.server)
	for name, value := range from.Vars {
		caddyhttp.SetVar(r.Context(), name, value)
	}
	repl.Set("realtime.action", action)
	repl.Set("realtime.channel", q.Channel)
	repl.Set("realtime.user", q.User)
	repl.Set("http.auth.user.id", q.User)
	for name, value := range pathPlaceholders(q) {
		repl.Set(name, value)
	}
	return r, nil
}

// handshake is what is kept of the request that opened a connection, for the
// questions that come up while it lives.
type handshake struct {
	Host, IP              string
	TLS                   bool
	Cookie, Authorization []string `json:",omitempty"`
	// Vars are those of the site, such as `root`.
	Vars map[string]any `json:",omitempty"`
}

// maxHandshake bounds what is kept for each connection, in bytes. Caddy itself
// accepts headers of a megabyte.
const maxHandshake = 16 << 10

// keep gives the handshake in the form for [auth.Question]. The same client has the
// same one on each of its connections, so that it has no port.
func keep(r *http.Request) (string, *protocol.Error) {
	ip := ""
	if addr := ClientIP(r); addr.IsValid() {
		ip = addr.String()
	}
	text, err := json.Marshal(handshake{
		Host: r.Host, IP: ip, TLS: scheme(r) == "https",
		Cookie: r.Header.Values("Cookie"), Authorization: r.Header.Values("Authorization"),
		Vars: siteVars(r),
	})
	if err != nil {
		return "", protocol.AsError(err)
	}
	if len(text) > maxHandshake {
		return "", protocol.Errorf(protocol.TooLarge, "the headers Cookie and Authorization, with the variables of the site, are larger than %d bytes", maxHandshake)
	}
	return string(text), nil
}

// siteVars are what `root`, `fs` and `vars` have set for a request: texts, numbers and
// words. What Caddy itself has set is about the request, and it sets that anew.
func siteVars(r *http.Request) map[string]any {
	all, _ := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	vars := make(map[string]any)
	for name, value := range all {
		switch value.(type) {
		case string, bool, int, int64, float64:
			vars[name] = value
		}
	}
	delete(vars, caddyhttp.TrustedProxyVarKey)
	delete(vars, caddyhttp.ClientIPVarKey)
	return vars
}

// remote is the client's address as a request has it, which over a Unix socket is "@".
func (s *handshake) remote() string {
	if s.IP == "" {
		return "@"
	}
	return net.JoinHostPort(s.IP, "0")
}

func (s *handshake) restore(h http.Header) {
	if len(s.Cookie) > 0 {
		h["Cookie"] = s.Cookie
	}
	if len(s.Authorization) > 0 {
		h["Authorization"] = s.Authorization
	}
}
