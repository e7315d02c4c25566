package backendtest

import (
	"reflect"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// fill occupies and vacates a new channel until n events are recorded.
func (e *outboxEnv) fill(n int) (room string, q notify.Queue) {
	e.Helper()
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	room = unused("room:")
	e.add(room, n)
	return room, e.waiting(testSink, n)
}

func (e *outboxEnv) add(room string, n int) {
	for i := range n {
		if i%2 == 0 {
			e.Occupy(room)
		} else {
			e.Vacate(room)
		}
	}
}

func outboxBatchStays(e *outboxEnv) {
	room, q := e.fill(3)
	first := e.next(q, testSink, e.fences[q], 2)
	e.Vacate(room)
	again := e.next(q, testSink, e.fences[q], 100)
	if again.Age < first.Age {
		e.Errorf("a batch became younger: %v, %v", first.Age, again.Age)
	}
	first.Age, again.Age = 0, 0
	if len(first.Events) != 2 || !reflect.DeepEqual(first, again) {
		e.Fatalf("a batch that is not done changed from %+v to %+v", first, again)
	}
	e.done(q, testSink, e.fences[q], notify.Outcome{})
	next := e.next(q, testSink, e.fences[q], 1)
	if next.ID == first.ID || len(next.Events) != 1 || next.Events[0].Seq <= first.Events[1].Seq {
		e.Errorf("after %+v follows %+v", first, next)
	}
}

func outboxBatchBounds(e *outboxEnv) {
	_, q := e.fill(10)
	whole := e.next(q, testSink, e.fences[q], 1)
	if len(whole.Events) != 1 {
		e.Fatalf("a batch of one event has %d", len(whole.Events))
	}
	e.done(q, testSink, e.fences[q], notify.Outcome{})
	size := whole.Events[0].Bytes()
	b, err := q.Next(e.Context(), testSink, e.fences[q], 100, 3*size+size/2)
	if err != nil || len(b.Events) < 1 || len(b.Events) > 3 {
		e.Errorf("a batch of three events' bytes has %d (%v)", len(b.Events), err)
	}
	e.done(q, testSink, e.fences[q], notify.Outcome{})
	if b, err = q.Next(e.Context(), testSink, e.fences[q], 100, 1); err != nil || len(b.Events) != 1 {
		e.Errorf("a batch of one byte has %d events (%v)", len(b.Events), err)
	}
}

func outboxBatchOfNextSender(e *outboxEnv) {
	_, q := e.fill(5)
	first := e.next(q, testSink, e.fences[q], 2)
	if err := q.Release(e.Context(), testSink, e.fences[q]); err != nil {
		e.Fatal(err)
	}
	fence := e.claim(q, testSink, "another")
	if fence <= e.fences[q] {
		e.Fatalf("after the fence %d comes %d", e.fences[q], fence)
	}
	again := e.next(q, testSink, fence, 100)
	if first.Age, again.Age = 0, 0; !reflect.DeepEqual(first, again) {
		e.Errorf("the next sender gets %+v in place of %+v", again, first)
	}
}

func outboxClaimExcludes(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	q := e.Queues()[0]
	mine := e.claim(q, testSink, "one")
	if other := e.claim(q, testSink, "two"); other != 0 {
		e.Errorf("two senders have fences: %d and %d", mine, other)
	}
	if again := e.claim(q, testSink, "one"); again != mine {
		e.Errorf("a renewed claim has the fence %d in place of %d", again, mine)
	}
	if other := e.claim(q, "another sink", "two"); other == 0 {
		e.Error("a claim for one sink excludes one for another")
	}
}

func outboxClaimEnds(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	q := e.Queues()[0]
	c, err := q.Claim(e.Context(), notify.Claim{Sink: testSink, Owner: "one", Lease: 20 * time.Millisecond})
	if err != nil || c.Fence == 0 {
		e.Fatalf("claim: %+v, %v", c, err)
	}
	var fence uint64
	for until := time.Now().Add(patience); fence == 0 && time.Now().Before(until); time.Sleep(time.Millisecond) {
		fence = e.claim(q, testSink, "two")
	}
	if fence <= c.Fence {
		e.Errorf("after the fence %d comes %d", c.Fence, fence)
	}
}

func outboxClaimFences(e *outboxEnv) {
	_, q := e.fill(2)
	old := e.fences[q]
	e.next(q, testSink, old, 1)
	_ = q.Release(e.Context(), testSink, old)
	_, err := q.Next(e.Context(), testSink, old, 1, 1<<20)
	e.wantFenced(err)
	fence := e.claim(q, testSink, "another")
	_, err = q.Next(e.Context(), testSink, old, 1, 1<<20)
	e.wantFenced(err)
	e.wantFenced(q.Done(e.Context(), testSink, old, notify.Outcome{}))
	e.wantFenced(q.Release(e.Context(), testSink, old))
	e.next(q, testSink, fence, 1)
	e.done(q, testSink, fence, notify.Outcome{})
}

func outboxWakes(e *outboxEnv) {
	room, q := e.fill(1)
	e.receive(testSink, 1)
	wake := q.Wake(testSink)
	for empty := false; !empty; {
		select {
		case <-wake:
		default:
			empty = true
		}
	}
	e.next(q, testSink, e.fences[q], 1)
	e.Vacate(room)
	select {
	case <-wake:
	case <-time.After(patience):
		e.Error("a new event does not wake the sender")
	}
}

func outboxSinksApart(e *outboxEnv) {
	room, q := e.fill(4)
	fence := e.claim(q, "slow", "slow")
	e.receive(testSink, 4)
	if c, err := q.Claim(e.Context(), notify.Claim{Sink: "slow", Owner: "slow", Lease: longLease}); err != nil || c.Events != 4 || c.Bytes <= 0 || c.Oldest.IsZero() {
		e.Errorf("what one sink has left the queue before the other has it: %+v, %v", c, err)
	}
	if b := e.next(q, "slow", fence, 100); len(b.Events) != 4 || b.Events[0].Channel != room {
		e.Errorf("the other sink gets %+v", b)
	}
	e.done(q, "slow", fence, notify.Outcome{})
	if c, err := q.Claim(e.Context(), notify.Claim{Sink: "slow", Owner: "slow", Lease: longLease}); err != nil || c.Events != 0 || c.Bytes != 0 || !c.Oldest.IsZero() {
		e.Errorf("what all sinks have is still in the queue: %+v, %v", c, err)
	}
}

func outboxOverflows(e *outboxEnv) {
	_, q := e.fill(1)
	e.Choose(notify.NewChoice(notify.Types, nil), notify.Bounds{Events: 10})
	room := e.receive(testSink, 1)[0].Channel
	e.add(room, 30) // the first one repeats what is so already
	e.waiting(testSink, 10)
	all := e.drained(q, 3)
	count, last := 0, uint64(0)
	for i, ev := range all {
		if ev.Seq <= last {
			e.Errorf("after %d comes %d", last, ev.Seq)
		}
		if last = ev.Seq; ev.Type != notify.Lost {
			continue
		}
		if count += ev.Count; i == 0 {
			e.Error("the oldest events are lost")
		}
	}
	if got := len(all) + count; count == 0 || got != 29+lostEvents(all) {
		e.Errorf("%d events, of which %d report that %d are lost, do not make 29: %s", len(all), lostEvents(all), count, kinds(all))
	}
}

// drained takes batches of n events from a queue until it stays empty.
func (e *outboxEnv) drained(q notify.Queue, n int) (all []notify.Event) {
	for idle := 0; idle < 50; time.Sleep(time.Millisecond) {
		b := e.next(q, testSink, e.fences[q], n)
		if idle++; len(b.Events) > 0 {
			all, idle = append(all, b.Events...), 0
			e.done(q, testSink, e.fences[q], notify.Outcome{})
		}
	}
	return all
}

func lostEvents(all []notify.Event) (n int) {
	for _, ev := range all {
		if ev.Type == notify.Lost {
			n++
		}
	}
	return n
}

// What is lost is reported although nothing is recorded afterwards. Bytes are bounded too.
func outboxOverflowsAtTheEnd(e *outboxEnv) {
	room, q := e.fill(1)
	one := e.receive(testSink, 1)[0]
	e.Choose(notify.NewChoice(notify.Types, nil), notify.Bounds{Bytes: 5 * int64(one.Bytes())})
	e.add(room, 1)
	for range 20 {
		e.Vacate(room)
		e.Occupy(room)
	}
	var all []notify.Event
	for until := time.Now().Add(patience); lostEvents(all) == 0 && time.Now().Before(until); {
		all = append(all, e.drained(q, 100)...)
	}
	count := 0
	for _, ev := range all {
		count += ev.Count
	}
	if n := lostEvents(all); n == 0 || all[len(all)-1].Type != notify.Lost || len(all)-n+count != 40 {
		e.Errorf("%d events, of which %d report that %d are lost, do not make 40: %s", len(all), n, count, kinds(all))
	}
}

func outboxGivesUp(e *outboxEnv) {
	_, q := e.fill(6)
	e.next(q, testSink, e.fences[q], 2)
	e.done(q, testSink, e.fences[q], notify.Outcome{Lost: 2})
	b := e.next(q, testSink, e.fences[q], 2)
	if len(b.Events) != 3 || b.Events[0].Type != notify.Lost || b.Events[0].Count != 2 || b.Events[0].ID == b.Events[1].ID {
		e.Fatalf("after a loss follows %+v", b)
	}
	e.done(q, testSink, e.fences[q], notify.Outcome{Lost: 4})
	b = e.next(q, testSink, e.fences[q], 2)
	if len(b.Events) != 3 || b.Events[0].Count != 4 {
		e.Fatalf("after another loss follows %+v", b)
	}
	e.done(q, testSink, e.fences[q], notify.Outcome{})
}

func outboxRefused(e *outboxEnv) {
	room, q := e.fill(3)
	e.next(q, testSink, e.fences[q], 2)
	e.done(q, testSink, e.fences[q], notify.Outcome{Refused: true})
	c, err := q.Claim(e.Context(), notify.Claim{Sink: testSink, Owner: "another", Lease: longLease})
	if err != nil || c.Fence != 0 || !c.Closed || c.Events != 0 {
		e.Fatalf("a refused sink can be claimed: %+v, %v", c, err)
	}
	e.Vacate(room) // which a refused sink never gets
	e.recorded(q, room)
	e.claim(q, testSink, "another")
	c, err = q.Claim(e.Context(), notify.Claim{Sink: testSink, Owner: "another", Lease: longLease, Reopen: true})
	if err != nil || c.Fence == 0 || c.Closed {
		e.Fatalf("a refused sink can not be reopened: %+v, %v", c, err)
	}
	e.fences[q] = c.Fence
	e.Occupy(room)
	if got := kinds(e.receive(testSink, 1)); got != "occupied "+room {
		e.Errorf("a reopened sink gets %s", got)
	}
}

// recorded waits until a queue has recorded that a room is vacated.
func (e *outboxEnv) recorded(q notify.Queue, room string) {
	e.Helper()
	fence := e.claim(q, "witness", "witness")
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		b := e.next(q, "witness", fence, 100)
		if n := len(b.Events); n > 0 {
			e.done(q, "witness", fence, notify.Outcome{})
			if last := b.Events[n-1]; last.Channel == room && last.Type == notify.Vacated {
				return
			}
		}
	}
	e.Fatal("the event is never recorded")
}

func outboxOccupiedOnce(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	room := unused("room:")
	for _, o := range e.nodes {
		o.Occupy(room)
	}
	e.receive(testSink, 1)
	time.Sleep(50 * time.Millisecond) // the other nodes report meanwhile
	for i, o := range e.nodes {
		if i > 0 {
			o.Vacate(room)
		}
	}
	time.Sleep(50 * time.Millisecond)
	e.Vacate(room)
	if got := kinds(e.receive(testSink, 1)); got != "vacated "+room {
		e.Errorf("recorded: %s", got)
	}
}

func outboxNodesTakeTurns(e *outboxEnv) {
	room, q := e.fill(1)
	e.next(q, testSink, e.fences[q], 1)
	var same notify.Queue
	for i, mine := range e.Queues() {
		if mine == q {
			same = e.nodes[1].Queues()[i]
		}
	}
	if fence := e.claim(same, testSink, "another"); fence != 0 {
		e.Fatal("two nodes send at the same time")
	}
	_ = q.Release(e.Context(), testSink, e.fences[q])
	b := e.next(same, testSink, e.claim(same, testSink, "another"), 10)
	if got := kinds(b.Events); got != "occupied "+room {
		e.Errorf("the next node gets %s", got)
	}
}
