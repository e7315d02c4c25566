package session

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// relogged makes the registry log to a new log, as a reload does.
func (w *world) relogged() *logs {
	next := new(logs)
	c := w.config
	c.Logger = slog.New(slog.NewJSONHandler(next, nil))
	w.apply(c)
	return next
}

// A command that fails after a reload is logged by the new configuration. The log of the
// one that it started with may be closed.
func TestFailureAfterReloadIsLogged(t *testing.T) {
	broken := errors.New("out of order")
	for name, run := range map[string]func(t *testing.T, w *world) *logs{
		"history": func(t *testing.T, w *world) (next *logs) {
			w.broker.set(func() { w.broker.fail, w.broker.during = broken, func() { next = w.relogged() } })
			if _, e := w.registry.Publishing.History(t.Context(), Caller{App: true}, protocol.History{Channel: "kept", Limit: 1}); e == nil {
				t.Error("no error")
			}
			return next
		},
		"subscribe": func(_ *testing.T, w *world) *logs {
			c, hold := w.connect("ann"), make(chan struct{})
			w.broker.set(func() { w.broker.hold, w.broker.fail = hold, broken })
			go c.say(`{"type":"subscribe","id":1,"payload":{"channel":"kept"}}`)
			synctest.Wait()
			next := w.relogged()
			close(hold)
			c.hears(failure("1", protocol.Internal))
			return next
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, []policy.Room{kept("kept", 10)}, func(t *testing.T, w *world) {
				if next := run(t, w); !strings.Contains(next.String(), `"command":"`+name+`"`) {
					t.Errorf("the new log has %q, the old one %q", next, w.logs)
				}
			})
		})
	}
}

// A subscription that ends because the document can not be read leaves no member behind,
// even if a reload has made the client one meanwhile.
func TestFailedDocumentLeavesNoMember(t *testing.T) {
	room := desk(document.Options{})
	atDesk(t, []policy.Room{room}, func(t *testing.T, w *world, store *stubborn) {
		withMembers(t, w)
		c := w.connect("ann")
		store.fail, store.during = errors.New("away"), func() {
			store.during = nil
			present := room
			present.Members = lobby("doc").Members
			w.rules(present)
			if !c.present("doc") {
				t.Error("the reload made no member of the client")
			}
		}
		c.say(subscribeDoc)
		settle()
		if c.present("doc") {
			t.Error("the client is a member of a room that it is not in")
		}
	})
}
