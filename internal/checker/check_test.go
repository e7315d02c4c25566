package checker

import (
	"fmt"
	"slices"
	"testing"
)

// scene is a run of one publisher and one subscriber in one channel.
type scene struct {
	c *Checker
	p *Publisher
	s *Subscriber
}

const room = "room"

func at(offset uint64) Position { return Position{"a", offset} }

func name(offset uint64) string { return fmt.Sprint("m", offset) }

// acked publishes messages that get the offsets first to last of epoch a.
func (s scene) acked(first, last uint64) {
	for o := first; o <= last; o++ {
		s.p.Sent(room, name(o))
		s.p.Acked(room, name(o), at(o))
	}
}

// saw delivers the messages of the offsets, in that order.
func (s scene) saw(offsets ...uint64) {
	for _, o := range offsets {
		s.s.Message(room, at(o), name(o))
	}
}

func replay(first, last uint64) (ms []Message) {
	for o := first; o <= last; o++ {
		ms = append(ms, Message{at(o), name(o)})
	}
	return ms
}

// wrong is a fault as the tests expect it.
type wrong struct {
	kind        Kind
	first, last uint64
}

type check struct {
	name string
	o    Options
	run  func(s scene)
	want []wrong
}

func (tt check) test(t *testing.T) {
	c := New(tt.o)
	tt.run(scene{c, c.Publisher("publisher"), c.Subscriber("subscriber")})
	r := c.Check()
	var got []wrong
	for _, f := range r.Faults {
		got = append(got, wrong{f.Kind, f.First, f.Last})
	}
	if !slices.Equal(got, tt.want) {
		t.Errorf("got %v, want %v\n%s", got, tt.want, r)
	}
	if r.OK() != (len(tt.want) == 0) {
		t.Errorf("OK is %v", r.OK())
	}
}

func runChecks(t *testing.T, tests []check) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(t)
		})
	}
}

