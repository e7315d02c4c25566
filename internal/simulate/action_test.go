package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// op is a kind of action.
type op uint8

const (
	opUp          op = iota // the client connects, if it is not connected
	opCut                   // the connection ends, and both sides notice it
	opMute                  // the client is gone without a word: only the heartbeat finds it
	opStall                 // the client reads nothing for a time
	opSubscribe             // to a room
	opUnsubscribe           // from a room
	opPublish               // some messages to a room
	opBurst                 // many messages to a room
	opAgain                 // the latest message once more, with its key
	opInfo                  // the client's member shows something else
	opChange                // a change of the document
	opReload                // another configuration comes into force
	opRestart               // the node ends and starts again
	opCrash                 // the node loses what is not on the disk
	ops
)

var opNames = [ops]string{"up", "cut", "mute", "stall", "subscribe", "unsubscribe", "publish", "burst", "again", "info", "change", "reload", "restart", "crash"}

// action is one step of a history. Fields that an operation does not need mean nothing.
type action struct {
	After  time.Duration // since the action before; 0: in the same moment
	Op     op
	Client int
	Room   int
	N      int
}

// String returns a line for people.
func (a action) String() string {
	who := fmt.Sprintf("client %d", a.Client)
	switch a.Op {
	case opReload:
		return fmt.Sprintf("+%v reload to %d", a.After, a.N%variants)
	case opRestart, opCrash:
		return fmt.Sprintf("+%v %s", a.After, opNames[a.Op])
	case opUp, opCut, opMute:
		return fmt.Sprintf("+%v %s: %s", a.After, who, opNames[a.Op])
	case opStall:
		return fmt.Sprintf("+%v %s: stall %v", a.After, who, a.stall())
	}
	return fmt.Sprintf("+%v %s: %s %s (%d)", a.After, who, opNames[a.Op], roomNames[a.Room], a.N)
}

// stall is how long the client reads nothing.
func (a action) stall() time.Duration { return time.Duration(a.N%120) * 100 * time.Millisecond }

// history is everything that a run needs.
type history struct {
	Seed    uint64
	Disk    bool
	Sync    time.Duration // see disk.Options
	Actions []action
}

const clients = 5

// weights say how often an operation is drawn.
var weights = [ops]int{
	opUp: 14, opCut: 8, opMute: 2, opStall: 4, opSubscribe: 16, opUnsubscribe: 5, opPublish: 24, opBurst: 3, opAgain: 4,
	opInfo: 3, opChange: 14, opReload: 2, opRestart: 1, opCrash: 2,
}

// draw makes the history of a seed.
func draw(seed uint64) history {
	r := rand.New(rand.NewPCG(seed, 1))
	h := history{Seed: seed, Disk: r.IntN(2) > 0}
	h.Sync = []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond}[r.IntN(3)]
	for c := range clients { // most clients are there from the start
		h.Actions = append(h.Actions, action{Op: opUp, Client: c})
		for room := range roomNames {
			if r.IntN(3) > 0 {
				h.Actions = append(h.Actions, action{Op: opSubscribe, Client: c, Room: room})
			}
		}
	}
	total := 0
	for _, w := range weights {
		total += w
	}
	for end := len(h.Actions) + 20 + r.IntN(30); len(h.Actions) < end; {
		if r.IntN(8) == 0 {
			h.Actions = append(h.Actions, scene(r)...)
		} else {
			h.Actions = append(h.Actions, drawOne(r, total))
		}
	}
	return h
}

// scene draws actions that seldom meet by chance.
func scene(r *rand.Rand) []action {
	c, other, room := r.IntN(clients), r.IntN(clients), r.IntN(len(roomNames))
	soon := func() time.Duration { return time.Duration(r.IntN(50)) * time.Millisecond }
	one := func(after time.Duration, o op, c int) action {
		return action{After: after, Op: o, Client: c, Room: room, N: r.IntN(1000)}
	}
	switch r.IntN(5) {
	case 0: // a reader is too slow, often where that costs messages
		if r.IntN(2) == 0 {
			room = slices.Index(roomNames, short)
		}
		return []action{
			one(0, opUp, c), one(0, opSubscribe, c), one(0, opUp, other), one(100*time.Millisecond, opStall, c),
			one(soon(), opBurst, other), one(200*time.Millisecond, opBurst, other), one(soon(), opBurst, other),
		}
	case 4: // changes of one document collide
		all := []action{one(0, opUp, c), one(0, opUp, other)}
		for range 3 {
			all = append(all, action{Op: opChange, Client: c, N: 4}, action{Op: opChange, Client: other, N: 8, After: soon()})
		}
		return all
	case 1: // a crash meets a message
		return []action{one(0, opPublish, c), one(soon(), opCrash, c), one(soon(), opUp, c), one(soon(), opUp, other)}
	case 2: // a client is back at once
		return []action{one(0, opPublish, other), one(soon(), opCut, c), one(soon(), opPublish, other), one(soon(), opUp, c)}
	}
	// messages meet the ends of a subscription
	return []action{one(0, opPublish, other), one(0, opSubscribe, c), one(soon(), opPublish, other), one(0, opUnsubscribe, c), one(0, opPublish, other)}
}

func drawOne(r *rand.Rand, total int) action {
	a := action{After: pause(r), Client: r.IntN(clients), Room: r.IntN(len(roomNames)), N: r.IntN(1000)}
	n := r.IntN(total)
	for n >= weights[a.Op] {
		n -= weights[a.Op]
		a.Op++
	}
	return a
}

// pause draws the time before an action: often none, mostly short, seldom longer than a grace.
func pause(r *rand.Rand) time.Duration {
	switch n := r.IntN(20); {
	case n < 7:
		return 0
	case n < 15:
		return time.Duration(r.IntN(60)) * time.Millisecond
	case n < 19:
		return time.Duration(r.IntN(1500)) * time.Millisecond
	default:
		return time.Duration(r.IntN(12)) * time.Second
	}
}

// describe returns the history as lines.
func (h history) describe() string {
	var b strings.Builder
	where := "memory"
	if h.Disk {
		where = fmt.Sprintf("disk, sync %v", h.Sync)
	}
	fmt.Fprintf(&b, "seed %d, %s, %d actions\n", h.Seed, where, len(h.Actions))
	for _, a := range h.Actions {
		fmt.Fprintf(&b, "  %v\n", a)
	}
	return b.String()
}
