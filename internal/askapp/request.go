package askapp

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"net/url"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
)

// Request is what the app is asked.
type Request struct {
	// Method is GET if it is empty.
	Method string
	Query  url.Values
	Header http.Header
	// Body is the body of the request; nil means none.
	Body []byte
	// Client is the client that the request is about. The zero value is none.
	Client Client
	// Values are placeholders: {realtime.<name>} is each. The value of `user` is also
	// {http.auth.user.id}.
	Values map[string]string
	// Done is called once, when the routes have returned or get no request; may be nil. That may
	// be after Ask has returned.
	Done func()
}

func (q *Request) done() {
	if q.Done != nil {
		q.Done()
	}
}

// request returns q as a request for the routes. Of what the client sent it has what
// [Client] kept and nothing else.
func (a *App) request(ctx context.Context, w http.ResponseWriter, q Request) (*http.Request, error) {
	u := url.URL{Path: a.path(), RawQuery: q.Query.Encode()}
	var body io.Reader // not a nil *bytes.Reader
	if q.Body != nil {
		body = bytes.NewReader(q.Body)
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, u.RequestURI(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, q.Header)
	tracing.Inject(ctx, r.Header)
	r.RequestURI = u.RequestURI()
	q.Client.enter(r)
	repl := caddy.NewReplacer()
	r = caddyhttp.PrepareRequest(r, repl, w, a.server)
	for name, value := range q.Client.Vars {
		caddyhttp.SetVar(r.Context(), name, value)
	}
	for name, value := range q.Values {
		repl.Set("realtime."+name, value)
		repl.Set(pathPrefix+name, url.PathEscape(value))
	}
	if user, named := q.Values["user"]; named {
		repl.Set("http.auth.user.id", user)
	}
	return r, nil
}

// enter makes the request one of the client.
func (c *Client) enter(r *http.Request) {
	r.Host, r.RemoteAddr = c.Host, c.remote()
	if len(c.Cookie) > 0 {
		r.Header["Cookie"] = c.Cookie
	}
	if len(c.Authorization) > 0 {
		r.Header["Authorization"] = c.Authorization
	}
	if c.TLS { // so that the app is told https
		r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: c.Host}
	}
}
