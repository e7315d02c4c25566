package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// breakable is a connection whose parts panic, each of which is named by at.
type breakable struct {
	*wire
	line
	at string
}

func (b *breakable) in(part string) {
	if b.at == part {
		panic(part)
	}
}

func (b *breakable) TryWrite(p []byte) (int, error) {
	b.in("TryWrite")
	return (&tryWire{wire: b.wire}).TryWrite(p)
}

func (b *breakable) Close() {
	b.wire.Close()
	b.in("Close")
}

func (b *breakable) AppendEvent(dst []byte, ev Event) []byte {
	b.in("AppendEvent")
	return b.line.AppendEvent(dst, ev)
}

func (b *breakable) AppendPing(dst []byte) []byte {
	b.in("AppendPing")
	return b.line.AppendPing(dst)
}

func (b *breakable) AppendClose(dst []byte, r Reason) []byte {
	b.in("AppendClose")
	return b.line.AppendClose(dst, r)
}

// breakableStore is a broker whose Attach and Detach panic once.
type breakableStore struct {
	*store
	at string
}

func (b *breakableStore) in(part string) {
	if b.at == part {
		b.at = ""
		panic(part)
	}
}

func (b *breakableStore) Attach(ctx context.Context, channel string, r Retention) error {
	err := b.store.Attach(ctx, channel, r)
	b.in("Attach")
	return err
}

func (b *breakableStore) Detach(channel string) {
	b.store.Detach(channel)
	b.in("Detach")
}

// A connection ends whatever panics meanwhile: it is out of its rooms, out of the hub and
// closed, and the session is told.
func TestPanicInTheEndOfAConnection(t *testing.T) {
	for part, what := range map[string]string{
		"TryWrite":    "a write",
		"Close":       "the end of a connection",
		"AppendClose": "the encoding of a close",
		"Detach":      "the end of a subscription",
		"OnClose":     "what follows the end of a connection",
	} {
		t.Run(part, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := new(panictest.Log)
				h, b := newTestHub(t, Settings{Logger: log.Logger()})
				broker := &breakableStore{store: b}
				h.broker = broker
				tr, told := &breakable{wire: newWire()}, 0
				c, err := h.Connect(ConnOptions{Transport: tr, Encoder: tr, OnClose: func(Reason) {
					told++
					tr.in("OnClose")
				}})
				if err != nil {
					t.Fatal(err)
				}
				for _, channel := range []string{"h1", "h2"} {
					subscribe(t, h, c, channel, SubscribeOptions{})
				}
				tr.at, broker.at = part, part
				c.Close(ReasonNormal)
				time.Sleep(linger)
				synctest.Wait()
				log.Once(t, what, part)
				if told != 1 || !tr.isClosed() || h.Conns() != 0 || b.attachments() != 0 {
					t.Errorf("told %d times, closed %v, %d connections, %d attachments", told, tr.isClosed(), h.Conns(), b.attachments())
				}
			})
		})
	}
}

// A hub sends all of its clients away though one of them can not be told.
func TestPanicInTheDrainOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(panictest.Log)
		h, _ := newTestHub(t, Settings{Logger: log.Logger()})
		broken := &breakable{wire: newWire()}
		if _, err := h.Connect(ConnOptions{Transport: broken, Encoder: broken}); err != nil {
			t.Fatal(err)
		}
		var others [20]*wire
		for i := range others {
			others[i] = newWire()
			connect(t, h, others[i])
		}
		broken.at = "AppendEvent"
		h.Drain(t.Context(), DrainPlan{})
		for _, w := range append(others[:], broken.wire) {
			w.waitClosed()
		}
		log.Once(t, "the drain of a connection", "AppendEvent")
		for _, w := range others {
			expect(t, w, "reconnect", "close 1012")
		}
	})
}

// A connection that can not be pinged is closed, and the others of its slot are pinged.
func TestPanicInAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(panictest.Log)
		h, _ := newTestHub(t, Settings{Logger: log.Logger()})
		broken, w := &breakable{wire: newWire(), at: "AppendPing"}, newWire()
		if _, err := h.Connect(ConnOptions{Transport: broken, Encoder: broken}); err != nil {
			t.Fatal(err)
		}
		h.beat.next = 0 // the same slot
		connect(t, h, w)
		h.beat.visit(0)
		broken.waitClosed()
		expect(t, w, "ping")
		log.Once(t, "a ping", "AppendPing")
	})
}

// The heartbeat goes on with the next slot after a mistake of its own.
func TestPanicInASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := new(panictest.Log), newWire()
		h, _ := newTestHub(t, Settings{Logger: log.Logger()})
		connect(t, h, w)
		h.beat.visit(beatSlots) // there is none
		h.beat.visit(0)
		expect(t, w, "ping")
		log.Once(t, "the heartbeat", "runtime error: index out of range [64] with length 64")
	})
}

// Whoever waits for a room to be attached gets an error when the broker panics, and the
// room can be entered afterwards.
func TestPanicInAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		h.broker = &breakableStore{store: b, at: "Attach"}
		b.hold = make(chan struct{})
		first, second, errs := connect(t, h, newWire()), connect(t, h, newWire()), make(chan error, 1)
		go func() {
			defer func() { _ = recover(); first.Close(ReasonNormal) }()
			_, _ = h.Subscribe(t.Context(), first, "h", SubscribeOptions{})
		}()
		synctest.Wait()
		go func() { _, err := h.Subscribe(t.Context(), second, "h", SubscribeOptions{}); errs <- err }()
		synctest.Wait()
		close(b.hold)
		if err := <-errs; !errors.Is(err, errPanicked) {
			t.Errorf("the second subscriber gets %v", err)
		}
		synctest.Wait()
		subscribe(t, h, second, "h", SubscribeOptions{})
	})
}
