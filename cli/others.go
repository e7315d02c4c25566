package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/ws/dial"
)

// visits is how many connections doctor opens to see whether one server answers all. The kernel deals connections to the
// processes that share a port by their addresses, evenly. Of two processes one gets all 16 in 1 of 30,000 runs.
const visits = 16

// checkServers opens connections and asks the admin endpoint for each. Two Caddys can share a port: the second one starts
// without an error, and each has rooms of its own.
func checkServers(ctx context.Context, d *doctor) ([]finding, error) {
	hubs, err := d.hubs(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]bool)
	made, others := 0, 0
	for ; made < visits; made++ {
		node, err := d.visit(ctx, hubs)
		if err != nil {
			break // a limit, for example; the check of the WebSocket has said it if there was none
		}
		if node == "" {
			others++
		} else {
			nodes[node] = true
		}
	}
	switch {
	case len(nodes) == 0: // the check of the WebSocket has said it
		return nil, ctx.Err()
	case others > 0:
		return []finding{{
			State: stateWrong,
			What:  fmt.Sprintf("%d of %d connections reached another server, which does not share the rooms of this Caddy", others, made),
			Mend:  "is an old Caddy still running? `pgrep -a caddy` shows all: end one. Several nodes need `redis`",
		}}, nil
	case len(nodes) > 1:
		return []finding{{State: stateOK, What: fmt.Sprintf("%d connections reached %d nodes, which share rooms", made, len(nodes))}}, nil
	default:
		return []finding{{State: stateOK, What: fmt.Sprintf("%d connections reached one Caddy", made)}}, nil
	}
}

// visit connects as a page does. It returns the node that has the connection, and nothing if the admin endpoint knows no
// such connection: another server has accepted or rejected it.
func (d *doctor) visit(ctx context.Context, hubs []hubState) (node string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	conn, id, err := d.connect(ctx)
	var r *dial.Rejected
	if errors.As(err, &r) && r.Status == http.StatusNotFound {
		return "", nil // it has no such path
	}
	if err != nil {
		return "", err
	}
	defer conn.Close()
	c, _ := d.find(ctx, hubs, id)
	return c.Node, nil
}

// connect opens a WebSocket as a page does, and returns the id that the server gives it. The caller closes it. The end of
// ctx closes it as well.
func (d *doctor) connect(ctx context.Context) (*dial.Conn, string, error) {
	conn, err := dial.Open(ctx, d.url, http.Header{"Origin": {d.pageOrigin()}})
	if err != nil {
		return nil, "", err
	}
	context.AfterFunc(ctx, conn.Close)
	e, err := next(conn)
	var v struct{ Connection string }
	if err == nil {
		err = json.Unmarshal(e.Payload, &v)
	}
	if err != nil {
		conn.Close()
		return nil, "", err
	}
	return conn, v.Connection, nil
}

// find returns what the hubs know of a connection. Those that share rooms know it wherever it is.
func (d *doctor) find(ctx context.Context, hubs []hubState, id string) (c connection, known bool) {
	for _, h := range hubs {
		c, _, err := get[connection](ctx, d.admin, path("realtime", "hubs", h.Hub, "connections", id))
		if err == nil {
			return c, true
		}
	}
	return connection{}, false
}
