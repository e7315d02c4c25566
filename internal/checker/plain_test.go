package checker

import "testing"

// none is the position in a channel without history.
var none Position

func TestWithoutPositions(t *testing.T) {
	t.Parallel()
	sent := func(s scene, ids ...string) {
		for _, n := range ids {
			s.p.Sent(room, n)
			s.p.Acked(room, n, none)
		}
	}
	saw := func(s *Subscriber, ids ...string) {
		for _, n := range ids {
			s.Message(room, none, n)
		}
	}
	lossless := Options{Lossless: true}
	runChecks(t, []check{
		{name: "everything", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b", "c")
			saw(s.s, "a", "b", "c")
		}},
		{name: "lost, which may happen", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b", "c")
			saw(s.s, "a", "c")
		}},
		{name: "lost, which may not happen", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b", "c")
			saw(s.s, "a", "c")
		}, want: []wrong{{Undelivered, 0, 0}}},
		{name: "before the subscription", o: lossless, run: func(s scene) {
			sent(s, "a")
			s.s.Subscribed(room, none, false)
			sent(s, "b")
			saw(s.s, "b")
		}},
		{name: "before a gap", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b")
			s.s.Gap(room, none)
			sent(s, "c")
			saw(s.s, "c")
		}},
		{name: "between two connections", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.s.Disconnected()
			sent(s, "a")
			s.s.Subscribed(room, none, false)
			sent(s, "b")
			saw(s.s, "b")
		}},
		{name: "after leaving", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.s.Unsubscribed(room)
			sent(s, "a")
		}},
		{name: "not acknowledged", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.p.Sent(room, "a")
		}},
		{name: "order of two publishers", o: lossless, run: func(s scene) {
			s.s.Subscribed(room, none, false)
			other := s.c.Publisher("other")
			sent(s, "a", "b")
			sent(scene{s.c, other, s.s}, "x", "y")
			saw(s.s, "x", "a", "y", "b")
		}},
		{name: "retry out of order", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.p.Sent(room, "a")
			sent(s, "b")
			s.p.Sent(room, "a")
			saw(s.s, "b", "a")
		}},
		{name: "retry by another publisher", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.p.Sent(room, "a")
			other := scene{s.c, s.c.Publisher("other"), s.s}
			sent(other, "b", "a", "c")
			saw(s.s, "b", "c", "a")
		}},
		{name: "repeated", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b")
			saw(s.s, "a", "b", "a")
		}, want: []wrong{{Repeat, 0, 0}}},
		{name: "repeated after a reconnect", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a")
			saw(s.s, "a")
			s.s.Disconnected()
			s.s.Subscribed(room, none, false)
			saw(s.s, "a")
		}, want: []wrong{{Repeat, 0, 0}}},
		{name: "out of order", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a", "b", "c")
			saw(s.s, "a", "c", "b")
		}, want: []wrong{{Reorder, 0, 0}}},
		{name: "nobody sent it", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			sent(s, "a")
			saw(s.s, "forged")
		}, want: []wrong{{Content, 0, 0}}},
		{name: "outside a subscription", run: func(s scene) {
			s.s.Subscribed(room, none, false)
			s.s.Unsubscribed(room)
			sent(s, "a")
			saw(s.s, "a")
		}, want: []wrong{{Stray, 0, 0}}},
	})
}

// The store went back from offset 5 to 3 and wrote 4 and 5 anew.
func TestRollback(t *testing.T) {
	t.Parallel()
	allowed := Options{Rollback: true}
	rolled := func(s scene) {
		s.acked(4, 5)
		for o := uint64(4); o <= 5; o++ {
			s.p.Sent(room, "new"+name(o))
			s.p.Acked(room, "new"+name(o), at(o))
		}
	}
	sawNew := func(s scene, offsets ...uint64) {
		for _, o := range offsets {
			s.s.Message(room, at(o), "new"+name(o))
		}
	}
	runChecks(t, []check{
		{name: "told", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			s.saw(4, 5)
			s.s.Gap(room, at(3))
			sawNew(s, 4, 5)
		}},
		{name: "never saw it", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			sawNew(s, 4, 5)
		}},
		{name: "delivered, lost before the answer, and sent again", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			s.p.Sent(room, "m4")
			s.s.Message(room, at(4), "m4")
			s.p.Sent(room, "new4")
			s.p.Acked(room, "new4", at(4))
			s.p.Acked(room, "m4", at(5))
			s.s.Gap(room, at(3))
			s.s.Message(room, at(4), "new4")
			s.s.Message(room, at(5), "m4")
		}},
		{name: "gone before", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			s.saw(4, 5)
			s.s.Disconnected()
		}},
		{name: "forgotten and not replaced", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			s.acked(4, 9)
			s.p.Sent(room, "new4")
			s.p.Acked(room, "new4", at(4))
			s.s.Message(room, at(4), "new4")
		}},
		{name: "not told", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			s.saw(4, 5)
		}, want: []wrong{{Content, 4, 5}}},
		{name: "half of each", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			s.saw(4)
			sawNew(s, 5)
		}, want: []wrong{{Content, 4, 4}}},
		{name: "the new one lost", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			sawNew(s, 4)
		}, want: []wrong{{Undelivered, 5, 5}}},
		{name: "forged", o: allowed, run: func(s scene) {
			s.s.Subscribed(room, at(3), false)
			rolled(s)
			sawNew(s, 4)
			s.s.Message(room, at(5), "forged")
		}, want: []wrong{{Content, 5, 5}}},
		{name: "not allowed", run: func(s scene) { rolled(s) }, want: []wrong{{Content, 4, 4}, {Content, 5, 5}}},
	})
}
