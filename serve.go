package realtime

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/api"
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/client"
	"github.com/caddy-realtime/caddy-realtime/console"
	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// ServeHTTP answers requests for the handler's path and for what lies below: a WebSocket or
// an event stream at the path itself, an event stream also at /sse, the browser client at
// /client.js and the names beside it (see [client.Scripts]), the console at /console, whether the node is ready
// at /ready, and the HTTP API elsewhere below. After a successful upgrade it returns nil, whatever happens then.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if r.Method == http.MethodConnect && !ws.IsUpgrade(r) {
		return next.ServeHTTP(w, r)
	}
	if path, ok := h.below(r.URL); ok {
		return h.serve(w, r, path)
	}
	if answer := h.front(r, r.URL); answer != nil {
		return h.serveFront(w, r, answer)
	}
	return h.serveOriginal(w, r, next)
}

// serve answers a request for what lies at path, relative to the handler's own.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, path string) error {
	if !ws.IsUpgrade(r) && !isStream(r, path) {
		var end func()
		w, end = caddyhost.Bound(w, r)
		defer end()
	}
	if script, ok := clientScript(r, path); ok {
		serveClient(w, r, script)
		return nil
	}
	if file, ok := consoleFile(path); ok && h.Console {
		console.Serve(w, r, file)
		return nil
	}
	if path == api.ReadyPath {
		api.Serve(w, r, path, api.Options{Ready: h.node.Ready})
		return nil
	}
	allowed := h.origins.Allow(r)
	access.OpenCORS(w, r, allowed)
	if access.IsPreflight(r) && allowed {
		access.AnswerPreflight(w)
		return nil
	}
	if access.IsEarly(r) && !bearsRepeating(r, path) {
		return h.rejectEarly(w, r)
	}
	c := call{key: h.keys.Of(r)}
	if e := h.suspect(r, path, allowed); e != nil && c.key == nil {
		return h.reject(w, r, e)
	}
	if c.registry = h.registry(r.Context()); c.registry == nil {
		return h.rejectWithRetry(w, r, path, problem.Unavailable("the hub is not running"))
	}
	if e := h.admit(r, &c, isHandshake(r, path)); e != nil {
		return h.rejectWithRetry(w, r, path, e)
	}
	return h.dispatch(w, r, path, c)
}

// rejectWithRetry rejects a request. It answers an event stream so that browsers reconnect, if that
// may help: when the app or its keys are unreachable for a moment.
func (h *Handler) rejectWithRetry(w http.ResponseWriter, r *http.Request, path string, e *protocol.Error) error {
	if isStream(r, path) && sse.AskBack(w, r, e) {
		h.noteRejection(r, nil, e, true)
		return nil
	}
	return h.reject(w, r, e)
}

// admit finds out who sends a request, and checks whether it may go on. Cheap checks run
// first. The app is asked last, because asking costs most, and only within the limits: those
// of connections for a handshake, those of requests otherwise. Only checks that need its
// answer run later.
func (h *Handler) admit(r *http.Request, c *call, handshake bool) *protocol.Error {
	return h.admitAs(r, c, handshake, h.identity.Identify)
}

// admitAs is admit with another way to find out who sends the request.
func (h *Handler) admitAs(r *http.Request, c *call, handshake bool, identify func(*http.Request) (*session.Principal, *protocol.Error)) (e *protocol.Error) {
	if handshake && h.node.Leaving() {
		return leaving()
	}
	c.client = &session.Principal{IP: access.ClientIP(r)}
	if handshake {
		defer func() { c.client.Trace = tracing.OriginOf(r.Context()) }()
	}
	if handshake {
		if e = c.registry.Admission.Knock(c.client.IP); e != nil {
			return e
		}
	}
	if c.key != nil && handshake {
		r, c.key = access.WithoutKey(r), nil
	}
	if c.key == nil {
		c.client, e = identify(r)
	}
	switch {
	case e != nil || c.key != nil:
	case handshake:
		e = c.registry.Admission.Admit(r.Context(), c.client)
	case h.identity.Realm.Asks():
		e = c.registry.Admission.Afford(c.client)
	}
	user := c.client.User
	if e == nil && c.key == nil {
		e = h.vet(r, c)
	}
	if e == nil && handshake && c.client.User != user { // whom the app has named
		e = c.registry.Admission.AdmitUser(r.Context(), c.client.User)
	}
	return e
}

// vet asks the app about a client, and runs the checks that need its answer.
func (h *Handler) vet(r *http.Request, c *call) (e *protocol.Error) {
	if c.client, e = c.registry.Admission.Authorize(r.Context(), c.client); e != nil {
		return e
	}
	if e = c.registry.Revocations.Check(c.client.Identity()); e != nil {
		return e
	}
	return h.identity.Realm.CheckRequired(ws.IsUpgrade(r) || c.front, c.client)
}

// call is a request that may go on.
type call struct {
	registry *session.Registry
	key      *access.Key // nil: it has none
	client   *session.Principal
	front    bool // it is a handshake of another protocol, whose client may send a token later
}

