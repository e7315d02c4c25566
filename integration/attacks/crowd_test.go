package attacks

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// crowdSite has rooms with much to deliver, in a server of its own.
const crowdSite = `
http://{{site}} {
	realtime /rt {
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room oldest:* {
			subscribe anyone
			publish anyone
			slow drop_oldest
		}
		room latest:* {
			subscribe anyone
			publish anyone
			slow latest
		}
	}
}
`

// attackCrowds make a room hold more than it can deliver.
func attackCrowds(w *world) []attack {
	large := strings.Repeat("x", 60<<10)
	return []attack{
		{"a publisher that is faster than its channel of 100 readers, for 3 s", "the channel holds no more than a few messages", func(t *testing.T) string {
			s := crowdServer(t, w, bounds{peak: 40 << 20, kept: 40 << 20, cpu: 20 * time.Second})
			for range 100 {
				go func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }(s.reader(t, "plain:1"))
			}
			sent := publishFor(t, s, "plain:1", large, 3*time.Second)
			return fmt.Sprintf("the channel holds no more than a few messages (%d of 60 KiB were taken)", sent)
		}},
		{"200 readers that read nothing of a burst of 130 messages of 60 KiB", "each holds no more than its queue", func(t *testing.T) string {
			s := crowdServer(t, w, bounds{peak: 96 << 20, kept: 96 << 20, cpu: 6 * time.Second})
			for range 200 {
				s.reader(t, "oldest:1")
			}
			publishMany(t, s, "oldest:1", large, 130)
			return "each holds no more than its queue"
		}},
		{"20 readers stuck under drop_oldest and latest, and 20,000 more messages", "a message costs the same however many were dropped", func(t *testing.T) string {
			s := crowdServer(t, w, bounds{peak: 96 << 20, kept: 96 << 20, cpu: 6 * time.Second})
			for _, channel := range []string{"oldest:1", "latest:1"} {
				for range 20 {
					s.reader(t, channel)
				}
				publishMany(t, s, channel, large, 130) // fills the sockets
				publishMany(t, s, channel, "small", 20_000)
			}
			return "a message costs the same however many were dropped"
		}},
	}
}

func crowdServer(t *testing.T, w *world, b bounds) target {
	p := integration.StartProcess(t, crowdSite)
	w.gauge.watch(p)
	w.gauge.allow(b)
	return target(p.Addr("site"))
}

// reader subscribes with a small window and reads nothing by itself.
func (s target) reader(t *testing.T, channel string) net.Conn {
	c := s.connect(t)
	c.ask(t, "subscribe", `{"channel":"`+channel+`"}`)
	_ = c.conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	_ = c.conn.SetReadDeadline(time.Time{})
	return c.conn
}

func publishing(channel, content string) []byte {
	return frame(headText, fmt.Sprintf(`{"type":"message","payload":{"channel":%q,"content":%q}}`, channel, content))
}

// publishMany publishes n messages and waits until the last one is accepted.
func publishMany(t *testing.T, s target, channel, content string, n int) {
	t.Helper()
	c, text := s.connect(t), publishing(channel, content)
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	for range n {
		if _, err := c.conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	c.ask(t, "ping", `{}`)
}

// publishFor publishes for some time, as much as the server takes.
func publishFor(t *testing.T, s target, channel, content string, d time.Duration) (sent int) {
	t.Helper()
	c, text := s.connect(t), publishing(channel, content)
	_ = c.conn.SetWriteDeadline(time.Now().Add(d))
	for {
		if _, err := c.conn.Write(text); err != nil {
			return sent
		}
		sent++
	}
}
