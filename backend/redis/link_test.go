package redis

import "testing"

// notifiedHandler is a handler that calls a function when it is subscribed.
type notifiedHandler struct{ subscribe func() }

func (notifiedHandler) receive(string) {}
func (h notifiedHandler) subscribed()  { h.subscribe() }

// A handler is notified that its topic is subscribed before others can read the position.
func TestHandlerIsToldFirst(t *testing.T) {
	t.Parallel()
	l, calls := newLink(nil), 0
	topic, err := l.acquire("topic", func() handler {
		return notifiedHandler{func() {
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
