package access

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// authorizer asks routes of the configuration. It belongs to one configuration,
// which it refers to, and is therefore held by the realm and not by connections.
type authorizer struct {
	// Static.
	path   string
	chain  caddyhttp.Handler
	server *caddyhttp.Server // for named routes
	chosen chosen            // where the routes use what clients choose
	log    *slog.Logger

	// warned is when an unusual refusal was logged last, in nanoseconds since 1970.
	warned atomic.Int64
}

// newAuthorizer returns what asks the routes of c, behind a guard. path is that of the
// route.
func newAuthorizer(ctx caddy.Context, path string, c *config.Authorize) (auth.Authorizer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	routes, uses, err := guardPaths(c.Routes)
	if err != nil {
		return nil, err
	}
	if err = routes.Provision(ctx); err != nil {
		return nil, err
	}
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	a := &authorizer{
		path: path, chain: routes.Compile(caddyhttp.HandlerFunc(unanswered)), server: server, chosen: uses,
		log: ctx.Slogger(),
	}
	return auth.NewGuard(a, auth.GuardOptions{Timeout: time.Duration(c.Timeout), Remember: time.Duration(c.Cache)}), nil
}

// Authorize runs the routes with a request of its own. Whatever is not an answer is
// an error that is no decision.
func (a *authorizer) Authorize(ctx context.Context, q auth.Question) (answer auth.Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = auth.Answer{}, brokenOff(ctx, v)
		}
	}()
	if !a.chosen.allow(q) {
		return auth.Answer{}, auth.ErrDenied
	}
	w := &recorder{header: make(http.Header)}
	r, err := a.request(ctx, w, q)
	if err != nil {
		return auth.Answer{}, err
	}
	err = a.chain.ServeHTTP(w, r)
	if ctx.Err() != nil { // first, because a proxy makes a status of it
		return auth.Answer{}, ctx.Err()
	}
	switch status := w.outcome(err); {
	case status/100 == 2:
		return w.answer()
	case status == http.StatusUnauthorized:
		return auth.Answer{}, auth.ErrUnauthorized
	case status/100 == 5:
		return auth.Answer{}, fmt.Errorf("realtime: 'authorize' answers %d: %w", status, cmp.Or(err, errFailed))
	default:
		a.refused(q, status)
	}
	return auth.Answer{}, auth.ErrDenied
}

// refused logs what the app has answered. 403 is what an app says that has decided; other
// statuses, such as 404, may come from a wrong path or root.
func (a *authorizer) refused(q auth.Question, status int) {
	answer := []any{"status", status, "action", q.Action.String(), "channel", q.Channel, "route", a.path}
	if status == http.StatusForbidden {
		a.log.Debug("'authorize' refuses", answer...)
		return
	}
	now, last := time.Now().UnixNano(), a.warned.Load()
	if now-last >= int64(oddInterval) && a.warned.CompareAndSwap(last, now) {
		a.log.Warn("'authorize' refuses with an unusual status; is the app found?", answer...)
	}
}

// oddInterval is between two lines in the log about unusual refusals.
const oddInterval = 10 * time.Second

// brokenOff is what a panic of the routes means. Proxies panic to end a request whose
// answer they can not pass on whole, be it because nobody waits for it any more.
func brokenOff(ctx context.Context, v any) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case v == http.ErrAbortHandler:
		return errors.New("realtime: the answer to 'authorize' ended too early")
	}
	return fmt.Errorf("realtime: the routes of 'authorize' panicked: %v", v)
}

var errFailed = errors.New("the app failed")

// unanswered stands behind the last route.
func unanswered(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusForbidden)
	return nil
}

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

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// maxExpires is in the year 5138. What is more is a number of milliseconds, and would
// never come.
const maxExpires = 100_000_000_000

// recorder takes an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	long   bool // there was more than fits
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(p) > maxAnswer {
		w.long = true
		return len(p), nil
	}
	return w.body.Write(p)
}

// Flush is called by proxies.
func (w *recorder) Flush() {}

// outcome is the status, whether it was written or returned as an error. Routes that write
// nothing have not answered: a proxy does so when the app switches to another protocol.
func (w *recorder) outcome(err error) int {
	var failed caddyhttp.HandlerError
	switch {
	case errors.As(err, &failed) && failed.StatusCode != 0:
		return failed.StatusCode
	case err != nil, w.status == 0:
		return http.StatusInternalServerError
	}
	return w.status
}

// answer reads what the app says beside yes.
func (w *recorder) answer() (auth.Answer, error) {
	kind, _, err := mime.ParseMediaType(w.header.Get("Content-Type"))
	if err != nil || kind != "application/json" || w.body.Len() == 0 && !w.long {
		return auth.Answer{}, nil // "ok", or a page, is a yes, too
	}
	if w.long {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' has more than %d bytes", maxAnswer)
	}
	var said struct {
		User     string          `json:"user"`
		Info     json.RawMessage `json:"info"`
		Channels []auth.Grant    `json:"channels"`
		Expires  int64           `json:"expires"` // seconds since 1970, as exp in a token
	}
	err = auth.CheckJSON(w.body.Bytes())
	if err == nil {
		err = json.Unmarshal(w.body.Bytes(), &said)
	}
	if err != nil {
		return auth.Answer{}, fmt.Errorf("realtime: the answer to 'authorize' can not be read: %w", err)
	}
	answer := auth.Answer{User: said.User, Grants: said.Channels}
	switch {
	case len(said.Info) == 0, string(said.Info) == "null":
	case said.Info[0] == '{':
		answer.Info = said.Info
	default:
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an info that is not a JSON object")
	}
	if said.Expires > maxExpires {
		return auth.Answer{}, errors.New("realtime: the answer to 'authorize' has an 'expires' that is not in seconds since 1970")
	}
	if said.Expires != 0 {
		answer.Expires = time.Unix(said.Expires, 0)
	}
	return answer, nil
}
