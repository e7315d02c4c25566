package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const notifySite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key 0123456789abcdef
		notify {
			events connected disconnected occupied vacated entered left message changed
			channels chat:* doc:*
			secret {env.REALTIME_TEST_HOOK_SECRET}
			reverse_proxy {env.REALTIME_TEST_APP}
		}
		room chat:* {
			publish anyone
			subscribe anyone
			presence {
				grace 10ms
			}
			history 10
		}
		room doc:* {
			subscribe anyone
			publish anyone
			document
		}
		room quiet:* {
			subscribe anyone
			publish anyone
		}
	}
}
`

// notified is a client of a site whose app is notified.
type notified struct {
	*testing.T
	*websocket.Conn
}

func login(t *testing.T, addr, user string) *notified {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/rt", http.Header{"X-User": {user}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return &notified{t, ws}
}

// ask sends a command and waits for a reply of this type.
func (n *notified) ask(command, reply string) {
	n.Helper()
	if err := n.WriteMessage(websocket.TextMessage, []byte(command)); err != nil {
		n.Fatal(err)
	}
	for {
		_ = n.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, frame, err := n.ReadMessage()
		if err != nil {
			n.Fatalf("after %s: %v", command, err)
		}
		if strings.Contains(string(frame), `"type":"`+reply+`"`) {
			return
		}
		if strings.Contains(string(frame), `"type":"error"`) {
			n.Fatalf("after %s: %s", command, frame)
		}
	}
}

func (n *notified) subscribe(channel string) {
	n.Helper()
	n.ask(fmt.Sprintf(`{"type":"subscribe","payload":{"channel":%q}}`, channel), "subscribed")
}

func (n *notified) publish(channel string, content int) {
	n.Helper()
	n.ask(fmt.Sprintf(`{"type":"message","id":"p","payload":{"channel":%q,"content":%d}}`, channel, content), "ack")
}

func TestNotify(t *testing.T) {
	app := StartHookApp(t)
	t.Setenv("REALTIME_TEST_APP", app.Addr())
	t.Setenv("REALTIME_TEST_HOOK_SECRET", HookSecret)
	c := Start(t, notifySite)
	ann := login(t, c.Addr("site"), "ann")
	ann.subscribe("chat:1")
	ann.subscribe("quiet:1")
	ann.publish("quiet:1", 0)
	ann.publish("chat:1", 1)
	ann.subscribe("doc:1")
	ann.ask(`{"type":"change","id":"c","payload":{"channel":"doc:1","localVersion":1,"baseVersion":0,"patch":{"a":1}}}`, "change-accepted")
	app.Until("a change", 5*time.Second, func() bool { return app.Events.Count("changed") == 1 })

	// The app is away in several ways, and a reload lies in between.
	for i, f := range []func(w http.ResponseWriter, r *http.Request) bool{
		func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return false },
		func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, // cuts off
		func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/login", http.StatusFound)
			return false
		},
	} {
		app.SetAnswer(f)
		ann.publish("chat:1", 10+i)
		app.Until("a message", 5*time.Second, func() bool { return app.Events.Count("message") == 2+i })
		if i == 1 {
			c.Reload(notifySite + "\n# again")
		}
		app.SetAnswer(nil)
		_, before := app.Events.Open()
		app.Until("a repetition", 10*time.Second, func() bool { _, n := app.Events.Open(); return n > before })
	}
	ann.Close()
	app.Until("the end", 5*time.Second, func() bool { open, _ := app.Events.Open(); return open == 0 })
	app.Check()
	for kind, want := range map[string]int{"connected": 1, "disconnected": 1, "occupied": 2, "vacated": 2, "entered": 1, "left": 1, "message": 4, "changed": 1, "lost": 0} {
		if got := app.Events.Count(kind); got != want {
			t.Errorf("%d events %s, not %d", got, kind, want)
		}
	}
	for i, e := range app.Events.All() {
		if strings.HasPrefix(e.Channel, "quiet") || e.Type == "entered" && e.User != "ann" || e.Type == "message" && e.Sender != "ann" {
			t.Errorf("event %d: %+v", i, e)
		}
	}
}

// A reload changes the secret, and one without notify ends it.
func TestNotifyReload(t *testing.T) {
	app := StartHookApp(t)
	t.Setenv("REALTIME_TEST_APP", app.Addr())
	t.Setenv("REALTIME_TEST_HOOK_SECRET", HookSecret)
	c := Start(t, notifySite)
	ann := login(t, c.Addr("site"), "ann")
	ann.subscribe("chat:1")
	app.Until("a member", 5*time.Second, func() bool { return app.Events.Count("entered") == 1 })

	const next = "whsec_enl6enl6enl6enl6enl6enl6enl6enl6enl6"
	app.SetSecret(next)
	t.Setenv("REALTIME_TEST_HOOK_SECRET", next)
	c.Reload(notifySite + "\n# again")
	ann.publish("chat:1", 1)
	app.Until("a message", 5*time.Second, func() bool { return app.Events.Count("message") == 1 })

	without := notifySite[:strings.Index(notifySite, "\t\tnotify {")] + notifySite[strings.Index(notifySite, "\t\troom chat"):]
	c.Reload(without)
	ann.publish("chat:1", 2)
	time.Sleep(200 * time.Millisecond)
	if n := app.Events.Count("message"); n != 1 {
		t.Errorf("without notify %d messages arrive", n)
	}
	c.Reload(notifySite)
	app.Until("what there is", 5*time.Second, func() bool { return app.Events.Count("connected") == 2 })

	app.SetAnswer(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusGone); return false })
	ann.publish("chat:1", 3)
	c.WaitLog("the app answers 410")
}

func TestNotifyErrors(t *testing.T) {
	app := StartHookApp(t)
	t.Setenv("REALTIME_TEST_APP", app.Addr())
	t.Setenv("REALTIME_TEST_HOOK_SECRET", HookSecret)
	c := Start(t, notifySite)
	second := strings.Replace(notifySite, "/rt {", "/other {", 1)
	second = second[strings.Index(second, "realtime"):strings.LastIndex(second, "}")]
	both := notifySite[:strings.LastIndex(notifySite, "}")] + second + "}"
	if err := c.Load(both); err == nil || !strings.Contains(err.Error(), "/rt") || !strings.Contains(err.Error(), "/other") {
		t.Errorf("two blocks of one hub: %v", err)
	}
	t.Setenv("REALTIME_TEST_HOOK_SECRET", "whsec_c2hvcnQ=")
	err := c.Load(notifySite + "\n# again")
	if err == nil || !strings.Contains(err.Error(), "24 to 64 bytes") || strings.Contains(err.Error(), "c2hvcnQ") {
		t.Errorf("a short secret: %v", err)
	}
}
