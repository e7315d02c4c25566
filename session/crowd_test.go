package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// crowd takes all the space of a room, and returns what gives it back.
func (w *world) crowd(channel string) (over func()) {
	space, err := w.hub.Reserve(w.t.Context(), channel, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return space.Release
}

// A publisher on a connection is not answered and not read while its room has too much
// to deliver, however long that takes, and does not count as silent.
func TestPublisherWaitsForTheRoom(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		w.hub.Apply(hub.Settings{Heartbeat: 500 * time.Millisecond, Timeout: 200 * time.Millisecond})
		c := w.connect("", func(o *Options) { o.Answers = true })
		c.say(`{"type":"subscribe","payload":{"channel":"a"}}`)
		synctest.Wait()
		c.wire.take()
		over, done := w.crowd("a"), make(chan struct{})
		go func() {
			defer close(done)
			c.say(`{"type":"message","id":1,"payload":{"channel":"a","content":1}}`)
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.wire.take(); len(got) > 0 || w.hub.Conns() != 1 {
			t.Errorf("while it waited: %q, %d connections", got, w.hub.Conns())
		}
		over()
		<-done
		synctest.Wait()
		if got := c.wire.take(); len(got) != 2 || w.hub.Conns() != 1 {
			t.Errorf("then: %q, %d connections", got, w.hub.Conns())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(c.reasons) != 1 || c.reasons[0] != hub.ReasonSilent {
			t.Errorf("a client that is silent by itself ended with %v", c.reasons)
		}
	})
}

// A publisher that waits is let go when its connection ends.
func TestWaitEndsWithTheConnection(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		w.connect("").say(subscribeTo("a"))
		c := w.connect("")
		defer w.crowd("a")()
		time.AfterFunc(time.Second, func() { c.Conn().Close(hub.ReasonLost) })
		begin := time.Now()
		c.say(`{"type":"message","id":1,"payload":{"channel":"a","content":1}}`)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it waited %v", took)
		}
	})
}

// Who asks over HTTP is told to come back.
func TestRequestsDoNotWaitLong(t *testing.T) {
	atDesk(t, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world, _ *stubborn) {
		w.connect("").say(subscribeTo("doc"))
		over := w.crowd("doc")
		message := func() *protocol.Error {
			ctx := hub.WithPatience(t.Context(), 2*time.Second)
			_, e := w.registry.Publishing.Publish(ctx, Caller{Principal: named("ann")}, protocol.Publish{Channel: "doc", Content: []byte("1")})
			return e
		}
		change := func() *protocol.Error {
			ctx := hub.WithPatience(t.Context(), 2*time.Second)
			_, e := w.registry.Documents.Amend(ctx, Caller{Principal: named("ann")}, Proposal{Channel: "doc", Latest: true, Patch: []byte(`{"a":1}`)})
			return e
		}
		for _, do := range []func() *protocol.Error{message, change} {
			begin := time.Now()
			e := do()
			if codeOf(e) != protocol.Unavailable || e.RetryAfter < time.Second || time.Since(begin) != 2*time.Second {
				t.Errorf("%v after %v", e, time.Since(begin))
			}
		}
		over()
		for _, do := range []func() *protocol.Error{message, change} {
			if e := do(); e != nil {
				t.Errorf("with space: %v", e)
			}
		}
		if n := w.hub.Stats(); n.Rejected != 2 || n.Waiting != 0 {
			t.Errorf("%+v", n)
		}
	})
}
