package hub

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func track1(t *testing.T, h *Hub, tr Transport) *Conn {
	t.Helper()
	c, err := h.Connect(ConnOptions{Transport: tr, Encoder: lines, Answers: true})
	if err != nil {
		t.Fatal(err)
	}
	subscribe(t, h, c, "h", SubscribeOptions{Track: true})
	subscribe(t, h, c, "h2", SubscribeOptions{})
	subscribe(t, h, c, "none", SubscribeOptions{Track: true})
	return c
}

// stands checks the only standing of a connection.
func stands(t *testing.T, c *Conn, offset uint64) {
	t.Helper()
	synctest.Wait()
	if all := c.Standings(); len(all) != 1 || all[0].Channel != "h" || all[0].Position.Offset != offset || all[0].Position.Epoch != "e" {
		t.Errorf("standings: %+v, not at %d", all, offset)
	}
}

// The client of a lost connection has what was written, but not what waited for the socket.
func TestStandings(t *testing.T) {
	for name, make := range transports() {
		for reason, written := range map[Reason]uint64{ReasonLost: 2, ReasonSlow: 2, ReasonRestart: 4} {
			t.Run(name+" "+reason.Text, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
					publish(t, h, "h", "before")
					tr, w := make()
					c := track1(t, h, tr)
					publish(t, h, "h", "a")
					synctest.Wait()
					w.stick(true)
					publish(t, h, "h", "b", "c")
					publish(t, h, "h2", "d")
					publish(t, h, "none", "e")
					synctest.Wait()
					c.Close(reason)
					stands(t, c, written)
					w.Close()
				})
			})
		}
	}
}

// A message that was written in part only, or in a write that failed, has not reached the client. The same
// holds for what waits behind it.
func TestStandingsOfACutWrite(t *testing.T) {
	for part, written := range map[int]uint64{0: 0, 3: 0, len("h@1 a\n"): 1, len("h@1 a\n") + 2: 1} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
			w := newWire()
			c := track1(t, h, &tryWire{wire: w, part: part})
			w.stick(true)
			publish(t, h, "h", "a", "b", "c")
			synctest.Wait()
			w.Close()
			publish(t, h, "h", "d")
			synctest.Wait()
			c.Close(ReasonLost)
			stands(t, c, written)
		})
	}
}

// A replay that was not written has not reached the client either.
func TestStandingsOfAReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		publish(t, h, "h", "a", "b", "c")
		w := newWire()
		c := connect(t, h, w)
		w.stick(true)
		subscribe(t, h, c, "h", SubscribeOptions{Track: true, Recover: &Position{Epoch: "e", Offset: 1}, Reply: func(s Subscribed) []Event {
			return []Event{s.Messages[0], s.Messages[1]}
		}})
		c.Close(ReasonLost)
		stands(t, c, 1)
		w.Close()
	})
}

// What is not for the connection counts as received.
func TestStandingsBehindExcept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		c := track1(t, h, newWire())
		if _, err := h.Publish(t.Context(), &Message{Channel: "h", Content: []byte("a"), Except: c.ID()}, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.Close(ReasonLost)
		stands(t, c, 1)
	})
}

// A client that did not answer the last ping has what it had at the one before.
func TestStandingsOfASilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: 10 * time.Second, Timeout: 5 * time.Second})
		w := newWire()
		c := track1(t, h, w)
		pings := func() int { return strings.Count(w.text(), "ping\n") }
		next := func() {
			for had := pings(); pings() == had; {
				time.Sleep(time.Second / 10)
				synctest.Wait()
			}
		}
		publish(t, h, "h", "a")
		next()
		c.Heard()
		publish(t, h, "h", "b") // may have reached the client, or not
		next()
		publish(t, h, "h", "c")
		<-c.flushedWhenEnded()
		stands(t, c, 1)
	})
}

// flushedWhenEnded waits for the end of a connection.
func (c *Conn) flushedWhenEnded() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c.mu.Lock()
			over := c.ending
			c.mu.Unlock()
			if over {
				return
			}
			time.Sleep(time.Second)
		}
	}()
	return done
}

func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		for _, m := range []*Message{{Content: []byte("a")}, {Content: []byte("b"), Except: "old"}, {Content: []byte("c"), Except: "other"}} {
			m.Channel = "h"
			if _, err := h.Publish(t.Context(), m, ""); err != nil {
				t.Fatal(err)
			}
		}
		w := newWire()
		c := connect(t, h, w)
		subscribe(t, h, c, "h", SubscribeOptions{Track: true})
		publish(t, h, "h", "d")
		synctest.Wait()
		since := func(offset uint64) Position { return Position{Epoch: "e", Offset: offset} }
		for _, r := range []struct {
			since Position
			whole bool
		}{{since(0), true}, {since(3), true}, {since(4), false}, {Position{Epoch: "x"}, false}} {
			if whole, err := h.Replay(t.Context(), c, "h", r.since, []string{"old"}); whole != r.whole || err != nil {
				t.Errorf("since %v: %v %v", r.since, whole, err)
			}
		}
		expect(t, w, "h@4 d", "h@1 a", "h@3 c")
		b.first = 2
		if whole, _ := h.Replay(t.Context(), c, "h", since(1), nil); whole {
			t.Error("a replay from a position that was trimmed")
		}
		if whole, _ := h.Replay(context.Background(), c, "elsewhere", since(1), nil); whole {
			t.Error("a replay of a room that the connection is not in")
		}
		expect(t, w, "h@4 d", "h@1 a", "h@3 c")
	})
}

