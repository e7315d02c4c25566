package redis

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// manualHolds returns the reports of a node that a test sends itself.
func manualHolds(r *recorder, events int) *holds {
	q := r.outbox.queues[0]
	q.holds.cancel()
	q.wg.Wait()
	q.holds.most = events
	return &q.holds
}

// However long Redis is away, what waits is bounded by what the node has, and the app is told how
// much it was not told.
func TestChangesAreBoundedWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	a := newRecorder(t, o)
	h := manualHolds(newRecorder(t, o), 100)
	h.have("cbefore", true, "ann")
	h.have("rroom", true, "")
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.events("connected ann before", "occupied room")
	h.have("cbefore", false, "ann")
	for i := range 50_000 {
		h.have(fmt.Sprint("cn", i), true, "bob")
		h.have("rroom", i%2 == 1, "")
		h.have(fmt.Sprint("cn", i), false, "bob")
		if len(h.changes) > 101 {
			t.Fatalf("%d changes wait", len(h.changes))
		}
	}
	h.have("clate", true, "cleo")
	h.compact()
	if len(h.changes) != 2 {
		t.Errorf("these wait: %+v", h.changes)
	}
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.events("lost count 150000", "disconnected ann before", "connected cleo late")
	h.have("rroom", false, "")
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.events("vacated room")
}

// Whenever Redis is away, loses a reply or its data, the app gets start and end of a name in turn,
// Redis has in the end what the node has, and each change is an event or counts as lost.
func TestCompactedChangesAgree(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	for seed := range uint64(20) {
		o.Prefix = nodeName() + ":"
		testCompacted(t, newRecorder(t, o), rand.New(rand.NewPCG(seed, 1)))
	}
}

func testCompacted(t *testing.T, r *recorder, random *rand.Rand) {
	h := manualHolds(r, 8)
	has, changes := make(map[string]bool), 0
	var events []string
	for range 300 {
		switch name := string("cr"[random.IntN(2)]) + fmt.Sprint(random.IntN(6)); random.IntN(40) {
		case 0:
			if _, err := h.report(t.Context()); err != nil {
				t.Fatal(err)
			}
			events = append(events, r.take()...)
		case 1: // Redis gets a report, and the reply is lost
			if _, due := h.nextReport(); due {
				if _, err := h.send(t.Context(), h.open); err != nil {
					t.Fatal(err)
				}
			}
		case 2: // the report is lost
			h.nextReport()
		case 3: // Redis forgets what it has accepted
			if _, err := h.report(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := r.client.shards[0]
			s.do(t, "del", s.names.outboxHas(h.node), s.names.outboxNodes())
			for i := range 6 {
				s.do(t, "del", s.names.outboxIn(fmt.Sprint(i)))
			}
		default:
			has[name] = !has[name]
			h.have(name, has[name], "ann")
			changes++
		}
	}
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.have("cend", true, "ann") // brings what is lost
	if _, err := h.report(t.Context()); err != nil {
		t.Fatal(err)
	}
	has["cend"] = true
	events = append(events, r.take()...)
	told, count := make(map[string]bool), len(events)
	for _, e := range events {
		words := strings.Fields(e)
		what, name := words[0], words[len(words)-1]
		if what == "lost" {
			var n int
			fmt.Sscan(name, &n)
			count += n - 1
			continue
		}
		name = map[bool]string{true: "r", false: "c"}[len(words) == 2] + name
		if start := what == "connected" || what == "occupied"; told[name] == start {
			t.Errorf("%s comes twice: %s", e, events)
		}
		told[name] = !told[name]
	}
	if count != changes+1 {
		t.Errorf("%d events and lost ones of %d changes", count, changes+1)
	}
	for name := range has {
		if told[name] != has[name] {
			t.Errorf("%s: the app believes %v, and it is %v", name, told[name], has[name])
		}
	}
}
