package session

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// watching writes only who is online.
type watching struct {
	frames
	panics string
}

func (e *watching) AppendEvent(dst []byte, ev hub.Event) []byte {
	w, ok := ev.(protocol.Watched)
	if !ok {
		return dst
	}
	if e.panics != "" {
		panic(e.panics)
	}
	return fmt.Appendf(dst, "+%s -%s\n", strings.Join(w.Online, ","), strings.Join(w.Offline, ","))
}

// watches opens a session of a user who watches others.
func (w *world) watches(user string, encoder hub.Encoder, users ...string) *client {
	w.t.Helper()
	c, e := w.dial(&Principal{Subject: policy.Subject{User: user}, IP: netip.MustParseAddr("192.0.2.1")}, func(o *Options) { o.Encoder = encoder })
	if e != nil {
		w.t.Fatal(e)
	}
	c.Watch(users)
	return c
}

func (w *world) watchlists(on bool) {
	w.config.Watchlists = on
	w.apply(w.config)
}

// after waits for the next counts and compares what the client was sent.
func (c *client) after(pauses int, want ...string) {
	c.t.Helper()
	time.Sleep(time.Duration(pauses)*watchPause + time.Millisecond)
	synctest.Wait()
	if got := c.wire.take(); !slices.Equal(got, want) {
		c.t.Errorf("%q, not %q", got, want)
	}
}

// A client learns who of its list is online, and later what changes.
func TestWatchlist(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		w.watchlists(true)
		bob, enc := w.watches("bob", native), new(watching)
		ann := w.watches("ann", enc, "bob", "eve", "bob", "", strings.Repeat("x", 200))
		ann.after(1, "+bob -eve")
		eve := w.watches("eve", native)
		more := w.watches("eve", native)
		ann.after(2, "+eve -")
		bob.Conn().Close(hub.ReasonGone)
		synctest.Wait()
		w.watches("bob", native) // is back in time
		eve.Conn().Close(hub.ReasonGone)
		ann.after(2)
		more.Conn().Close(hub.ReasonGone)
		late := w.watches("joe", enc, "ann", "eve")
		ann.after(2, "+ -eve")
		late.after(0, "+ann -eve")
		ann.Watch([]string{"joe"})
		ann.after(2, "+joe -")
		w.watches("eve", native)
		ann.after(2)
		late.after(0, "+eve -")
		ann.Conn().Close(hub.ReasonGone)
		late.after(2, "+ -ann")
		late.Conn().Close(hub.ReasonGone)
		synctest.Wait()
		l := &w.registry.Watchlists
		time.Sleep(3 * watchPause)
		synctest.Wait()
		if len(l.lists)+len(l.watchers)+len(l.online)+len(l.changed) != 0 || l.waiting {
			t.Errorf("left: %d %d %d %d", len(l.lists), len(l.watchers), len(l.online), len(l.changed))
		}
		w.watchlists(false)
		off := w.watches("ann", enc, "bob")
		off.after(3)
	})
}

// A user is online while it is connected to any node. Whoever was on a node that has died is offline
// after a while.
func TestWatchlistOverNodes(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		for _, w := range nodes {
			w.watchlists(true)
		}
		there := nodes[1].watches("bob", native)
		ann := nodes[0].watches("ann", new(watching), "bob")
		ann.after(1, "+bob -")
		watcher := nodes[2].watches("joe", new(watching), "ann")
		watcher.after(2, "+ -ann") // no node can be asked by this one
		there.Conn().Close(hub.ReasonGone)
		ann.after(watchAgain+1, "+ -bob")
		nodes[0].watches("joe", native) // makes the other nodes count joe alone
		watcher.after(2)
	})
}

// The longest id can be watched, and a longer one can not.
func TestWatchlistOfLongIDs(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		w.watchlists(true)
		longest := strings.Repeat("x", maxWatchedID)
		ann := w.watches("ann", new(watching), longest, longest+"x")
		ann.after(1, "+ -"+longest)
		there := w.watches(longest, native)
		ann.after(2, "+"+longest+" -")
		there.Conn().Close(hub.ReasonGone)
		ann.after(2, "+ -"+longest)
	})
}

// Other nodes are asked about what has changed, and now and then about everybody who is watched. Nobody is asked
// about users that nobody watches.
func TestWatchlistComesToRest(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		for _, w := range nodes {
			w.watchlists(true)
		}
		waits := func(w *world) bool {
			l := &w.registry.Watchlists
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.waiting
		}
		joe := nodes[0].watches("joe", native)
		time.Sleep(3*watchPause + time.Millisecond)
		if waits(nodes[0]) {
			t.Error("users are counted on and on, and nobody watches")
		}
		watcher := nodes[2].watches("eve", new(watching), "ann")
		watcher.after(2, "+ -ann")
		nodes[0].watches("ann", native)
		time.Sleep(watchPause + time.Millisecond)
		if waits(nodes[1]) || !waits(nodes[2]) {
			t.Errorf("counts again: %v without a watcher, %v with one", waits(nodes[1]), waits(nodes[2]))
		}
		joe.Watch([]string{"ann"})
		time.Sleep(3 * watchPause)
		before := c.asked.Load()
		time.Sleep(2 * watchAgain * watchPause)
		if n := c.asked.Load() - before; n != 2 {
			t.Errorf("%d questions in twice the time after which all are counted", n)
		}
	})
}

// A panic while users are counted costs one event.
func TestPanicInCountingUsers(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		log := w.logged()
		w.watchlists(true)
		enc := &watching{panics: "no luck"}
		ann := w.watches("ann", enc, "bob")
		time.Sleep(2 * watchPause)
		synctest.Wait()
		log.Once(t, "counting users", "no luck")
		ann.wire.take()
		other := w.watches("joe", new(watching), "ann", "bob")
		other.after(2, "+ann -bob")
	})
}
