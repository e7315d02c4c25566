package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const operatedSite = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		redis {env.REALTIME_TEST_REDIS}
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
			presence
		}
		room secret:* {
			subscribe server
			history 5
		}
	}
}
`

// operated are nodes of one hub, with their admin endpoints.
type operated struct {
	t     *testing.T
	nodes []*Process
}

func startOperated(t *testing.T, n int) *operated {
	t.Helper()
	c, redis := &operated{t: t}, redistest.Start(t)
	for range n {
		c.nodes = append(c.nodes, StartProcess(t, operatedSite, "REALTIME_TEST_REDIS="+redis.Addr, "REALTIME_TEST_KEY="+appKey))
	}
	return c
}

func (c *operated) site(node int) string { return "http://" + c.nodes[node].Addr("site") + "/rt" }

func (c *operated) admin(node int, path string) string {
	return "http://" + c.nodes[node].Addr("admin") + "/realtime" + path
}

// operatorAnswer has what the tests look at in answers.
type operatorAnswer struct {
	Status   int
	Channels []struct {
		Channel              string
		Connections, Members int
	}
	Connections                     json.RawMessage
	ByNode                          []struct{ Node string }
	Gauges                          map[string]float64
	Nodes, Missing, Pending         int
	Partial, Online, Allowed, Ready bool
	Rule, Text, Channel             string
	Hubs                            []struct {
		Hub, Backend string
		Ready        bool
		Reasons      []string
		Paths        []string
	}
	Drains []struct {
		State               string
		Total, Closed, Left int
	}
}

func (c *operated) ask(method, url, body string) (a operatorAnswer) {
	c.t.Helper()
	res, text := request(c.t, method, url, body, "Authorization", "Bearer "+appKey, "Content-Type", "application/json")
	if err := json.Unmarshal([]byte(text), &a); err != nil && text != "" {
		c.t.Fatalf("%s %s: %v: %s", method, url, err, text)
	}
	if a.Status = res.StatusCode; a.Status >= 300 && a.Status != http.StatusServiceUnavailable {
		c.t.Errorf("%s %s: %d %s", method, url, a.Status, text)
	}
	return a
}

// await asks until the answer is right.
func (c *operated) await(what, url string, right func(operatorAnswer) bool) {
	c.t.Helper()
	var a operatorAnswer
	for over := time.Now().Add(20 * time.Second); time.Now().Before(over); time.Sleep(50 * time.Millisecond) {
		if a = c.ask(http.MethodGet, url, ""); right(a) {
			return
		}
	}
	c.t.Errorf("%s: %+v", what, a)
}

// until reads frames until one has all these words.
func until(t *testing.T, ws *websocket.Conn, words ...string) string {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("no frame with %q: %v", words, err)
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(string(frame), w) }) {
			return string(frame)
		}
	}
}

// What an operator asks one node is answered for all of them, over the HTTP API and over
// Caddy's admin endpoint.
func TestOperatorOverNodes(t *testing.T) {
	t.Parallel()
	c := startOperated(t, 3)
	var conns []*websocket.Conn
	var names []string
	for node := range 3 {
		ws, _, hello := connect(t, "ws"+strings.TrimPrefix(c.site(node), "http"), "X-User", fmt.Sprintf("user%d", node%2))
		var greeting struct{ Payload struct{ Connection string } }
		_ = json.Unmarshal([]byte(hello), &greeting)
		conns, names = append(conns, ws), append(names, greeting.Payload.Connection)
		send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"chat:1"}}`)
		until(t, ws, `"subscribed"`)
	}
	hub := c.admin(1, "/hubs/default")
	c.await("channels", c.site(0)+"/channels?prefix=chat:", func(a operatorAnswer) bool {
		return len(a.Channels) == 1 && a.Channels[0].Connections == 3 && a.Channels[0].Members == 2 && a.Nodes == 3 && !a.Partial
	})
	if a := c.ask(http.MethodGet, hub+"/users/user0", ""); !a.Online || strings.Count(string(a.Connections), `"connection":`) != 2 {
		t.Errorf("the user: %+v", a)
	}
	if a := c.ask(http.MethodGet, hub+"/stats", ""); a.Gauges["connections"] != 3 || len(a.ByNode) != 3 {
		t.Errorf("the figures: %+v", a)
	}
	if a := c.ask(http.MethodGet, c.admin(0, "/hubs"), ""); len(a.Hubs) != 1 || a.Hubs[0].Backend != "redis" || !a.Hubs[0].Ready || !slices.Equal(a.Hubs[0].Paths, []string{"/rt"}) {
		t.Errorf("the hubs: %+v", a)
	}
	if a := c.ask(http.MethodGet, hub+"/explain?channel=secret:1&user=user0", ""); a.Allowed || a.Rule != "access" || !strings.Contains(a.Text, "number 2 of 2") {
		t.Errorf("the explanation: %+v", a)
	}

	// A stream of one node has what is published to another.
	res, err := http.Get(c.admin(2, "/hubs/default/tail?channel=chat:1&channel=secret:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	line := func(words ...string) {
		t.Helper()
		for lines.Scan() {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(lines.Text(), w) }) {
				return
			}
		}
		t.Errorf("no line with %q: %v", words, lines.Err())
	}
	line(`"subscribed"`, "secret:1")

	// The app subscribes a user to a channel that no client may have.
	if a := c.ask(http.MethodPost, c.site(1)+"/users/user0/channels/secret:1", ""); string(a.Connections) != "2" || a.Nodes != 3 {
		t.Errorf("subscribed: %+v", a)
	}
	if a := c.ask(http.MethodPost, c.site(1)+"/connections/"+names[1]+"/channels/secret:1", ""); string(a.Connections) != "1" {
		t.Errorf("subscribed a connection: %+v", a)
	}
	for _, ws := range conns {
		until(t, ws, `"subscribed"`, "secret:1")
	}
	c.ask(http.MethodPost, hub+"/channels/secret:1/messages", `{"content":"hush"}`)
	for _, ws := range conns {
		until(t, ws, `"message"`, "hush")
	}
	line(`"message"`, "hush", `"offset":1`)
	if a := c.ask(http.MethodDelete, c.site(1)+"/users/user0/channels/secret:1", ""); string(a.Connections) != "2" {
		t.Errorf("unsubscribed: %+v", a)
	}
	until(t, conns[0], `"unsubscribed"`, "secret:1")

	// A node drains: its clients leave. An operator who watches stays, and others may come.
	c.ask(http.MethodPost, c.admin(2, "/drain"), `{"window":"1s"}`)
	if a := c.ask(http.MethodGet, c.admin(2, "/health"), ""); a.Status != http.StatusServiceUnavailable || a.Hubs[0].Reasons[0] != "the node drains" {
		t.Errorf("the health: %+v", a)
	}
	until(t, conns[2], `"reconnect"`, `"after"`)
	if code := closed(t, conns[2]); code != websocket.CloseServiceRestart {
		t.Errorf("closed with %d", code)
	}
	late, err := http.Get(c.admin(2, "/hubs/default/tail?channel=chat:1"))
	if err != nil || late.StatusCode != http.StatusOK {
		t.Fatalf("a stream of a node that drains: %v %v", late, err)
	}
	late.Body.Close()
	c.ask(http.MethodPost, c.site(0)+"/channels/secret:1/messages", `{"content":"still here"}`)
	line(`"message"`, "still here")
	c.await("the drain", c.admin(2, "/drain"), func(a operatorAnswer) bool { return a.Drains[0].State == "drained" && a.Drains[0].Left == 0 })
	c.ask(http.MethodDelete, c.admin(2, "/drain"), "")
	if a := c.ask(http.MethodGet, c.admin(2, "/health"), ""); !a.Ready {
		t.Errorf("after the drain was cancelled: %+v", a)
	}

	// A node dies: the answers say that it is missing, until it counts as dead.
	c.nodes[2].Kill()
	c.await("a dead node", c.site(0)+"/connections?sort=age", func(a operatorAnswer) bool {
		return a.Partial && a.Missing == 1 && a.Nodes == 2 && strings.Count(string(a.Connections), `"connection":`) == 2
	})
}
