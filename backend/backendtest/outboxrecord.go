package backendtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

func outboxRecords(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	conn := unused("")
	e.Connect(conn, "")
	e.Disconnect(conn, "ann")
	all := e.receive(testSink, 2)
	if got := kinds(all); got != "connected "+conn+", disconnected "+conn {
		e.Fatalf("recorded: %s", got)
	}
	if all[0].User != "" || all[1].User != "ann" {
		e.Errorf("the users are %q and %q", all[0].User, all[1].User)
	}
	if all[0].ID == "" || all[0].ID == all[1].ID || all[0].Seq == 0 || all[0].Seq >= all[1].Seq {
		e.Errorf("ids and numbers: %+v", all)
	}
	if d := time.Since(all[0].Time); d < -time.Minute || d > time.Minute {
		e.Errorf("the event was recorded at %v", all[0].Time)
	}
}

func outboxRecordsChosen(e *outboxEnv) {
	room, other, conn := unused("room:"), unused("other:"), unused("")
	e.Occupy(room) // before anything is chosen
	e.Vacate(room)
	e.Choose(notify.NewChoice([]notify.Type{notify.Occupied, notify.Disconnected}, func(c string) bool { return c != other }), notify.Bounds{})
	e.claimAll(testSink)
	e.Occupy(other)
	e.Connect(conn, "")
	e.Occupy(room)
	e.Vacate(room)
	e.Disconnect(conn, "")
	e.Occupy(room)
	all := e.receive(testSink, 3)
	var rooms, conns []notify.Event
	for _, ev := range all {
		if ev.Channel != "" {
			rooms = append(rooms, ev)
		} else {
			conns = append(conns, ev)
		}
	}
	if kinds(rooms) != "occupied "+room+", occupied "+room || kinds(conns) != "disconnected "+conn {
		e.Errorf("recorded: %s", kinds(all))
	}
}

func outboxRecordsOnce(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	room := unused("room:")
	e.Vacate(room) // which it does not have
	e.Occupy(room)
	e.Occupy(room)
	e.Vacate(room)
	e.Vacate(room)
	e.Occupy(room)
	if got := kinds(e.receive(testSink, 3)); got != fmt.Sprintf("occupied %s, vacated %[1]s, occupied %[1]s", room) {
		e.Errorf("recorded: %s", got)
	}
}

// In each channel the events alternate, whatever happens in others.
func outboxRecordsInOrder(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	const rooms, turns = 8, 25
	var wg sync.WaitGroup
	for range rooms {
		room := unused("room:")
		wg.Go(func() {
			for range turns {
				e.Occupy(room)
				e.Vacate(room)
			}
		})
	}
	wg.Wait()
	last, lastType := make(map[string]uint64), make(map[string]notify.Type)
	for _, ev := range e.receive(testSink, 2*rooms*turns) {
		if ev.Seq <= last[ev.Channel] || ev.Type == lastType[ev.Channel] {
			e.Fatalf("%s is %s with the number %d, after %s with %d", ev.Channel, ev.Type, ev.Seq, lastType[ev.Channel], last[ev.Channel])
		}
		last[ev.Channel], lastType[ev.Channel] = ev.Seq, ev.Type
	}
}

// A choice without channels forgets which ones this node has.
func outboxForgets(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	e.claimAll(testSink)
	room, conn := unused("room:"), unused("")
	e.Occupy(room)
	e.receive(testSink, 1)
	for _, o := range e.nodes {
		o.Choose(notify.NewChoice([]notify.Type{notify.Connected}, nil), notify.Bounds{})
	}
	e.Vacate(room)
	e.chooseAll(notify.Bounds{})
	e.Occupy(room)
	e.Connect(conn, "")
	all := e.receive(testSink, 2)
	if len(all) != 2 || all[0].Type == notify.Vacated || all[1].Type == notify.Vacated {
		e.Errorf("recorded: %s", kinds(all))
	}
}

func outboxCloses(e *outboxEnv) {
	e.chooseAll(notify.Bounds{})
	if err := e.Close(); err != nil {
		e.Fatal(err)
	}
	e.Connect(unused(""), "")
	e.Occupy(unused("room:"))
	if err := e.Close(); err != nil {
		e.Errorf("closing again: %v", err)
	}
}
