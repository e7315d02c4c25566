package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// counting writes only how many subscriptions there are.
type counting struct{ frames }

func (*counting) AppendEvent(dst []byte, ev hub.Event) []byte {
	if c, ok := ev.(protocol.Subscriptions); ok {
		return fmt.Appendf(dst, "%s %d\n", c.Channel, c.Count)
	}
	return dst
}

// countings keeps what is recorded for the app.
type countings struct {
	list   []string
	missed int
	panic  bool
	fail   error
}

func (c *countings) Missed(context.Context, string) error {
	c.missed++
	return c.fail
}

func (c *countings) Counted(_ context.Context, channel string, n int) error {
	if c.panic {
		panic("no luck")
	}
	c.list = append(c.list, fmt.Sprint(channel, " ", n))
	return c.fail
}

// counts makes the channels that start with c counted.
func (w *world) counts() (recorded *countings) {
	recorded = new(countings)
	w.registry.WithRecorder(recorded)
	w.config.Counted = func(channel string) bool { return strings.HasPrefix(channel, "c") }
	w.apply(w.config)
	return recorded
}

// counted opens a session that is subscribed to channels.
func (w *world) counted(channels ...string) *client {
	w.t.Helper()
	c, e := w.dial(new(Principal), func(o *Options) { o.Encoder = new(counting) })
	for _, channel := range channels {
		if e == nil {
			e = c.Subscribe(c.Context(), protocol.Subscribe{Channel: channel}, SubscribeOptions{})
		}
	}
	if e != nil {
		w.t.Fatal(e)
	}
	return c
}

func (c *client) hearsCounts(want ...string) {
	c.t.Helper()
	synctest.Wait()
	if got := c.wire.take(); !slices.Equal(got, want) {
		c.t.Errorf("counts %q, not %q", got, want)
	}
}

// Subscribers learn how many they are, once for all changes of a second.
func TestAudience(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		before := w.counted("c")
		recorded := w.counts()
		a, b := w.counted("c", "d"), w.counted("c")
		time.Sleep(countPause + time.Millisecond)
		for _, c := range []*client{before, a, b} {
			c.hearsCounts("c 3")
		}
		time.Sleep(5 * countPause)
		a.hearsCounts()
		for range 3 {
			if e := b.Unsubscribe("c", nil); e != nil {
				t.Fatal(e)
			}
			b = w.counted("c")
		}
		before.Conn().Close(hub.ReasonGone)
		time.Sleep(countPause + time.Millisecond)
		a.hearsCounts("c 2")
		if want := []string{"c 3", "c 2"}; !slices.Equal(recorded.list, want) {
			t.Errorf("recorded: %q", recorded.list)
		}
		w.config.Counted = nil
		w.apply(w.config)
		b.Conn().Close(hub.ReasonGone)
		time.Sleep(5 * countPause)
		a.hearsCounts()
	})
}

// A large room is counted less often.
func TestAudienceOfLargeRoom(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		w.counts()
		first := w.counted("c")
		for range largeRoom {
			w.counted("c")
		}
		time.Sleep(countPause + time.Millisecond)
		first.hearsCounts("c 101")
		w.counted("c")
		time.Sleep(largePause - 2*countPause)
		first.hearsCounts()
		time.Sleep(2*countPause + time.Millisecond)
		first.hearsCounts("c 102")
	})
}

// A room is large with one subscription more than largeRoom, not before.
func TestAudienceOfRoomThatIsNotLarge(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		w.counts()
		first := w.counted("c")
		for range largeRoom - 1 {
			w.counted("c")
		}
		time.Sleep(countPause + time.Millisecond)
		first.hearsCounts("c 100")
		w.counted("c")
		time.Sleep(countPause + time.Millisecond)
		first.hearsCounts("c 101")
	})
}

