package integration

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// notifyMembersVariable has the number of members for the long form of the test.
const notifyMembersVariable = "REALTIME_NOTIFY_MEMBERS"

// notifyCrowd are three nodes with members, whose app is notified.
type notifyCrowd struct {
	t        *testing.T
	app      *HookApp
	nodes    []*Process
	clients  [][]*websocket.Conn // by node
	messages int
}

func startNotifyCrowd(t *testing.T, app *HookApp, redis string) *notifyCrowd {
	t.Helper()
	site := strings.Replace(notifySite, "api_key", "redis "+redis+"\n\t\tapi_key", 1)
	c := &notifyCrowd{t: t, app: app, clients: make([][]*websocket.Conn, 3)}
	for range c.clients {
		c.nodes = append(c.nodes, StartProcess(t, site, "REALTIME_TEST_APP="+app.Addr(), "REALTIME_TEST_HOOK_SECRET="+HookSecret))
	}
	return c
}

// room returns a room. Members are spread over ten of them.
func room(i int) string { return fmt.Sprint("chat:", i%10) }

// enter brings members to a node, each with a connection of its own.
func (c *notifyCrowd) enter(node, members int) {
	c.t.Helper()
	for i := range members {
		n := login(c.t, c.nodes[node].Addr("site"), fmt.Sprintf("n%d-%d", node, i))
		n.subscribe(room(i))
		c.clients[node] = append(c.clients[node], n.Conn)
		go func() { // answers the probes of the server
			for _ = n.SetReadDeadline(time.Time{}); ; {
				if _, _, err := n.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
}

// publish publishes to every room through a node, each message until it is accepted.
func (c *notifyCrowd) publish(node int) {
	c.t.Helper()
	for i := range 10 {
		c.messages++
		key := strconv.Itoa(c.messages)
		for over := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			res, body := request(c.t, "POST", "http://"+c.nodes[node].Addr("site")+"/rt/channels/"+room(i)+"/messages",
				`{"content": `+key+`}`, "Authorization", "Bearer 0123456789abcdef", "Idempotency-Key", key)
			if res.StatusCode == http.StatusOK {
				break
			}
			if res.StatusCode != http.StatusServiceUnavailable || time.Now().After(over) {
				c.t.Fatalf("publishing is answered with %s: %s", res.Status, body)
			}
		}
	}
}

// leave closes the connections of a node.
func (c *notifyCrowd) leave(node int) {
	for _, ws := range c.clients[node] {
		ws.Close()
	}
}

// failing is an app that in turn fails, cuts off, is slow and accepts.
func failing() func(w http.ResponseWriter, r *http.Request) bool {
	var requests atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request) bool {
		switch requests.Add(1) % 5 {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
			return false
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			time.Sleep(300 * time.Millisecond)
		}
		return true
	}
}

// The app is notified of everything, once for three nodes and in order, while it fails, while a node
// is killed with its members, and while Redis is restarted.
func TestNotifyOverNodes(t *testing.T) {
	t.Parallel()
	members := 40
	if text := os.Getenv(notifyMembersVariable); text != "" {
		members, _ = strconv.Atoi(text)
	}
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	app := StartHookApp(t)
	c := startNotifyCrowd(t, app, redis.Addr)
	c.enter(0, members)
	for _, node := range []int{1, 2} {
		c.enter(node, 5) // of the first five rooms
	}
	all := members + 10
	c.publish(0)
	app.Until("all members", 30*time.Second, func() bool { return app.Events.Count("entered") == all })

	app.SetAnswer(failing())
	c.publish(0)
	app.Until("messages while it fails", 30*time.Second, func() bool { return app.Events.Count("message") == c.messages })
	c.nodes[0].Kill()
	c.publish(1)
	redis.Kill()
	redis.Restart()
	c.publish(2)
	app.SetAnswer(nil)
	// The node's lease ends after ten seconds, longer after a restart of Redis.
	app.Until("the end of the killed node", 40*time.Second, func() bool {
		return app.Events.Count("disconnected") == members && app.Events.Count("left") == members && app.Events.Count("vacated") == 5
	})
	c.leave(1)
	c.leave(2)
	app.Until("the end of all", 20*time.Second, func() bool {
		open, _ := app.Events.Open()
		return open == 0 && app.Events.Count("message") == c.messages
	})
	app.Check()
	for kind, want := range map[string]int{
		"connected": all, "disconnected": all, "occupied": 10, "vacated": 10, "entered": all, "left": all,
		"message": c.messages, "lost": 0,
	} {
		if got := app.Events.Count(kind); got != want {
			t.Errorf("%d events %s, not %d", got, kind, want)
		}
	}
	if _, repeated := app.Events.Open(); repeated == 0 {
		t.Error("nothing came twice, although the app failed")
	}
}