// caller is who asks, as the HTTP API needs to know it.
func (c *call) caller() session.Caller {
	caller := session.Caller{Principal: c.client}
	if c.key != nil {
		caller.App, caller.Key, caller.Scope = true, c.key.ID, c.key.Scope
	}
	return caller
}

// confirm returns why the call may no longer go on, because of what happened since it was
// admitted.
func (c *call) confirm() *protocol.Error {
	if c.key != nil {
		return nil
	}
	return c.registry.Admission.Confirm(c.client)
}

func (h *Handler) dispatch(w http.ResponseWriter, r *http.Request, path string, c call) error {
	switch {
	case path == "" && ws.IsUpgrade(r):
		return h.serveWebSocket(w, r, c)
	case isStream(r, path):
		return h.serveStream(w, r, c)
	case path == "":
		return h.explain(w, r)
	case api.Serve(w, r, path, api.Options{Registry: c.registry, Caller: c.caller(), Confirm: c.confirm, Realm: h.realmName(), Turn: h.turn(), Over: h.app.ctx.Done()}):
		return nil
	}
	return h.rejectStatus(w, r, http.StatusNotFound, "there is nothing at this path")
}

// turn returns what the route says about TURN servers.
func (h *Handler) turn() api.Turn {
	return api.Turn{Servers: h.relays, Anyone: h.Turn != nil && h.Turn.Anyone}
}

// realmName returns the name of the realm by which clients of the route come in.
func (h *Handler) realmName() string {
	if h.identity.Realm == nil {
		return access.OpenRealm(h.Path)
	}
	return h.Path
}

// isHandshake reports whether a request opens a connection.
func isHandshake(r *http.Request, path string) bool {
	return path == "" && ws.IsUpgrade(r) || isStream(r, path)
}

func isStream(r *http.Request, path string) bool {
	return path == "" && sse.IsStream(r) || path == "/sse"
}

// actsForVisitor reports requests by which a page could act in the name of its
// visitor, whose browser adds the credentials. Other reads are harmless, because
// the browser keeps the answer from pages of other origins.
func actsForVisitor(r *http.Request, path string) bool {
	return ws.IsUpgrade(r) || isStream(r, path) || r.Method != http.MethodGet && r.Method != http.MethodHead
}

// suspect rejects requests that a page of somebody else may have made with the browser of a
// visitor.
func (h *Handler) suspect(r *http.Request, path string, allowed bool) *protocol.Error {
	switch {
	case !allowed && actsForVisitor(r, path):
		return h.origins.Reject(r)
	case !h.hosts.Known(r, h.origins):
		return strangeHost(r)
	}
	return nil
}

// leaving rejects a handshake while the node drains.
func leaving() *protocol.Error { return problem.Unavailable("this server takes no new connections") }

// strangeHost rejects a request for a name that the site is not known by.
func strangeHost(r *http.Request) *protocol.Error {
	e := protocol.Errorf(protocol.Forbidden,
		"this site is not known by the name in the header Host; name it in the address of the site or in the option 'origins'")
	e.Detail = "the header Host is " + protocol.Quote(r.Host)
	return e
}

// registry waits, during a start or a reload, until the configuration of the route is in
// force: before that its keys and tokens open nothing. It returns nil if the configuration
// is not in force in time.
func (h *Handler) registry(ctx context.Context) *session.Registry {
	if !h.use.Wait(ctx) {
		return nil
	}
	return h.node.Registry()
}

func (h *Handler) serveWebSocket(w http.ResponseWriter, r *http.Request, c call) error {
	o := ws.Options{Dialect: native.Dialect{}, Compression: h.Compression}
	if ws.ForeignVersion(r) != "" {
		o.Refuse = &protocol.ReasonVersion
	}
	return h.upgrade(w, r, c, o)
}

// upgrade answers a handshake. o has what differs between dialects.
func (h *Handler) upgrade(w http.ResponseWriter, r *http.Request, c call, o ws.Options) error {
	o.Registry, o.Principal, o.KeepStream = c.registry, c.client, caddyhost.KeepStream
	o.Conn, o.UserTimeout, o.Stuck, o.Logger = caddyhost.ConnOf, userTimeout(c.registry), abandon, h.log
	err := ws.Serve(w, r, o)
	if err != nil {
		return caddyhttp.Error(http.StatusInternalServerError, err)
	}
	return nil
}

// serveStream leaves the limits to the transport, which rejects in its own way.
func (h *Handler) serveStream(w http.ResponseWriter, r *http.Request, c call) error {
	err := sse.Serve(w, r, sse.Options{
		Registry: c.registry, Principal: c.client, Hijack: caddyhost.MayHijack, KeepStream: caddyhost.KeepStream, Tokens: h.identity.Realm.Parameters(),
		Conn: caddyhost.ConnOf, UserTimeout: userTimeout(c.registry), Stuck: abandon,
		Rejected: func(channel string, e *protocol.Error) { h.noteStreamRejection(r, c.client, channel, e) },
	})
	if err != nil {
		h.log.Debug("event stream", "error", err)
	}
	return nil
}

