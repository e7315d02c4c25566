package realtime

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/api"
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func init() { caddy.RegisterModule(new(Admin)) }

// Admin adds the hubs of this process to Caddy's admin endpoint, below /realtime/. It needs no
// key: a client of that endpoint can replace the whole configuration anyway.
type Admin struct {
	over <-chan struct{} // closed when the configuration ends
}

// CaddyModule says what the module is to Caddy.
func (*Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.realtime", New: func() caddy.Module { return new(Admin) }}
}

// Provision notes when the configuration ends, because streams end with it.
func (a *Admin) Provision(ctx caddy.Context) error {
	a.over = ctx.Done()
	return nil
}

// adminPath is where everything here lies.
const adminPath = "/realtime/"

// Routes returns the one route of the module.
func (a *Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: adminPath, Handler: caddy.AdminHandlerFunc(a.serve)}}
}

// serve answers a request. Errors are problem documents, as those of the HTTP API.
func (a *Admin) serve(w http.ResponseWriter, r *http.Request) error {
	problem.Harden(w.Header())
	path := strings.TrimPrefix(r.URL.EscapedPath(), adminPath)
	switch first, rest, _ := strings.Cut(path, "/"); {
	case first == "hubs" && rest != "":
		a.serveHub(w, r, rest)
	case rest != "":
		problem.WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
	case first == "hubs" && reads(w, r):
		answer(w, http.StatusOK, listHubs())
	case first == "health" && reads(w, r):
		serveHealth(w)
	case first == "drain":
		serveDrain(w, r)
	case first != "hubs" && first != "health":
		problem.WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
	}
	return nil
}

// reads reports whether a request only reads. If it does not, reads has answered.
func reads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	problem.WriteStatus(w, http.StatusMethodNotAllowed, "this path does not support the method; the header Allow lists those that it supports")
	return false
}

// serveHub answers with the HTTP API of a hub. path starts with its name.
func (a *Admin) serveHub(w http.ResponseWriter, r *http.Request, path string) {
	segment, rest, _ := strings.Cut(path, "/")
	name, err := url.PathUnescape(segment)
	n := namedNode(name)
	if err != nil || n == nil {
		problem.WriteStatus(w, http.StatusNotFound, "there is no hub "+protocol.Quote(name))
		return
	}
	registry := n.Registry()
	if registry == nil {
		problem.Write(w, problem.Unavailable("the hub has not started"))
		return
	}
	handled := api.Serve(w, r, "/"+rest, api.Options{
		Registry: registry, Caller: session.Caller{App: true, Key: "admin"}, Ready: n.Ready, Over: a.over,
	})
	if !handled {
		problem.WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
	}
}

// namedNode returns a hub of this process; nil if there is none.
func namedNode(name string) (found *node.Node) {
	eachHub(func(hub string, n *node.Node) {
		if hub == name {
			found = n
		}
	})
	return found
}

// eachHub calls f for the hubs of this process, in the order of their names.
func eachHub(f func(name string, n *node.Node)) {
	all := make(map[string]*node.Node)
	nodes.Range(func(key, value any) bool {
		name, ok1 := key.(string)
		n, ok2 := value.(*node.Node)
		if ok1 && ok2 {
			all[name] = n
		}
		return true
	})
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f(name, all[name])
	}
}

// hubInfo describes a hub of this process.
type hubInfo struct {
	Hub         string         `json:"hub"`
	Node        string         `json:"node,omitempty"`
	Host        string         `json:"host,omitempty"`
	Backend     string         `json:"backend"`
	Ready       bool           `json:"ready"`
	Reasons     []string       `json:"reasons,omitempty"`
	Connections int            `json:"connections"`
	Channels    int            `json:"channels"`
	Paths       []string       `json:"paths,omitempty"`
	Drain       *session.Drain `json:"drain,omitempty"`
}

type hubList struct {
	Hubs []hubInfo `json:"hubs"`
}

func listHubs() hubList {
	list := hubList{Hubs: []hubInfo{}}
	eachHub(func(name string, n *node.Node) {
		health := n.Health()
		info := hubInfo{Hub: name, Backend: n.Backend(), Paths: n.Paths(), Ready: health.Ready, Reasons: health.Reasons, Drain: health.Drain}
		if r := n.Registry(); r != nil {
			here := r.Inspection.Node()
			info.Node, info.Host = here.Name, here.Host
			info.Connections = r.Hub().Conns()
			info.Channels, _ = r.Hub().Census()
		}
		list.Hubs = append(list.Hubs, info)
	})
	return list
}

