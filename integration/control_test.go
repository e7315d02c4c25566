package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const controlledSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		token {
			hmac {env.REALTIME_TEST_SECRET}
			from header
		}
		api_key {env.REALTIME_TEST_KEY}
		redis {env.REALTIME_TEST_REDIS}
		limits {
			connections_per_user 6
		}
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
		}
	}
}
`

// controlled are nodes of one hub.
type controlled struct {
	t     *testing.T
	redis *redistest.Server
	nodes []*Process
}

func startControlled(t *testing.T, n int) *controlled {
	t.Helper()
	c := &controlled{t: t, redis: redistest.Start(t)}
	for range n {
		c.start()
	}
	return c
}

// start starts another node and gives its base.
func (c *controlled) start() string {
	c.t.Helper()
	c.nodes = append(c.nodes, StartProcess(c.t, controlledSite,
		"REALTIME_TEST_REDIS="+c.redis.Addr, "REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_SECRET="+tokenSecret))
	return c.base(len(c.nodes) - 1)
}

func (c *controlled) base(node int) string { return "http://" + c.nodes[node].Addr("site") + "/rt" }

// ended is what a request to end connections is answered with.
type ended struct {
	status                      int
	Connections, Nodes, Pending int
}

// order sends a node what is to be done, with the API key.
func (c *controlled) order(node int, method, path, body string) (e ended) {
	c.t.Helper()
	res, text := request(c.t, method, c.base(node)+path, body, "Authorization", "Bearer "+appKey, "Content-Type", "application/json")
	e.status = res.StatusCode
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			c.t.Fatal(err)
		}
	} else if res.Header.Get("Retry-After") == "" {
		c.t.Errorf("%s %s: %s without Retry-After: %s", method, path, res.Status, text)
	}
	return e
}

// login connects to a node, with headers in pairs.
func (c *controlled) login(node int, headers ...string) (*websocket.Conn, *http.Response) {
	c.t.Helper()
	ws, res, _ := connect(c.t, "ws"+strings.TrimPrefix(c.base(node), "http"), headers...)
	return ws, res
}

// closed reads until a connection is closed, and gives the code.
func closed(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		_, _, err := ws.ReadMessage()
		if e, ok := err.(*websocket.CloseError); ok {
			return e.Code
		} else if err != nil {
			t.Fatalf("the connection is not closed: %v", err)
		}
	}
}

// lives fails if a connection does not answer.
func lives(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	send(t, ws, `{"type":"ping","id":"still here"}`)
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("the connection is over: %v", err)
		}
		if strings.Contains(string(frame), "still here") {
			return
		}
	}
}

// What one node is told to end all end, and a token that was taken back is refused
// everywhere, also by a node that starts later.
func TestControlOverNodes(t *testing.T) {
	t.Parallel()
	c := startControlled(t, 3)
	bearer := func(user, id string) []string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims(user, "jti", id))
		text, err := token.SignedString([]byte(tokenSecret))
		if err != nil {
			t.Fatal(err)
		}
		return []string{"Authorization", "Bearer " + text}
	}

	var anns []*websocket.Conn
	for node := range c.nodes {
		ws, _ := c.login(node, "X-User", "ann")
		anns = append(anns, ws)
	}
	bob, _ := c.login(2, "X-User", "bob")
	if e := c.order(0, "DELETE", "/users/ann/connections", `{"code": 4444}`); e != (ended{200, 3, 3, 0}) {
		t.Errorf("kicked %+v", e)
	}
	for _, ws := range anns {
		if code := closed(t, ws); code != 4444 {
			t.Errorf("closed with %d", code)
		}
	}
	lives(t, bob)

	var frame struct{ Payload struct{ Connection string } }
	ws, _, first := connect(t, "ws"+strings.TrimPrefix(c.base(1), "http"), "X-User", "cleo")
	if err := json.Unmarshal([]byte(first), &frame); err != nil {
		t.Fatal(err)
	}
	if e := c.order(0, "DELETE", "/connections/"+frame.Payload.Connection, ""); e != (ended{200, 1, 3, 0}) {
		t.Errorf("kicked %+v", e)
	}
	if code := closed(t, ws); code != 4403 {
		t.Errorf("closed with %d", code)
	}

	stolen, other := bearer("ann", "stolen"), bearer("ann", "other")
	ws, _ = c.login(1, stolen...)
	kept, _ := c.login(1, other...)
	if e := c.order(2, "POST", "/revocations", `{"id": "stolen"}`); e != (ended{200, 1, 3, 0}) {
		t.Errorf("revoked %+v", e)
	}
	if code := closed(t, ws); code != 4401 {
		t.Errorf("closed with %d", code)
	}
	c.start()
	for node := range c.nodes {
		ws, res := c.login(node, stolen...)
		for ws == nil && res.StatusCode == http.StatusServiceUnavailable { // it has just started
			ws, res = c.login(node, stolen...)
		}
		if ws != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("node %d answers a token that was revoked with %s", node, res.Status)
		}
		if ws, _ := c.login(node, other...); ws == nil {
			t.Errorf("node %d refuses another token", node)
		}
	}
	lives(t, kept)

	// Without Redis it is said that only this node did it.
	here, _ := c.login(0, "X-User", "dan")
	there, _ := c.login(1, "X-User", "dan")
	c.redis.Kill()
	if e := c.order(0, "DELETE", "/users/dan/connections", ""); e.status != http.StatusServiceUnavailable {
		t.Errorf("without Redis a kick is answered with %+v", e)
	}
	if code := closed(t, here); code != 4403 {
		t.Errorf("closed with %d", code)
	}
	lives(t, there)
	c.redis.Restart()
	for over := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if e := c.order(0, "DELETE", "/users/dan/connections", ""); e.status == http.StatusOK {
			break
		}
		if time.Now().After(over) {
			t.Fatal("no node is told anything any more")
		}
	}
	if code := closed(t, there); code != 4403 {
		t.Errorf("closed with %d", code)
	}
}

// A user has so many connections over all nodes together. Those of a node that is
// killed do not count for ever.
func TestUserLimitOverNodes(t *testing.T) {
	t.Parallel()
	c := startControlled(t, 3)
	const limit = 6
	login := func(node int) (*websocket.Conn, int) {
		ws, res := c.login(node, "X-User", "ann")
		return ws, res.StatusCode
	}
	// until tries until it is let in, or not any more, as the others learn of it.
	until := func(node, want int) *websocket.Conn {
		t.Helper()
		for over := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			ws, status := login(node)
			if status == want {
				return ws
			}
			if ws != nil {
				ws.Close()
			}
			if time.Now().After(over) {
				t.Fatalf("node %d answers %d, want %d", node, status, want)
			}
		}
	}
	var all []*websocket.Conn
	for i := range limit {
		all = append(all, until(i%3, http.StatusSwitchingProtocols))
	}
	for node := range c.nodes {
		until(node, http.StatusTooManyRequests)
	}
	if ws, _ := c.login(0, "X-User", "bob"); ws == nil {
		t.Error("another user is refused")
	}
	all[0].Close()
	all[0] = until(1, http.StatusSwitchingProtocols)
	until(2, http.StatusTooManyRequests)

	c.nodes[2].Kill()
	killed := time.Now()
	ws := until(0, http.StatusSwitchingProtocols)
	if took := time.Since(killed); took > 15*time.Second {
		t.Errorf("a dead node counted for %v", took)
	}
	lives(t, ws)
	lives(t, all[1])

	// Without Redis each node counts for itself.
	c.redis.Kill()
	for range limit - 3 {
		until(1, http.StatusSwitchingProtocols)
	}
	until(1, http.StatusTooManyRequests)
}
