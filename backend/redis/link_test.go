package redis

import "testing"

// told is a handler that notes what it is told.
type told struct{ subscribe func() }

func (told) receive(string) {}
func (h told) subscribed()  { h.subscribe() }

// A handler is told that its topic is subscribed before others can read where it is.
func TestHandlerIsToldFirst(t *testing.T) {
	t.Parallel()
	l, calls := newLink(nil), 0
	topic, err := l.acquire("topic", func() handler {
		return told{func() {
			if calls++; l.isLive("topic") {
				t.Error("the topic is live before its handler is told")
			}
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	l.confirmed("topic")
	l.confirmed("topic")
	select {
	case <-topic.ready:
	default:
		t.Error("the topic is not ready")
	}
	if calls != 1 || !l.isLive("topic") {
		t.Errorf("the handler was told %d times, live: %t", calls, l.isLive("topic"))
	}
}
