package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func patternSubscribed(pattern string) string {
	return `{"type":"subscribed","id":1,"payload":{"pattern":"` + pattern + `"}}`
}

func patternRevoked(pattern string, code protocol.Code) string {
	return `{"type":"unsubscribed","payload":{"pattern":"` + pattern + `","code":"` + string(code) + `"}}`
}

// feedless checks that no feed is left when the last subscriber of a pattern is gone: else the node
// would be sent messages for nobody.
func (w *world) feedless(c *client, pattern string) {
	w.t.Helper()
	if feed := w.hub.FeedOf(c.Conn(), pattern); feed != "" {
		w.t.Errorf("the connection still has the feed %s", feed)
	}
	if w.broker.feeds.Load() != 0 {
		w.t.Errorf("%d feeds are attached", w.broker.feeds.Load())
	}
}

// A connection that is closed, for whatever reason, gets nothing more of its patterns.
func TestPatternEndsWithItsConnection(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(w *world, c *client)
		code string
	}{
		"kick": {func(w *world, c *client) {
			if _, e := w.registry.Kicks.User(w.t.Context(), "ann", protocol.ReasonForbidden); e != nil {
				w.t.Error(e)
			}
		}, "4403"},
		"revocation": {func(w *world, c *client) {
			if _, e := w.registry.Revocations.Revoke(w.t.Context(), auth.Revocation{User: "ann"}); e != nil {
				w.t.Error(e)
			}
		}, "4401"},
		"expiry": {func(w *world, c *client) {
			time.Sleep(time.Hour + leeway + expiryGrace + expiryJitter)
		}, "4503"},
	} {
		t.Run(name, func(t *testing.T) {
			inRealm(t, Realm{}, []policy.Room{spanned("orders:*", policy.Users)}, func(t *testing.T, w *world) {
				c := w.arrive(w.tokenPeer(claims("ann")))
				c.say(subscribePattern("orders:*"))
				c.hears(patternSubscribed("orders:*"))
				w.say("orders:1", `1`)
				c.hears(`{"type":"message","payload":{"channel":"orders:1","content":1}}`)
				tt.end(w, c)
				c.hears(`{"close":` + tt.code + `}`)
				w.say("orders:1", `2`)
				c.hears()
				w.feedless(c, "orders:*")
			})
		})
	}
}

// A renewed token that grants less ends the patterns that it does not grant any more, and keeps the
// others.
func TestRenewalRechecksPatterns(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{spanned("orders:*", policy.Granted)}, func(t *testing.T, w *world) {
		c := w.arrive(w.tokenPeer(claims("ann", grants("orders:*", "subscribe"))))
		c.say(subscribePattern("orders:*"), subscribePattern("orders:eu:*"))
		c.hears(patternSubscribed("orders:*"), patternSubscribed("orders:eu:*"))
		time.Sleep(50 * time.Minute)
		less := claims("ann", grants("orders:eu:*", "subscribe"))
		c.say(authenticateWith(token(t, less)))
		c.hears(authenticated(less), patternRevoked("orders:*", protocol.Forbidden))
		w.say("orders:us:1", `1`)
		w.say("orders:eu:1", `2`)
		c.hears(`{"type":"message","payload":{"channel":"orders:eu:1","content":2}}`)
		time.Sleep(30 * time.Minute) // the first token is over, the second one is not
		w.say("orders:eu:1", `3`)
		c.hears(`{"type":"message","payload":{"channel":"orders:eu:1","content":3}}`)
		none := claims("ann")
		c.say(authenticateWith(token(t, none)))
		c.hears(authenticated(none), patternRevoked("orders:eu:*", protocol.Forbidden))
		w.feedless(c, "orders:eu:*")
	})
}

// The forced filter of a pattern sees the claims of the token that counts now.
func TestRenewalChangesTheFilterOfAPattern(t *testing.T) {
	room := spanned("orders:*", policy.Users)
	room.Filter = mustCompile(t, `tags.team == claim.team`)
	inRealm(t, Realm{}, []policy.Room{room}, func(t *testing.T, w *world) {
		team := func(name string) map[string]any { return claims("ann", map[string]any{"team": name}) }
		c := w.arrive(w.tokenPeer(team("red")))
		c.say(subscribePattern("orders:*"))
		c.hears(patternSubscribed("orders:*"))
		pour := func() []string {
			for _, tags := range []string{`{"team":"red"}`, `{"team":"blue"}`} {
				m := protocol.Publish{Channel: "orders:1", Content: []byte(tags[8:]), Tags: []byte(tags)}
				m.Content = m.Content[:len(m.Content)-1]
				if _, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, m); e != nil {
					t.Fatal(e)
				}
			}
			synctest.Wait()
			return contents(c)
		}
		if got := pour(); !slices.Equal(got, []string{"red"}) {
			t.Errorf("with the first token: %v", got)
		}
		blue := team("blue")
		c.say(authenticateWith(token(t, blue)))
		c.hears(authenticated(blue))
		if got := pour(); !slices.Equal(got, []string{"blue"}) {
			t.Errorf("with the second token: %v", got)
		}
	})
}

// A reload that takes subscribe_pattern away ends patterns, and leaves the channels of the block alone.
func TestReloadTakesPatternsAway(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{spanned("orders:*", policy.Users)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(subscribePattern("orders:*"), subscribeTo("orders:1"))
		synctest.Wait()
		c.wire.take()
		w.rules(kept("orders:*", 10))
		c.hears(patternRevoked("orders:*", protocol.Forbidden))
		w.feedless(c, "orders:*")
		w.say("orders:2", `1`)
		c.hears()
		w.say("orders:1", `2`)
		synctest.Wait()
		if got := strings.Join(c.wire.take(), ""); !strings.Contains(got, `"content":2`) {
			t.Errorf("the channel: %s", got)
		}
		c.say(subscribePattern("orders:*"))
		synctest.Wait()
		if got := strings.Join(c.wire.take(), ""); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("once more: %s", got)
		}
		w.rules(spanned("orders:*", policy.Users))
		c.say(subscribePattern("orders:*"))
		c.hears(patternSubscribed("orders:*"))
	})
}