// hubHealth is the health of a hub of this process.
type hubHealth struct {
	Hub     string   `json:"hub"`
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"`
}

type processHealth struct {
	Ready bool        `json:"ready"`
	Hubs  []hubHealth `json:"hubs"`
}

func serveHealth(w http.ResponseWriter) {
	all := processHealth{Ready: true, Hubs: []hubHealth{}}
	eachHub(func(name string, n *node.Node) {
		h := n.Health()
		all.Hubs = append(all.Hubs, hubHealth{name, h.Ready, h.Reasons})
		all.Ready = all.Ready && h.Ready
	})
	status := http.StatusOK
	if !all.Ready {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, all)
}

// drainOrder says which hub a request to /realtime/drain is about, and how long the drain
// takes. It is in the body or in the query, because not every program can send a body with GET
// and DELETE.
type drainOrder struct {
	Window string `json:"window"`
	Hub    string `json:"hub"`

	window time.Duration
}

// maxDrainOrder bounds the body, in bytes.
const maxDrainOrder = 4 << 10

func serveDrain(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
		o, err := readDrainOrder(r)
		switch {
		case err != nil:
			problem.Write(w, protocol.Errorf(protocol.InvalidMessage, "%s", err))
		case o.Hub != "" && namedNode(o.Hub) == nil:
			problem.WriteStatus(w, http.StatusNotFound, "there is no hub "+protocol.Quote(o.Hub))
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			answer(w, http.StatusOK, drains(o.Hub))
		case r.Method == http.MethodPost:
			startDrains(w, o)
		default:
			eachHub(func(name string, n *node.Node) {
				if o.Hub == "" || o.Hub == name {
					n.CancelDrain()
				}
			})
			answer(w, http.StatusOK, drains(o.Hub))
		}
	default:
		w.Header().Set("Allow", "DELETE, GET, HEAD, POST")
		problem.WriteStatus(w, http.StatusMethodNotAllowed, "this path does not support the method; the header Allow lists those that it supports")
	}
}

func readDrainOrder(r *http.Request) (o drainOrder, err error) {
	d := json.NewDecoder(io.LimitReader(r.Body, maxDrainOrder))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		return o, errors.New(`the body must be a JSON object such as {"window": "30s", "hub": "default"}`)
	}
	query := r.URL.Query()
	if o.Hub, err = fromQuery(query, "hub", o.Hub); err != nil {
		return o, err
	}
	if o.Window, err = fromQuery(query, "window", o.Window); err != nil || o.Window == "" {
		return o, err
	}
	if o.window, err = caddy.ParseDuration(o.Window); err != nil || o.window <= 0 || o.window > node.MaxDrainWindow {
		return o, errors.New("the window must be a duration such as 30s, at most 24h")
	}
	return o, nil
}

// fromQuery returns a value that is in the body or in the query.
func fromQuery(query url.Values, name, inBody string) (string, error) {
	given := query.Get(name)
	if given != "" && inBody != "" && given != inBody {
		return "", fmt.Errorf("the body and the query say differently what %s is; say it once", name)
	}
	return cmp.Or(inBody, given), nil
}

// startDrains starts the drains of one or all hubs. If one can not drain, none is started that
// comes after it in the order of their names.
func startDrains(w http.ResponseWriter, o drainOrder) {
	var failed error
	eachHub(func(name string, n *node.Node) {
		if failed == nil && (o.Hub == "" || o.Hub == name) {
			failed = n.StartDrain(o.window)
		}
	})
	switch {
	case errors.Is(failed, node.ErrDraining):
		problem.WriteStatus(w, http.StatusConflict, "a drain is running; cancel it first with DELETE")
	case failed != nil:
		problem.Write(w, problem.Unavailable("the hub is not running"))
	default:
		answer(w, http.StatusAccepted, drains(o.Hub))
	}
}

type drainList struct {
	Drains []session.Drain `json:"drains"`
}

func drains(hub string) drainList {
	list := drainList{Drains: []session.Drain{}}
	eachHub(func(name string, n *node.Node) {
		if hub == "" || hub == name {
			d := n.DrainProgress()
			d.Hub = name
			list.Drains = append(list.Drains, d)
		}
	})
	return list
}

// answer answers with v as JSON. v must be encodable.
func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, protocol.AsError(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone if this fails
}

// Interface guards.
var (
	_ caddy.AdminRouter = (*Admin)(nil)
	_ caddy.Provisioner = (*Admin)(nil)
)
