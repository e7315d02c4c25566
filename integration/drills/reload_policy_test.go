package drills

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// reloadPolicy is what one of the configurations says that are loaded in turn.
type reloadPolicy struct {
	history     int    // of the rooms with the crowd
	memo        bool   // the rooms memo:* have a history
	publish     string // who may, in the room poll
	extra       bool   // there is a room extra:*
	crowded     bool   // the limit of connections is less than there are
	channels    int    // limit
	messageSize int    // limit
	heartbeat   int    // in seconds
}

// policyOf varies everything, each with a period of its own.
func policyOf(i int) reloadPolicy {
	return reloadPolicy{
		history:     []int{100, 400, 1000, 50}[i%4],
		memo:        i%2 == 0,
		publish:     []string{"anyone", "users", "server"}[i%3],
		extra:       i%5 < 3,
		crowded:     i%7 == 3,
		channels:    5 + i%2,
		messageSize: []int{4096, 800}[i%2],
		heartbeat:   20 + 10*(i%2),
	}
}

func (p reloadPolicy) caddyfile() string {
	connections, memo, extra := 5000, "", ""
	if p.crowded {
		connections = 10
	}
	if p.memo {
		memo = "history 100"
	}
	if p.extra {
		extra = "room extra:* {\nsubscribe anyone\n}"
	}
	return fmt.Sprintf(`
		http://{{site}} {
			log {
				output discard
			}
			encode /rt/sse
			witness
			realtime /rt {
				api_key {env.REALTIME_TEST_KEY}
				heartbeat %ds
				limits {
					connections %d
					channels %d
					message_size %d
					queue 10000 16MiB
				}
				room chat:* {
					subscribe anyone
					publish anyone
					history %d
				}
				room memo:* {
					subscribe anyone
					publish anyone
					%s
				}
				room quiet:* {
					subscribe anyone
				}
				room poll {
					subscribe anyone
					publish %s
				}
				%s
			}
		}
	`, p.heartbeat, connections, p.channels, p.messageSize, p.history, memo, p.publish, extra)
}

// prober finds out which policy is in force, with connections that live through
// all of them and with new ones.
type prober struct {
	t    *testing.T
	base string

	talker *wsClient  // publishes in poll
	guest  *wsClient  // is in extra:1 whenever it may
	member *wsClient  // is in as many channels as it always may
	stream *sseClient // is in quiet:1 and extra:1; nil while it may not
	app    *byHTTP
	inside bool // the guest is
}

func newProber(t *testing.T, base string) *prober {
	p := &prober{t: t, base: base, app: newHTTP(base, appKey, false)}
	t.Cleanup(p.app.close)
	p.talker, p.guest, p.member = dialWS(t, base, nil), dialWS(t, base, nil), dialWS(t, base, nil)
	for _, channel := range channelsOf("quiet", 5) {
		p.want(p.member, "subscribe", channel, "subscribed", "")
	}
	return p
}

// want sends a command about a channel and wants an answer of a type, with a code.
func (p *prober) want(c *wsClient, kind, channel, answer, code string) {
	p.t.Helper()
	payload := map[string]any{"channel": channel}
	if kind == "message" {
		payload["content"] = "probe"
	}
	ev, err := c.call(kind, payload)
	if err != nil || ev.Type != answer || ev.code() != code {
		p.t.Errorf("%s %s: got %v, %v, and not %s %s", kind, channel, ev, err, answer, code)
	}
}

// wantError is want for answers that are an error unless code is empty.
func (p *prober) wantError(c *wsClient, kind, channel, answer, code string) {
	p.t.Helper()
	if code != "" {
		answer = "error"
	}
	p.want(c, kind, channel, answer, code)
}

// check wants a policy to be in force.
func (p *prober) check(now reloadPolicy) {
	p.t.Helper()
	p.wantError(p.talker, "message", "poll", "ack",
		map[string]string{"anyone": "", "users": "UNAUTHORIZED", "server": "FORBIDDEN"}[now.publish])
	p.checkExtra(now)
	p.checkChannels(now)
	p.checkSize(now)
	p.checkNewcomer(now)
}

// checkExtra looks at the room that comes and goes: who is inside when it goes is
// told so, and nobody comes in while it is away.
func (p *prober) checkExtra(now reloadPolicy) {
	p.t.Helper()
	switch {
	case now.extra && !p.inside:
		p.want(p.guest, "subscribe", "extra:1", "subscribed", "")
	case now.extra:
		p.want(p.guest, "subscribe", "extra:1", "error", "ALREADY_SUBSCRIBED")
	case p.inside:
		p.wantOut("the guest", p.guest.await)
	default:
		p.want(p.guest, "subscribe", "extra:1", "error", "FORBIDDEN")
	}
	p.inside = now.extra
	if !now.extra && p.stream != nil {
		p.wantOut("the stream", p.stream.await)
		p.stream.close()
		p.stream = nil
	}
	if now.extra && p.stream == nil && !now.crowded {
		p.stream = dialSSE(p.t, streamClient(), streamURL(p.base, "quiet:1", "extra:1"), "")
	}
}

func (p *prober) wantOut(who string, await func(string) (envelope, error)) {
	p.t.Helper()
	ev, err := await("unsubscribed")
	if err != nil || ev.Payload.Channel != "extra:1" || ev.code() != "FORBIDDEN" || ev.Payload.Message == "" {
		p.t.Errorf("when the room was removed, %s got %v, %v", who, ev, err)
	}
}

// checkChannels tries one channel more than the lower of the limits.
func (p *prober) checkChannels(now reloadPolicy) {
	p.t.Helper()
	if now.channels == 5 {
		p.want(p.member, "subscribe", "quiet:sixth", "error", "LIMIT_EXCEEDED")
		return
	}
	p.want(p.member, "subscribe", "quiet:sixth", "subscribed", "")
	p.want(p.member, "unsubscribe", "quiet:sixth", "unsubscribed", "")
}

// checkSize publishes a content between the two limits, which binds the app, too.
func (p *prober) checkSize(now reloadPolicy) {
	p.t.Helper()
	m := post{channels: []string{"quiet:1"}, id: fmt.Sprintf("size-%p", &now), size: 1500}
	err := p.tryAgain(m)
	if r, refused := errors.AsType[refusal](err); refused != (now.messageSize < m.size) ||
		refused && !strings.Contains(r.text, "TOO_LARGE") {
		p.t.Errorf("%d bytes with a limit of %d: %v", m.size, now.messageSize, err)
	}
}

// tryAgain publishes like every client has to: a request that meets a reload may
// be dropped by the old listener.
func (p *prober) tryAgain(m post) (err error) {
	for range 5 {
		if _, err = p.app.publish(m); err == nil {
			return nil
		}
		if _, refused := errors.AsType[refusal](err); refused {
			return err
		}
	}
	return err
}

// checkNewcomer connects anew: what is beyond the limit is turned away, and nobody
// who is connected already.
func (p *prober) checkNewcomer(now reloadPolicy) {
	p.t.Helper()
	c, err := openWS(dialer(), p.base, nil)
	if now.crowded {
		if err == nil || !strings.Contains(err.Error(), "429") {
			p.t.Errorf("beyond the limit of connections: %v", err)
		}
		return
	}
	if err != nil {
		p.t.Errorf("a new connection: %v", err)
		return
	}
	defer c.close()
	if ms := c.hello.Payload.Heartbeat; ms != int64(now.heartbeat)*1000 {
		p.t.Errorf("a new connection is told of a heartbeat of %d ms, not %d s", ms, now.heartbeat)
	}
}