// A subscription that takes the place of a lost one gets what that one missed, without what left it out.
func TestSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		for _, except := range []string{"", "old", "other"} {
			if _, err := h.Publish(t.Context(), &Message{Channel: "h", Content: []byte("m" + except), Except: except}, ""); err != nil {
				t.Fatal(err)
			}
		}
		w := newWire()
		sub := subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{Recover: &Position{Epoch: "e"}, Successor: []string{"old"}})
		if len(sub.Messages) != 2 || !sub.Recovered || sub.Position.Offset != 3 {
			t.Errorf("%+v", sub)
		}
		for _, except := range []string{"old", "other"} {
			if _, err := h.Publish(t.Context(), &Message{Channel: "h", Content: []byte("m" + except), Except: except}, ""); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, w, "h@5 mother")
	})
}

// What the transport took at once has reached the client.
func TestStandingsOfWhatIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		c := track1(t, h, &tryWire{wire: newWire()})
		publish(t, h, "h", "a", "b")
		synctest.Wait()
		c.Close(ReasonLost)
		stands(t, c, 2)
	})
}

// A client that does not answer is closed one timeout after its ping, and not a whole round later.
func TestSilentClientIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: beatSlots * time.Second, Timeout: 10 * time.Second})
		w := newWire()
		if _, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, Answers: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if !strings.Contains(w.text(), "ping") || w.isClosed() {
			t.Errorf("closed %v before the timeout, sent %q", w.isClosed(), w.text())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !w.isClosed() {
			t.Error("the silent client is still there")
		}
	})
}

// An answer to the last ping may be on its way for a while: until then the client has what was written.
func TestStandingsWhileAnAnswerIsOnItsWay(t *testing.T) {
	for late, want := range map[time.Duration]uint64{0: 2, time.Nanosecond: 0} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{Heartbeat: beatSlots * time.Second, Timeout: 30 * time.Second})
			publish(t, h, "h", "before")
			c := track1(t, h, &tryWire{wire: newWire()})
			publish(t, h, "h", "a")
			time.Sleep(time.Second) // it is pinged
			synctest.Wait()
			time.Sleep(answerTime + late)
			c.Close(ReasonLost)
			stands(t, c, max(1, want))
		})
	}
}

// What arrives from a client at the moment of a ping was sent before it, and is no answer.
func TestHeardAtAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		publish(t, h, "h", "before")
		c := track1(t, h, &tryWire{wire: newWire()})
		publish(t, h, "h", "a")
		time.Sleep(time.Second)
		c.Heard()
		c.ping()
		publish(t, h, "h", "b")
		time.Sleep(time.Second)
		c.ping()
		publish(t, h, "h", "c")
		time.Sleep(answerTime + 1)
		c.Close(ReasonLost)
		stands(t, c, 1)
	})
}

// A client that was heard at the moment of the last ping, and not since, was out of reach.
func TestStandingsOfAClientThatWasHeardAtThePing(t *testing.T) {
	for after, want := range map[time.Duration]uint64{0: 1, 1: 3} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
			publish(t, h, "h", "before")
			c := track1(t, h, &tryWire{wire: newWire()})
			publish(t, h, "h", "a")
			time.Sleep(time.Second)
			c.ping()
			time.Sleep(after)
			c.Heard()
			publish(t, h, "h", "b")
			time.Sleep(answerTime + 1)
			c.Close(ReasonLost)
			stands(t, c, want)
		})
	}
}

// A client that was never pinged has missed no ping, also if it was never heard either.
func TestStandingsWithoutAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		c := track1(t, h, &tryWire{wire: newWire()})
		publish(t, h, "h", "a")
		time.Sleep(answerTime + 1)
		c.Close(ReasonLost)
		stands(t, c, 1)
	})
}

// failing takes some writes whole. The next one fails.
type failing struct {
	*wire
	whole int
}

func (w *failing) Write(p []byte) error {
	if w.count() == w.whole {
		return errors.New("failed")
	}
	return w.wire.Write(p)
}

// A write that failed may have messages of several rooms. The client has none of them.
func TestStandingsOfAFailedWriteOfSeveralRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{Heartbeat: time.Hour})
		w := &failing{newWire(), 1}
		c := connect(t, h, w)
		for _, channel := range []string{"h1", "h2"} {
			publish(t, h, channel, "before")
			subscribe(t, h, c, channel, SubscribeOptions{Track: true})
		}
		w.stick(true)
		c.Send("stuck")
		synctest.Wait()
		for _, channel := range []string{"h1", "h2", "h1", "h2"} {
			publish(t, h, channel, "lost")
		}
		w.stick(false)
		synctest.Wait()
		want := []Standing{{"h1", Position{Epoch: "e", Offset: 1}}, {"h2", Position{Epoch: "e", Offset: 1}}}
		if got := c.Standings(); !slices.Equal(got, want) {
			t.Errorf("standings: %+v, want %+v", got, want)
		}
	})
}

// A change of this time is a decision: the recovery of lost clients depends on it.
func TestAnswerTime(t *testing.T) {
	if answerTime != 2*time.Second {
		t.Errorf("a client has %v to answer", answerTime)
	}
}
