package engineio_test

import (
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// probing opens a WebSocket for the session of a poller and probes.
func probing(t testing.TB, addr string, p *poller) *socket {
	t.Helper()
	s := dial(t, addr, "&sid="+p.sid)
	s.say("2probe")
	s.want("3probe")
	return s
}

// refused wants a WebSocket for the session to be closed.
func (p *poller) refused(addr string) {
	p.t.Helper()
	s := dial(p.t, addr, "&sid="+p.sid)
	if _, m, err := s.ReadMessage(); !websocket.IsCloseError(err, 1013) {
		p.t.Fatalf("%q %v", m, err)
	}
}

// TestUpgrade runs the whole way from polls to a WebSocket. Messages that come at any time arrive
// once and in order.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, hub.Settings{})
			server := httptest.NewUnstartedServer(n)
			dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			addr := ""
			if scheme == "http" {
				server.Start()
				addr = strings.TrimPrefix(server.URL, "http://")
			} else {
				server.StartTLS()
				addr = strings.TrimPrefix(server.URL, "https://")
			}
			t.Cleanup(server.Close)
			plain := listen(t, n) // polls may come by another connection
			p := newPoller(t, plain)
			p.post(200, "4join")
			p.want("4joined")
			held := p.later()
			n.waitHeld(p)
			c, _, err := dialer.Dial("ws"+strings.TrimPrefix(scheme, "http")+"://"+addr+"/socket.io/?EIO=4&transport=websocket&sid="+p.sid, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			s := &socket{t, c}
			s.say("2probe")
			s.want("3probe")
			if got := <-held; got != "6" {
				t.Fatalf("%q instead of a noop", got)
			}
			n.publish("between")
			p.want("4between") // a poll still gets what comes before the upgrade
			held = p.later()
			if got := <-held; got != "6" {
				t.Fatalf("%q instead of a noop", got)
			}
			n.publish("queued 1")
			n.publish("queued 2")
			p.refused(plain)
			s.say("5")
			s.want("4queued 1", "4queued 2")
			n.publish("after")
			s.want("4after")
			s.say("4hello", "4both")
			s.want("4hello", "4one attachment", "binary:\xff\x00")
			for _, method := range []string{"GET", "POST"} {
				if res, body := get(t, method, p.url(), nil, "4x"); res.StatusCode != 400 || body != `{"code":3,"message":"Bad request"}` {
					t.Errorf("%s: %d %s", method, res.StatusCode, body)
				}
			}
			p.refused(plain)
			s.say("1")
			s.want("4bye")
			s.wantClosed(1000)
			n.waitGone(p)
			p.wantUnknown()
		})
	}
}

// A stream of messages over the upgrade loses nothing and keeps its order.
func TestOrderOfUpgrade(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{QueueMessages: 5000})
	addr := listen(t, n)
	for round := range 10 {
		p := newPoller(t, addr)
		p.post(200, "4join")
		p.want("4joined")
		const total = 500
		published := make(chan struct{})
		go func() {
			defer close(published)
			for i := range total {
				n.publish(fmt.Sprint(i))
				if i%50 == 49 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		var got []string
		poll := func() {
			for m := range strings.SplitSeq(p.get(), separator) {
				if m != "6" {
					got = append(got, m)
				}
			}
		}
		for i := 0; i < round && len(got) < total; i++ {
			poll()
		}
		s := probing(t, addr, p)
		poll()
		s.say("5")
		for len(got) < total {
			got = append(got, s.next())
		}
		<-published
		for i, m := range got {
			if m != fmt.Sprint("4", i) {
				t.Fatalf("round %d: message %d is %q", round, i, m)
			}
		}
		s.say("1")
		s.want("4bye")
	}
}

// What does not begin an upgrade closes the WebSocket, and the session goes on with polls.
func TestHostileUpgrades(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	for _, first := range []string{"5", "4hello", "2", "", "3probe", "binary:2probe"} {
		p := newPoller(t, addr)
		s := dial(t, addr, "&sid="+p.sid)
		s.say(first)
		s.wantClosed(1002)
		p.post(200, "4hello")
		p.want("4hello")
	}
	p := newPoller(t, addr)
	s := probing(t, addr, p)
	p.refused(addr)
	_ = s.Close() // without a close frame
	for range 2 {
		n.waitUnprobed(p)
		s := probing(t, addr, p)
		s.say("4hello")
		s.wantClosed(1002)
	}
	n.waitUnprobed(p)
	p.refused(addr) // it has had its three
	p.post(200, "4hello")
	p.want("4hello")
}

// waitGone waits until a session is over.
func (n *node) waitGone(p *poller) {
	n.t.Helper()
	for end := time.Now().Add(10 * time.Second); n.sessions.Has(p.sid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("the session stays")
		}
	}
}

// waitUnprobed waits until no WebSocket may take the session over.
func (n *node) waitUnprobed(p *poller) {
	n.t.Helper()
	for end := time.Now().Add(10 * time.Second); n.sessions.Probed(p.sid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("the probe stays")
		}
	}
}

// An upgrade that is not completed is given up, and the session goes on with polls.
func TestUpgradeTimeout(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	p := newPoller(t, addr)
	s := probing(t, addr, p)
	n.sessions.Hurry(p.sid)
	if _, _, err := s.ReadMessage(); err == nil {
		t.Error("the WebSocket is open")
	}
	p.post(200, "4hello")
	p.want("4hello")
}

// The end of the session ends the probe as well.
func TestEndDuringUpgrade(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	p := newPoller(t, addr)
	s := probing(t, addr, p)
	p.post(400, "2")
	if _, m, err := s.ReadMessage(); err == nil {
		t.Errorf("%q", m)
	}
	n.waitConnections(0)
}

// A client of an upgraded session that does not answer heartbeats is closed.
func TestHeartbeatAfterUpgrade(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{Heartbeat: 200 * time.Millisecond, Timeout: 100 * time.Millisecond})
	addr := listen(t, n)
	p := newPoller(t, addr)
	s := probing(t, addr, p)
	s.say("5")
	for range 3 {
		s.want("2")
		s.say("3")
	}
	s.want("2")
	s.wantClosed(4501)
	n.waitGone(p)
	p.wantUnknown()
}
