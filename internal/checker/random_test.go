package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// delivery is a random but faultless record of one subscriber: what to replay into
// a checker, one entry a call.
type delivery struct {
	kind   string // "subscribe", "recover", "gap", "disconnect" or "message"
	offset uint64
	id     string
}

// faultless makes the record of a subscriber that reconnects and is told of gaps,
// over messages 1 to last.
func faultless(r *rand.Rand, last uint64) (ds []delivery) {
	ds = append(ds, delivery{kind: "subscribe"})
	for o := uint64(0); o < last; {
		switch skip := uint64(r.IntN(5)); {
		case r.IntN(20) == 0 && o+skip < last:
			o += skip
			ds = append(ds, delivery{kind: "gap", offset: o})
		case r.IntN(20) == 0:
			ds = append(ds, delivery{kind: "disconnect"}, delivery{kind: "recover", offset: min(o+skip, last)})
		default:
			o++
			ds = append(ds, delivery{"message", o, name(o)})
		}
	}
	return ds
}

func (s scene) play(ds []delivery) {
	for _, d := range ds {
		switch d.kind {
		case "subscribe":
			s.s.Subscribed(room, at(d.offset), false)
		case "recover":
			s.s.Subscribed(room, at(d.offset), true)
		case "gap":
			s.s.Gap(room, at(d.offset))
		case "disconnect":
			s.s.Disconnected()
		case "message":
			s.s.Message(room, at(d.offset), d.id)
		}
	}
}

// explained reports that a gap comes before the next message: it excuses whatever
// happened to the one before.
func explained(rest []delivery) bool {
	i := slices.IndexFunc(rest, func(d delivery) bool { return d.kind == "gap" || d.kind == "message" })
	return i >= 0 && rest[i].kind == "gap"
}

// Whatever one thing is changed in a faultless record, it is noticed.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	const last = 60
	changes := map[string]struct {
		kinds  []Kind
		change func(ds []delivery, i int) []delivery
	}{
		"none":   {nil, func(ds []delivery, _ int) []delivery { return ds }},
		"drop":   {[]Kind{Missing, Undelivered}, func(ds []delivery, i int) []delivery { return slices.Delete(ds, i, i+1) }},
		"repeat": {[]Kind{Repeat}, func(ds []delivery, i int) []delivery { return slices.Insert(ds, i, ds[i]) }},
		"alter": {[]Kind{Content}, func(ds []delivery, i int) []delivery {
			ds[i].id = name(ds[i].offset%last + 1)
			return ds
		}},
		"cut": {[]Kind{Undelivered, Missing}, func(ds []delivery, i int) []delivery {
			return slices.DeleteFunc(ds[:i], func(d delivery) bool { return d.kind == "gap" })
		}},
	}
	for seed := range uint64(200) {
		for what, c := range changes {
			r := rand.New(rand.NewPCG(seed, 1))
			check := New(Options{})
			s := scene{check, check.Publisher("publisher"), check.Subscriber("subscriber")}
			s.acked(1, last)
			ds := faultless(r, last)
			i := r.IntN(len(ds))
			for ds[i].kind != "message" || explained(ds[i+1:]) {
				i = (i + 1) % len(ds)
			}
			s.play(c.change(slices.Clone(ds), i))
			report := check.Check()
			if c.kinds == nil && !report.OK() {
				t.Fatalf("seed %d: a faultless record: %s\n%v", seed, report, ds)
			}
			if c.kinds != nil && !slices.ContainsFunc(report.Faults, func(f Fault) bool { return slices.Contains(c.kinds, f.Kind) }) {
				t.Fatalf("seed %d: %s of %d was not noticed: %s\n%v", seed, what, ds[i].offset, report, ds)
			}
		}
	}
}

func TestRecordingConcurrently(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	var wg sync.WaitGroup
	p := c.Publisher("publisher")
	wg.Go(func() {
		for o := uint64(1); o <= 500; o++ {
			p.Sent(room, name(o))
			p.Acked(room, name(o), at(o))
		}
	})
	for i := range 8 {
		wg.Go(func() {
			s := c.Subscriber(fmt.Sprint("subscriber ", i))
			s.Subscribed(room, at(0), false)
			for o := uint64(1); o <= 500; o++ {
				s.Message(room, at(o), name(o))
				if o%50 == 0 {
					c.Behind()
				}
			}
		})
	}
	wg.Go(func() { c.Check() })
	wg.Wait()
	if r := c.Check(); !r.OK() || r.Delivered != 4000 || c.Behind() != 0 {
		t.Error(r)
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	s := scene{c, c.Publisher("publisher"), c.Subscriber("subscriber")}
	want := func(n int, when string) {
		t.Helper()
		if got := c.Behind(); got != n {
			t.Errorf("%s: %d behind, want %d", when, got, n)
		}
	}
	s.acked(1, 3)
	want(0, "before anybody subscribed")
	s.s.Subscribed(room, at(1), false)
	want(1, "at 1 of 3")
	s.saw(2)
	want(1, "at 2 of 3")
	s.saw(3)
	want(0, "at the top")
	s.acked(4, 6)
	s.s.Disconnected()
	want(0, "while away")
	s.s.Subscribed(room, at(5), true)
	want(1, "with a recovery to come")
	s.saw(4, 6, 5)
	want(0, "at the top, out of order")
	s.acked(7, 8)
	s.s.Gap(room, at(8))
	want(0, "after a gap to the top")
	s.s.Subscribed("plain", none, false)
	s.p.Acked("plain", "a", none)
	want(0, "in a channel without positions")
}

func TestReport(t *testing.T) {
	t.Parallel()
	c := New(Options{Examples: 2})
	s := scene{c, c.Publisher("publisher"), c.Subscriber("alice")}
	s.s.Subscribed(room, at(0), false)
	s.acked(1, 12)
	s.saw(1, 2, 3, 3, 3, 3, 7)
	s.s.Gap(room, at(10))
	s.s.Message(room, at(11), "m1")
	s.s.Disconnected()
	r := c.Check()
	want := `5 faults of delivery: 12 sent, 12 acknowledged, 8 delivered to 1 subscribers in 1 channels
1 subscriptions (0 recovered), 1 gaps, 1 disconnects
missing: 1
  alice, room a:4-6: never came, later ones did
repeated: 3
  alice, room a:3: at or before 3
  alice, room a:3: at or before 3
  … and 1 more
wrong content: 1
  alice, room a:11: got m1 instead of m11
`
	if got := r.String(); got != want {
		t.Errorf("report:\n%s\nwant:\n%s", got, want)
	}
	if good := New(Options{}).Check().String(); !strings.HasPrefix(good, "delivery as promised: 0 sent") {
		t.Errorf("report of nothing: %s", good)
	}
	log := Fault{Kind: Content, Channel: room, Detail: "x"}
	if got := log.String(); got != "the log, room: x" {
		t.Errorf("a fault of the log: %q", got)
	}
}
