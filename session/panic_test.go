package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// logged has the registry log to a new log.
func (w *world) logged() *panictest.Log {
	log := new(panictest.Log)
	w.config.Logger = log.Logger()
	w.apply(w.config)
	return log
}

// A session that can not be ended when its token is over keeps nothing locked, and the
// others are ended.
func TestPanicInTheEndOfAToken(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		log := w.logged()
		broken, other := w.arrive(w.tokenPeer(claims("ann"))), w.arrive(w.tokenPeer(claims("ann")))
		conn := broken.Session.conn
		broken.mu.Lock()                    // as its timer does before it reads the field
		broken.Session.conn = new(hub.Conn) // of no hub
		broken.mu.Unlock()
		time.Sleep(time.Hour + leeway + expiryGrace + expiryJitter + time.Second)
		synctest.Wait()
		log.Once(t, "the end of a token", "runtime error: invalid memory address or nil pointer dereference")
		other.hears(`{"close":4503}`)
		if !broken.mu.TryLock() {
			t.Fatal("the session stays locked")
		}
		broken.Session.conn = conn
		broken.mu.Unlock()
	})
}

// A store that panics while a subscriber of before is to follow a new document costs the
// subscriber's connection alone.
func TestPanicInALateSubscription(t *testing.T) {
	plain := desk(document.Options{})
	plain.Document = nil
	atDesk(t, []policy.Room{plain}, func(t *testing.T, w *world, store *stubborn) {
		log := w.logged()
		c, other := w.connect("ann"), w.connect("ben")
		c.say(subscribeDoc)
		synctest.Wait()
		c.wire.take()
		store.Store = panicky{store.Store}
		w.rules(desk(document.Options{}))
		c.hears(`{"close":1011}`)
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonInternal {
			t.Errorf("ended with %v", c.reasons)
		}
		log.Once(t, "a subscription to a document", "attach")
		other.say(`{"type":"ping","id":1}`)
		other.hears(`{"type":"pong","id":1,"payload":{}}`)
	})
}

// panicky is a store of documents whose Attach panics.
type panicky struct{ document.Store }

func (panicky) Attach(context.Context, string) error { panic("attach") }

// A timer of a dialect that panics costs its connection alone.
func TestPanicInATimerOfADialect(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		log := w.logged()
		broken, other := w.connect("ann"), w.connect("ben")
		broken.Later(time.Minute, func() { panic("late") })
		time.Sleep(time.Minute)
		broken.hears(`{"close":1011}`)
		log.Once(t, "a timer of a dialect", "late")
		other.say(`{"type":"ping","id":1}`)
		other.hears(`{"type":"pong","id":1,"payload":{}}`)
	})
}