// userTimeout returns how long sent data may stay unacknowledged: as long as it takes to
// notice that a silent client is gone.
func userTimeout(reg *session.Registry) time.Duration {
	s := reg.Hub().Settings()
	return s.Heartbeat + s.Timeout
}

// abandon closes, when the process is about to exit, the connection of a stream whose
// client takes nothing. The server would wait for it as long as TCP does, because over
// HTTP/2 not even the end of the stream can be written. At other times the connection
// stays for its other streams, until the kernel gives it up.
func abandon(r *http.Request) {
	if exiting() {
		caddyhost.CloseConn(r)
	}
}

// explain answers a request for the base path that asks for none of the transports, such as
// one of a person with a browser.
func (h *Handler) explain(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		return h.rejectStatus(w, r, http.StatusMethodNotAllowed, "this path takes connections; the HTTP API lies below it")
	}
	if r.ProtoMajor == 1 { // later versions have no such header
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	return h.rejectStatus(w, r, http.StatusUpgradeRequired,
		"connect here by WebSocket, or with 'Accept: text/event-stream' and ?channel=…; the HTTP API lies below this path")
}

// reject rejects a request before anything was done for it. If the site has error routes
// (`handle_errors`) that match, they answer. Otherwise the answer is a problem document,
// because Caddy's own would be empty. Errors of the HTTP API never come here: they are
// answers to a program.
func (h *Handler) reject(w http.ResponseWriter, r *http.Request, e *protocol.Error) error {
	path, ok := h.below(r.URL)
	return h.rejectAs(w, r, e, ok && isHandshake(r, path))
}

// rejectAs is reject for a request that opens a connection, or for another one.
func (h *Handler) rejectAs(w http.ResponseWriter, r *http.Request, e *protocol.Error, handshake bool) error {
	h.noteRejection(r, nil, e, handshake)
	err := caddyhttp.Error(e.Status(), e)
	if !caddyhost.HandlesErrors(r, err) {
		problem.Write(w, e)
		return nil
	}
	problem.SetRetryAfter(w.Header(), e)
	return err
}

// noteRejection counts and logs a request that is rejected. An event stream is rejected with the
// status 200, so that its client comes back: the access log would not show why, and gets the
// code as well. client is nil if it is not known yet.
func (h *Handler) noteRejection(r *http.Request, client *session.Principal, e *protocol.Error, handshake bool) {
	if handshake {
		h.noteStreamRejection(r, client, "", e)
		return
	}
	caddyhost.AddToAccessLog(r, "realtime_error", string(e.Code))
	if registry := h.node.Registry(); registry != nil { // else it comes before the first configuration is in force
		registry.Rejected("http", e)
	}
}

// noteStreamRejection is noteRejection for a handshake or an event stream. channel is the channel of
// the stream that the error is about; empty for none.
func (h *Handler) noteStreamRejection(r *http.Request, client *session.Principal, channel string, e *protocol.Error) {
	caddyhost.AddToAccessLog(r, "realtime_error", string(e.Code))
	registry := h.node.Registry()
	if registry == nil {
		return
	}
	registry.LogRejected(client, channel, e, "address", access.ClientIP(r).String(), "origin", r.Header.Get("Origin"), "route", h.Path)
	registry.Rejected("connect", e)
}

// rejectStatus is reject for what the protocol has no code for.
func (h *Handler) rejectStatus(w http.ResponseWriter, r *http.Request, status int, detail string) error {
	err := caddyhttp.Error(status, errors.New(detail))
	if !caddyhost.HandlesErrors(r, err) {
		problem.WriteStatus(w, status, detail)
		return nil
	}
	return err
}

// bearsRepeating reports whether a request does no harm if somebody else sends it again: it
// changes nothing, and opens no connection in the name of a user.
func bearsRepeating(r *http.Request, path string) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return !ws.IsUpgrade(r) && !isStream(r, path)
	}
	return false
}

// rejectEarly asks for the request once more after the handshake. Browsers do that by
// themselves.
func (h *Handler) rejectEarly(w http.ResponseWriter, r *http.Request) error {
	return h.rejectStatus(w, r, http.StatusTooEarly, "send this after the end of the TLS handshake")
}

// clientScript returns the part of the browser client that a request asks for.
func clientScript(r *http.Request, path string) (client.Script, bool) {
	name, below := strings.CutPrefix(path, "/")
	script, ok := client.Scripts()[name]
	return script, ok && below && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// consoleFile returns which file of the console a path means.
func consoleFile(path string) (string, bool) {
	file, ok := strings.CutPrefix(path, "/console")
	return file, ok && (file == "" || file[0] == '/')
}

// serveClient answers with a part of the browser client. It is the same for everybody, so
// that any page may load it. A cache may keep it but must ask whether there is a newer one,
// because the client has to fit the server.
func serveClient(w http.ResponseWriter, r *http.Request, script client.Script) {
	h := w.Header()
	h.Set("Content-Type", client.ContentType)
	h.Set("ETag", script.ETag)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	pace.Answer(w, len(script.Text))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script.Text))
}
