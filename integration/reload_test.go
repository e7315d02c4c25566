package integration

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// dial connects a WebSocket and reads the greeting.
func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("%v, %v", err, res)
	}
	t.Cleanup(func() { _ = ws.Close() })
	expect(t, ws, `"type":"connected"`)
	return ws
}

func send(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// expect reads frames until one has text in it.
func expect(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("before a frame with %s: %v", text, err)
		}
		if strings.Contains(string(frame), text) {
			return
		}
	}
}

// stream opens an event stream and gives its lines.
func stream(t *testing.T, url string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = res.Body.Close() })
	if res.StatusCode != 200 {
		t.Fatalf("the stream answers %d", res.StatusCode)
	}
	return bufio.NewScanner(res.Body)
}

func expectLine(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before a line with %s: %v", text, lines.Err())
}

// TestReloadDropsNobody holds a WebSocket and event streams, one of which is kept
// from being taken over, through reloads, and sends to them before and after.
func TestReloadDropsNobody(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	site := openSite + `
		http://{{wrapped}} {
			encode
			realtime /rt
		}
	`
	site = strings.Replace(site, "realtime /rt {", "log\nrealtime /rt {", 1)
	c := Start(t, site)
	base := "http://" + c.Addr("site") + "/rt"
	publish := func(text string) {
		t.Helper()
		res, answer := request(t, "POST", base+"/channels/open:1/messages", `{"content": "`+text+`"}`)
		if res.StatusCode != 200 {
			t.Fatalf("publishing answers %d %s", res.StatusCode, answer)
		}
	}
	ws := dial(t, "ws"+strings.TrimPrefix(base, "http"))
	send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"open:1"}}`)
	expect(t, ws, `"type":"subscribed"`)
	streams := []*bufio.Scanner{
		stream(t, base+"?channel=open:1"),
		stream(t, "http://"+c.Addr("wrapped")+"/rt?channel=open:1"),
	}
	for _, s := range streams {
		expectLine(t, s, "subscribed")
	}
	publish("before")
	for range 3 {
		c.Reload(site)
	}
	publish("after")
	for _, text := range []string{"before", "after"} {
		expect(t, ws, text)
		for _, s := range streams {
			expectLine(t, s, text)
		}
	}
	c.Reload(strings.Replace(site, "room open:*", "room closed:*", 1))
	expect(t, ws, `"type":"unsubscribed"`)
	for _, s := range streams {
		expectLine(t, s, "unsubscribed")
	}
}

// TestFailedReloadIsNotInForce has a reload fail again and again because a port is taken,
// while anybody tries to publish to a room that only the failing configuration opens, and
// somebody is subscribed to one that it closes. No request goes by it, however the moment
// falls.
func TestFailedReloadIsNotInForce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	site := `
		http://{{site}} {
			realtime /rt {
				heartbeat 10m 10m # the subscriber reads nothing, and answers no ping, during the reloads
				room kept {
					subscribe anyone
					publish anyone
				}
				room shut
			}
		}
	`
	wrong := strings.Replace(site, "room kept", "room gone", 1)
	wrong = strings.Replace(wrong, "room shut", "room shut {\npublish anyone\n}", 1) + "http://" + taken.Addr().String() + " {\nrespond ok\n}"
	c := Start(t, site)
	base := "http://" + c.Addr("site") + "/rt"
	ws := dial(t, "ws"+strings.TrimPrefix(base, "http"))
	send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"kept"}}`)
	expect(t, ws, `"type":"subscribed"`)
	ctx, stop := context.WithCancel(t.Context())
	var through, refused atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for ctx.Err() == nil {
				res, err := client.Post(base+"/channels/shut/messages", "application/json", strings.NewReader(`{"content":1}`))
				if err != nil {
					continue // a listener that has just been closed
				}
				_ = res.Body.Close()
				if res.StatusCode == 200 {
					through.Add(1)
				} else {
					refused.Add(1)
				}
			}
		})
	}
	for range 20 {
		if err := c.Load(wrong); err == nil {
			t.Error("a configuration is loaded whose port is taken")
		}
	}
	stop()
	all.Wait()
	if through.Load() > 0 || refused.Load() == 0 {
		t.Errorf("%d messages were let into a closed room, %d refused", through.Load(), refused.Load())
	}
	res, answer := request(t, "POST", base+"/channels/kept/messages", `{"content":"still here"}`)
	if res.StatusCode != 200 {
		t.Fatalf("publishing answers %d %s", res.StatusCode, answer)
	}
	_, frame, err := ws.ReadMessage()
	if err != nil || !strings.Contains(string(frame), "still here") {
		t.Errorf("the subscriber hears %s, %v", frame, err)
	}
	taken.Close()
	c.Reload(wrong)
	expect(t, ws, `"type":"unsubscribed"`)
	if res, answer := request(t, "POST", base+"/channels/shut/messages", `{"content":1}`); res.StatusCode != 200 {
		t.Errorf("after the reload publishing answers %d %s", res.StatusCode, answer)
	}
}

// TestExplicitHub shares a hub between two addresses: one for browsers, one for the
// app.
func TestExplicitHub(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := Start(t, `
		{
			realtime chat {
				room chat:* {
					subscribe anyone
				}
			}
		}
		http://{{browsers}} {
			realtime /rt {
				hub chat
			}
		}
		http://{{app}} {
			realtime /api {
				hub chat
				api_key {env.REALTIME_TEST_KEY}
			}
		}
	`)
	ws := dial(t, "ws://"+c.Addr("browsers")+"/rt")
	send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"chat:1"}}`)
	expect(t, ws, `"type":"subscribed"`)
	res, text := request(t, "POST", "http://"+c.Addr("app")+"/api/channels/chat:1/messages", `{"content": "hello"}`, "Authorization", "Bearer "+appKey)
	if res.StatusCode != 200 {
		t.Fatalf("publishing answers %d %s", res.StatusCode, text)
	}
	expect(t, ws, "hello")
}

func TestRemovedRouteEndsConnections(t *testing.T) {
	c := Start(t, openSiteWithoutKey)
	ws := dial(t, "ws://"+c.Addr("site")+"/rt")
	c.Reload(`
		http://{{site}} {
			respond "gone"
		}
	`)
	_, _, err := ws.ReadMessage()
	if !websocket.IsCloseError(err, int(hub.ReasonReplaced.Code)) {
		t.Errorf("the connection ended with %v", err)
	}
}

var openSiteWithoutKey = strings.Replace(openSite, "api_key {env.REALTIME_TEST_KEY}", "", 1)