// Nothing runs once all changes are counted, here and on a node without subscriptions.
func TestAudienceComesToRest(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		for _, w := range nodes {
			w.counts()
		}
		waits := func(w *world) bool {
			a := &w.registry.Audience
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.waiting
		}
		here := nodes[0].counted("c")
		nodes[1].counted("c")
		time.Sleep(countPause + time.Millisecond)
		here.hearsCounts("c 2")
		if waits(nodes[0]) || waits(nodes[2]) {
			t.Error("a node is going to count what has not changed")
		}
		time.Sleep(countPause)
		if waits(nodes[1]) {
			t.Error("a node counts again and again")
		}
		// A node does not answer, and the last subscription here has left.
		c.missing.Store(1)
		here.Conn().Close(hub.ReasonGone)
		time.Sleep(countPause + time.Millisecond)
		if waits(nodes[0]) {
			t.Error("a node goes on to count a channel that it has no subscription in")
		}
	})
}

// A number that the app does not get is logged.
func TestAudienceThatIsNotRecorded(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		recorded := w.counts()
		for i, fail := range []error{nil, errors.New("no space")} {
			recorded.fail = fail
			w.counted("c")
			time.Sleep(2 * countPause)
			synctest.Wait()
			if n := strings.Count(w.logs.String(), "could not be recorded"); n != i {
				t.Errorf("%v: %d warnings, want %d", fail, n, i)
			}
		}
	})
}

// All nodes come to the same number. Only the node of a change records it. A node that does not answer
// is asked again.
func TestAudienceOverNodes(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		records := make([]*countings, len(nodes))
		for i, w := range nodes {
			records[i] = w.counts()
		}
		there := nodes[1].counted("c")
		time.Sleep(2 * countPause)
		there.hearsCounts("c 1") // no node can be asked by this one
		synctest.Wait()
		c.missing.Store(1)
		here := nodes[0].counted("c")
		time.Sleep(countPause + time.Millisecond)
		here.hearsCounts("c 2")
		synctest.Wait()
		c.missing.Store(0)
		time.Sleep(countPause)
		here.hearsCounts("c 2")
		there.hearsCounts("c 1") // it has counted again
		time.Sleep(3 * countPause)
		here.hearsCounts()
		there.hearsCounts()
		if len(records[0].list) != 1 || len(records[1].list) != 1 || len(records[2].list) != 0 {
			t.Errorf("recorded: %q %q %q", records[0].list, records[1].list, records[2].list)
		}
	})
}

// Many channels are asked for in questions that other nodes take.
func TestAudienceQuestions(t *testing.T) {
	var a Audience
	a.changed, a.resting = make(map[string]bool), make(map[string]time.Time)
	for i := range 1000 {
		a.changed[fmt.Sprint(strings.Repeat("c", 190), i)] = i%2 == 0
	}
	channels, changed := 0, 0
	for _, p := range a.due(time.Now()) {
		q := countQuestion{Channels: p.names, Changed: p.changed}
		body, err := json.Marshal(question{Counts: &q})
		if err != nil || len(body) > 8<<10 {
			t.Errorf("a question of %d bytes, %v", len(body), err)
		}
		channels, changed = channels+len(q.Channels), changed+q.Changed
	}
	if channels != 1000 || changed != 500 || len(a.changed) != 0 {
		t.Errorf("%d channels, %d changed, %d left", channels, changed, len(a.changed))
	}
}

// A question is as full as it may be.
func TestAudienceQuestionsAreFull(t *testing.T) {
	t.Parallel()
	const size, most = 16, maxCounted / 16 // of a name of 13 letters in JSON; 16 divides maxCounted
	for n, want := range map[int]int{1: 1, most: 1, most + 1: 2, 2 * most: 2, 2*most + 1: 3} {
		names := make(map[string]bool)
		for i := range n {
			names[fmt.Sprintf("%0*d", size-len(`"",`), i)] = true
		}
		if got := takeParts(names, func(string) bool { return false }); len(got) != want {
			t.Errorf("%d names in %d questions, want %d", n, len(got), want)
		}
	}
}

// A panic while subscriptions are counted costs one number, and the next change is counted.
func TestPanicInCounting(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		log := w.logged()
		recorded := w.counts()
		recorded.panic = true
		a := w.counted("c")
		time.Sleep(2 * countPause)
		synctest.Wait()
		log.Once(t, "counting subscriptions", "no luck")
		synctest.Wait()
		recorded.panic = false
		a.wire.take()
		w.counted("c")
		time.Sleep(2 * countPause)
		a.hearsCounts("c 2")
	})
}