func TestAsPromised(t *testing.T) {
	t.Parallel()
	runChecks(t, []check{
		{name: "nothing at all", run: func(scene) {}},
		{name: "plain sequence", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.acked(1, 3)
			s.saw(1, 2, 3)
		}},
		{name: "late subscriber", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(4), false)
			s.saw(5)
		}},
		{name: "subscriber with history", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(4), false, replay(2, 4)...)
			s.saw(5)
		}},
		{name: "recovery with the answer", run: func(s scene) {
			s.acked(1, 6)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(5), true, replay(3, 5)...)
			s.saw(6)
		}},
		{name: "recovery one by one", run: func(s scene) {
			s.acked(1, 6)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(5), true)
			s.saw(3, 4, 5, 6)
		}},
		{name: "recovery of nothing", run: func(s scene) {
			s.acked(1, 2)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(2), true)
		}},
		{name: "recovery from an earlier run", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(4), true, replay(3, 4)...)
			s.saw(5)
		}},
		{name: "recovery refused", run: func(s scene) {
			s.acked(1, 9)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(7), false)
			s.saw(8, 9)
		}},
		{name: "gap", run: func(s scene) {
			s.acked(1, 9)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Gap(room, at(7))
			s.saw(8, 9)
		}},
		{name: "gap at the end", run: func(s scene) {
			s.acked(1, 9)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Gap(room, at(9))
		}},
		{name: "gap to another epoch", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2)
			s.s.Gap(room, Position{"b", 0})
			s.p.Acked(room, "n1", Position{"b", 1})
			s.s.Message(room, Position{"b", 1}, "n1")
		}},
		{name: "gap to an epoch without messages", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.acked(1, 1)
			s.saw(1)
			s.p.Acked(room, "n1", Position{"b", 1})
			s.s.Gap(room, Position{"c", 0})
		}},
		{name: "gone before the end", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.acked(1, 5)
			s.saw(1, 2)
			s.s.Unsubscribed(room)
		}},
		{name: "disconnected before the end", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.acked(1, 5)
			s.s.Disconnected()
		}},
		{name: "delivered without acknowledgement", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.p.Sent(room, name(1))
			s.saw(1)
		}},
		{name: "publishers unknown", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.saw(1, 2, 3)
		}},
		{name: "retry with the same answer", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.acked(1, 1)
			s.acked(1, 1)
			s.saw(1)
		}},
		{name: "a channel is not another", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.s.Subscribed("other", Position{"x", 7}, false)
			s.acked(1, 2)
			s.saw(1)
			s.s.Message("other", Position{"x", 8}, "o8")
			s.saw(2)
		}},
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	begin := func(s scene, last uint64) {
		s.s.Subscribed(room, at(0), false)
		s.acked(1, last)
	}
	runChecks(t, []check{
		{name: "one missing", run: func(s scene) {
			begin(s, 4)
			s.saw(1, 2, 4)
		}, want: []wrong{{Missing, 3, 3}}},
		{name: "the first missing", run: func(s scene) {
			begin(s, 3)
			s.saw(3)
		}, want: []wrong{{Missing, 1, 2}}},
		{name: "missing before a gap", run: func(s scene) {
			begin(s, 9)
			s.saw(1, 3)
			s.s.Gap(room, at(9))
		}, want: []wrong{{Missing, 2, 2}}},
		{name: "missing in a recovery", run: func(s scene) {
			begin(s, 9)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(9), true, replay(5, 9)...)
		}, want: []wrong{{Missing, 3, 4}}},
		{name: "recovery ends too early", run: func(s scene) {
			begin(s, 9)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(7), true, replay(3, 5)...)
		}, want: []wrong{{Missing, 6, 7}, {Undelivered, 8, 9}}},
		{name: "recovery ends too early, then live", run: func(s scene) {
			begin(s, 9)
			s.saw(1, 2)
			s.s.Disconnected()
			s.s.Subscribed(room, at(7), true, replay(3, 5)...)
			s.saw(8, 9)
		}, want: []wrong{{Missing, 6, 7}}},
		{name: "recovered behind what was seen", run: func(s scene) {
			begin(s, 5)
			s.saw(1, 2, 3, 4, 5)
			s.s.Disconnected()
			s.s.Subscribed(room, at(3), true)
			s.s.Disconnected()
		}, want: []wrong{{Missing, 3, 3}}},
		{name: "recovered into another epoch", run: func(s scene) {
			begin(s, 1)
			s.saw(1)
			s.s.Subscribed(room, Position{"b", 4}, true)
		}, want: []wrong{{Missing, 4, 4}}},
		{name: "another epoch without a gap", run: func(s scene) {
			begin(s, 1)
			s.saw(1)
			s.p.Acked(room, "n", Position{"b", 5})
			s.s.Message(room, Position{"b", 5}, "n")
		}, want: []wrong{{Missing, 5, 5}}},
		{name: "hole in the history", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(5), false, append(replay(1, 2), replay(4, 5)...)...)
		}, want: []wrong{{Missing, 3, 3}}},
		{name: "history ends too early", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(5), false, replay(1, 3)...)
		}, want: []wrong{{Missing, 4, 5}}},
		{name: "history beyond its position", run: func(s scene) {
			s.acked(1, 5)
			s.s.Subscribed(room, at(4), false, replay(1, 5)...)
			s.saw(5)
		}, want: []wrong{{Reorder, 1, 5}}},
		{name: "repeated", run: func(s scene) {
			begin(s, 3)
			s.saw(1, 2, 2, 3)
		}, want: []wrong{{Repeat, 2, 2}}},
		{name: "several repeated", run: func(s scene) {
			begin(s, 4)
			s.saw(1, 2, 3, 1, 2, 3, 4)
		}, want: []wrong{{Repeat, 1, 3}}},
		{name: "repeated by a recovery", run: func(s scene) {
			begin(s, 4)
			s.saw(1, 2, 3)
			s.s.Disconnected()
			s.s.Subscribed(room, at(4), true, replay(3, 4)...)
		}, want: []wrong{{Repeat, 3, 3}}},
		{name: "before the subscription's position", run: func(s scene) {
			s.acked(1, 4)
			s.s.Subscribed(room, at(3), false)
			s.saw(3, 4)
		}, want: []wrong{{Repeat, 3, 3}}},
		{name: "published twice", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.p.Sent(room, "m1")
			s.p.Sent(room, "m1")
			s.p.Acked(room, "m1", at(2))
			s.s.Message(room, at(1), "m1")
			s.s.Message(room, at(2), "m1")
		}, want: []wrong{{Repeat, 1, 1}}},
		{name: "acknowledged at two places", run: func(s scene) {
			s.s.Subscribed(room, at(0), false)
			s.p.Acked(room, "m1", at(1))
			s.p.Acked(room, "m1", at(2))
			s.s.Message(room, at(1), "m1")
			s.s.Message(room, at(2), "m1")
		}, want: []wrong{{Repeat, 2, 2}}},
		{name: "out of order", run: func(s scene) {
			begin(s, 4)
			s.saw(1, 3, 2, 4)
		}, want: []wrong{{Reorder, 2, 2}}},
		{name: "backwards", run: func(s scene) {
			begin(s, 5)
			s.saw(5, 3, 1, 1)
		}, want: []wrong{{Reorder, 3, 3}, {Reorder, 1, 1}, {Repeat, 1, 1}, {Missing, 2, 2}, {Missing, 4, 4}}},
		{name: "late over several holes", run: func(s scene) {
			begin(s, 9)
			s.saw(2, 5, 9)
			s.saw(1, 2, 3, 4, 5, 6)
		}, want: []wrong{{Reorder, 1, 1}, {Repeat, 2, 2}, {Reorder, 3, 4}, {Repeat, 5, 5}, {Reorder, 6, 6}, {Missing, 7, 8}}},
		{name: "not what was acknowledged", run: func(s scene) {
			begin(s, 2)
			s.saw(1)
			s.s.Message(room, at(2), "m1")
		}, want: []wrong{{Content, 2, 2}}},
		{name: "nobody sent it", run: func(s scene) {
			begin(s, 1)
			s.saw(1)
			s.s.Message(room, at(2), "forged")
		}, want: []wrong{{Content, 2, 2}}},
		{name: "wrong in a replay", run: func(s scene) {
			begin(s, 3)
			s.saw(1)
			s.s.Disconnected()
			s.s.Subscribed(room, at(3), true, Message{at(2), "m3"}, Message{at(3), "m2"})
		}, want: []wrong{{Content, 2, 2}, {Content, 3, 3}}},
		{name: "wrong in the history", run: func(s scene) {
			s.acked(1, 3)
			s.s.Subscribed(room, at(3), false, Message{at(3), "m2"})
		}, want: []wrong{{Content, 3, 3}}},
		{name: "subscribers disagree", run: func(s scene) {
			begin(s, 0)
			s.p.Sent(room, "x")
			s.p.Sent(room, "y")
			s.s.Message(room, at(1), "x")
			other := s.c.Subscriber("other")
			other.Subscribed(room, at(0), false)
			other.Message(room, at(1), "y")
		}, want: []wrong{{Content, 1, 1}}},
		{name: "one place for two", run: func(s scene) {
			s.p.Acked(room, "x", at(1))
			s.p.Acked(room, "y", at(1))
		}, want: []wrong{{Content, 1, 1}}},
		{name: "acknowledged, never delivered", run: func(s scene) {
			begin(s, 5)
			s.saw(1, 2)
		}, want: []wrong{{Undelivered, 3, 5}}},
		{name: "acknowledged after a gap, never delivered", run: func(s scene) {
			begin(s, 5)
			s.s.Gap(room, at(3))
			s.saw(4)
		}, want: []wrong{{Undelivered, 5, 5}}},
		{name: "delivered nothing", run: func(s scene) {
			begin(s, 1)
		}, want: []wrong{{Undelivered, 1, 1}}},
		{name: "left in a dead epoch", run: func(s scene) {
			begin(s, 2)
			s.saw(1, 2)
			s.p.Sent(room, "n1")
			s.p.Acked(room, "n1", Position{"b", 1})
			s.p.Acked(room, "n2", Position{"b", 2})
		}, want: []wrong{{Undelivered, 1, 2}}},
		{name: "after the subscription", run: func(s scene) {
			begin(s, 2)
			s.saw(1)
			s.s.Unsubscribed(room)
			s.saw(2)
		}, want: []wrong{{Stray, 2, 2}}},
		{name: "without a subscription", run: func(s scene) {
			s.acked(1, 1)
			s.saw(1)
		}, want: []wrong{{Stray, 1, 1}}},
		{name: "gap after a disconnect", run: func(s scene) {
			begin(s, 0)
			s.s.Disconnected()
			s.s.Gap(room, at(4))
		}, want: []wrong{{Stray, 4, 4}}},
		{name: "offset zero", run: func(s scene) {
			begin(s, 0)
			s.s.Message(room, at(0), "m0")
		}, want: []wrong{{Repeat, 0, 0}}},
		{name: "an offset out of this world", run: func(s scene) {
			begin(s, 1)
			s.saw(1, 1<<60)
		}, want: []wrong{{Content, 1 << 60, 1 << 60}, {Missing, 2, 1<<60 - 1}}},
	})
}
