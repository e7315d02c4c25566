package backendtest

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Feed implements [hub.FeedSink]. The messages of a feed are kept under its name and a space,
// which no channel begins with.
func (r *recorder) Feed(feed string, m *hub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[" "+feed] = append(r.got[" "+feed], m)
	close(r.changed)
	r.changed = make(chan struct{})
}

// FeedLost implements [hub.FeedSink]. Nothing is lost while no connection breaks.
func (r *recorder) FeedLost(feed string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problem("the feed %s is lost", feed)
}

// feed returns a new feed that is attached.
func (e *env) feed() string {
	e.t.Helper()
	b, ok := e.b.(hub.FeedBroker)
	if !ok {
		e.t.Skip("this broker has no feeds")
	}
	feed := "feed:" + strings.ToLower(rand.Text()) + ":*"
	if err := b.AttachFeed(e.t.Context(), feed); err != nil {
		e.t.Fatal(err)
	}
	return feed
}

// publishTo publishes a message in a feed.
func (r *room) publishTo(feed string, m *hub.Message, key string) {
	r.t.Helper()
	keep := r.keep
	if m.Direct != nil || m.Volatile {
		keep, m.Position = hub.Retention{}, hub.Position{}
	}
	if _, err := r.b.Publish(r.t.Context(), m, hub.PublishOptions{Retention: keep, Key: key, Feed: feed}); err != nil {
		r.t.Fatal(err)
	}
}

// waitFeed returns the contents that a feed brought from a channel, when the last one has arrived.
func (r *room) waitFeed(feed string, last *hub.Message) (contents []string) {
	r.t.Helper()
	if !r.sink.await(" "+feed, func(ms []*hub.Message) bool { return index(ms, last) >= 0 }) {
		r.t.Fatal("the last message did not arrive in the feed")
	}
	for _, m := range r.sink.messages(" " + feed) {
		if m.Channel == r.channel {
			contents = append(contents, string(m.Content))
		}
	}
	return contents
}

// A feed brings what rooms publish in it, in the order of each room, whether the room is attached
// or not, with and without history and key.
func feedDelivers(e *env) {
	feed := e.feed()
	for _, r := range []*room{e.room(hundred), e.attached(hundred), e.room(hub.Retention{}), e.attached(hub.Retention{})} {
		var want []string
		var last *hub.Message
		for i := range 8 {
			m, key := r.message(), ""
			if i%2 == 1 {
				key = rand.Text()
			}
			m.Tags = []byte(`{"a":1}`)
			r.publishTo(feed, m, key)
			want, last = append(want, string(m.Content)), m
			if key != "" { // a repeat brings nothing
				again := *m
				r.publishTo(feed, &again, key)
			}
		}
		if got := r.waitFeed(feed, last); !slices.Equal(got, want) {
			e.t.Errorf("%+v: the feed brought %v, want %v", r.keep, got, want)
		}
		ms := r.sink.messages(" " + feed)
		if m := ms[index(ms, last)]; m.Event != "event" || m.Sender != "sender" || string(m.Tags) != `{"a":1}` || time.Since(m.Time) > time.Hour {
			e.t.Errorf("the feed brought %+v", short(*m))
		}
	}
}

// A feed does not bring what is for one member, nor what was published outside of it.
func feedLeavesOut(e *env) {
	feed, other, r := e.feed(), e.feed(), e.attached(hub.Retention{})
	direct := r.message()
	direct.Direct = &hub.Direct{To: hub.Address{User: "ann"}}
	r.publishTo(feed, direct, "")
	r.publish(1)
	r.publishTo(other, r.message(), "")
	moved, last := r.message(), r.message()
	moved.Volatile = true
	r.publishTo(feed, moved, "")
	r.publishTo(feed, last, "")
	if got, want := r.waitFeed(feed, last), []string{string(moved.Content), string(last.Content)}; !slices.Equal(got, want) {
		e.t.Errorf("the feed brought %v, want %v", got, want)
	}
	if ms := r.sink.messages(" " + feed); !ms[index(ms, moved)].Volatile {
		e.t.Error("the feed forgets that a message is volatile")
	}
	r.wait(5)
}
