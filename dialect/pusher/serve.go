package pusher

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// maxBody bounds the body of a request, in bytes: ten events of the greatest size, with escapes.
const maxBody = 512 << 10

// maxQuery bounds the query of a request, in bytes. It is parsed before the signature is checked.
const maxQuery = 16 << 10

// call is one request of the app.
type call struct {
	app      *App
	registry *session.Registry
	w        http.ResponseWriter
	r        *http.Request
	query    map[string]string
	body     []byte
}

// Serve answers a request to the HTTP API of an app. path is what follows the prefix of the route,
// with escapes: /apps/ID/…, or /users/…, which pusher-http-python sends. It checks the signature before anything else. from is the caller
// without a signature, whose address the memory of the body counts for.
func Serve(w http.ResponseWriter, r *http.Request, path string, app *App, registry *session.Registry, from session.Caller) {
	c := &call{app: app, registry: registry, w: w, r: r}
	e := c.check(path, from)
	if e == nil {
		e = c.route(strings.TrimPrefix(path, "/apps/"+app.ID))
	}
	if e == nil {
		return
	}
	registry.Rejected("pusher", e)
	c.reply(e.Status(), map[string]string{"error": e.Message})
}

// IsTermination reports whether a request, by what follows /users in its path, is one to terminate
// connections. pusher-http-python sends it without the app in front; its key says which app is meant.
func IsTermination(r *http.Request, rest string) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(rest, "/terminate_connections")
}

// check reads the request and checks its signature. The signature covers the body, so anybody who
// knows the key, which pages show, can make the server read one.
func (c *call) check(path string, from session.Caller) *protocol.Error {
	if len(c.r.URL.RawQuery) > maxQuery {
		return protocol.Errorf(protocol.TooLarge, "the query is longer than %d bytes", maxQuery)
	}
	c.query = parseQuery(c.r.URL.RawQuery)
	if !c.app.Has(c.query["auth_key"]) {
		return unsigned("auth_key is not a key of this app")
	}
	held, e := c.registry.Memory.Reserve(from)
	if e != nil {
		return e
	}
	defer held.Release()
	if e = c.read(held); e != nil {
		return e
	}
	return c.app.checkSignature(c.r, path, c.query, c.body, time.Now())
}

// read reads the body.
func (c *call) read(held *session.Reservation) *protocol.Error {
	var err error
	c.body, err = io.ReadAll(held.Body(pace.NewBody(c.w, http.MaxBytesReader(c.w, c.r.Body, maxBody))))
	return problem.ReadError(err, maxBody)
}

// route finds what a path below /apps/ID is.
func (c *call) route(path string) *protocol.Error {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil {
			return protocol.Errorf(protocol.InvalidMessage, "the path can not be read")
		}
		parts[i] = name
	}
	get, post := c.r.Method == http.MethodGet, c.r.Method == http.MethodPost
	switch n := len(parts); {
	case post && n == 1 && parts[0] == "events":
		return c.events()
	case post && n == 1 && parts[0] == "batch_events":
		return c.batch()
	case get && n == 1 && parts[0] == "channels":
		return c.channels()
	case (get || post) && n == 1 && parts[0] == "connections":
		return c.connections()
	case get && n == 2 && parts[0] == "channels":
		return c.channel(parts[1])
	case get && n == 3 && parts[0] == "channels" && parts[2] == "users":
		return c.users(parts[1])
	case post && n == 3 && parts[0] == "users" && parts[2] == "terminate_connections":
		return c.terminate(parts[1])
	}
	c.reply(http.StatusNotFound, map[string]string{"error": "there is nothing at this path"})
	return nil
}

func (c *call) reply(status int, v any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(v) // the app has gone if this fails
}

// ok answers with a value.
func (c *call) ok(v any) *protocol.Error {
	c.reply(http.StatusOK, v)
	return nil
}

// caller is the app.
func (c *call) caller() session.Caller {
	return session.Caller{App: true, Key: "pusher:" + c.app.ID}
}

// terminate closes the connections of a signed-in user.
func (c *call) terminate(user string) *protocol.Error {
	reason := hub.Reason{Code: codeUnauthorized, Text: "the connections of the user were terminated"}
	if _, e := c.registry.Kicks.User(c.r.Context(), user, reason); e != nil {
		return e
	}
	return c.ok(struct{}{})
}

// connections is GET or POST /apps/ID/connections, as Reverb has it: how many connections there are on
// all nodes.
func (c *call) connections() *protocol.Error {
	stats := c.registry.Inspection.Stats(c.r.Context())
	return c.ok(map[string]int{"connections": int(stats.Gauges["connections"])})
}
