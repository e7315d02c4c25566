package hub

import (
	"testing"
	"testing/synctest"
)

// own is an event that one connection gets as a text instead.
type own struct{ connection string }

func (o own) For(connection string) Event {
	if connection == o.connection {
		return "for you"
	}
	return nil
}

// What takes the place of an event stands where that would, also for a connection that
// is still being subscribed.
func TestPersonal(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				c, d := connect(t, h, tr1), connect(t, h, tr2)
				subscribe(t, h, d, "h", SubscribeOptions{})
				subscribe(t, h, c, "h", SubscribeOptions{Reply: func(Subscribed) []Event {
					h.Announce("h", own{c.ID()})
					synctest.Wait()
					return []Event{"reply"}
				}})
				publish(t, h, "h", "a")
				h.Announce("h", own{c.ID()})
				h.Announce("h", own{"somebody"})
				publish(t, h, "h", "b")
				expect(t, w1, "reply", "for you", "h@1 a", "for you", "own", "h@2 b")
				expect(t, w2, "own", "h@1 a", "own", "own", "h@2 b")
			})
		})
	}
}
