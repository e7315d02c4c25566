package attacks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// Neighbours talk this often, all of them together in one channel.
	talkPause  = 20 * time.Millisecond
	neighbours = 10
	// Quiet phases and those under attack take turns, each this many messages of
	// the neighbours long.
	phases      = 4
	phaseLength = 30
	// floodFactor is how much more the attacker sends.
	floodFactor = 100
	// floor is how slow a delivery may be for reasons of the machine. Where it is
	// slower without any attack, no two figures can be compared.
	floor = 10 * time.Millisecond
	// bound is what neighbours have to be served within on any machine.
	bound = time.Second
)

// attackNeighbours flood the hub that others use.
func attackNeighbours(w *world) (rows []attack) {
	const message = `{"type":"message","payload":{"channel":"open:flood","content":"flood"}}`
	for _, f := range []struct {
		name     string
		site     target
		talk     string   // where the neighbours talk
		commands []string // of the attacker, in turns
	}{
		{"a flood of 100 times the messages, rate limited", w.limited, "open:talk", []string{message}},
		{"a flood of 100 times the messages, no limit", w.many, "open:talk", []string{message}},
		{"a member that changes all the time", w.site, "lobby:talk", []string{
			`{"type":"subscribe","payload":{"channel":"lobby:talk"}}`,
			`{"type":"presence","payload":{"channel":"lobby:talk","status":"away","info":{"a":1}}}`,
			`{"type":"presence","payload":{"channel":"lobby:talk","status":"online","info":{"a":2}}}`,
			`{"type":"unsubscribe","payload":{"channel":"lobby:talk"}}`,
		}},
	} {
		rows = append(rows, attack{f.name, "neighbours lose nothing and are as fast as before", func(t *testing.T) string {
			return flood(t, f.site, f.talk, f.commands)
		}})
	}
	return rows
}

// flood lets neighbours talk in phases: every other one under attack, so that what
// else the machine does falls on both.
func flood(t *testing.T, s target, channel string, commands []string) string {
	talk := newTalk(t, s, channel)
	var quiet, attacked []time.Duration // p99 of each phase
	sent, thrown := 0, 0
	for range phases {
		quiet = append(quiet, talk.phase(t))
		a := newAttacker(t, s, commands)
		attacked = append(attacked, talk.phase(t))
		n, m := a.stop()
		sent, thrown = sent+n, thrown+m
	}
	if n := talk.missing.Load(); n > 0 {
		return fmt.Sprintf("%d messages were lost or came twice", n)
	}
	return compare(quiet, attacked, fmt.Sprintf("%d frames, closed %d times", sent, thrown))
}

// compare takes the best phase of each kind: an attack that works is felt in all,
// and what else goes on in the machine in some.
func compare(quiet, attacked []time.Duration, figures string) string {
	before, during := slices.Min(quiet), slices.Min(attacked)
	figures = fmt.Sprintf("p99 %v, under attack %v; %s", before.Round(10*time.Microsecond), during.Round(10*time.Microsecond), figures)
	allowed := max(before*3/2, floor)
	if slices.Max(quiet) > 2*floor {
		allowed, figures = bound, figures+"; too noisy to compare"
	}
	if during > allowed || slices.Max(attacked) > bound {
		return fmt.Sprintf("neighbours wait (%s; all phases: %v and %v)", figures, quiet, attacked)
	}
	return "neighbours lose nothing and are as fast as before (" + figures + ")"
}

// talk is what neighbours do: one sends, all receive.
type talk struct {
	channel   string
	sender    *client
	receivers []*client
	sent      int
	times     chan time.Duration // of a delivery, by each receiver

	missing atomic.Int64 // numbers that did not come in their turn
}

func newTalk(t *testing.T, s target, channel string) *talk {
	k := &talk{channel: channel, sender: s.connect(t), times: make(chan time.Duration, neighbours)}
	for range neighbours {
		c := s.connect(t)
		c.ask(t, "subscribe", `{"channel":"`+channel+`"}`)
		k.receivers = append(k.receivers, c)
		go k.receive(c) // ends with its connection
	}
	return k
}

// receive takes the time of each message, whose content is its number and when it
// was sent.
func (k *talk) receive(c *client) {
	for want := 1; ; want++ {
		ev, err := c.nextMessage()
		if err != nil {
			return
		}
		number, at, _ := strings.Cut(strings.Trim(string(ev.Payload.Content), `"`), " ")
		sent, _ := strconv.ParseInt(at, 10, 64)
		if number != strconv.Itoa(want) {
			k.missing.Add(1)
		}
		k.times <- time.Since(time.UnixMicro(sent))
	}
}

// phase sends messages at an even pace and gives the p99 of all deliveries.
func (k *talk) phase(t *testing.T) time.Duration {
	t.Helper()
	tick := time.NewTicker(talkPause)
	defer tick.Stop()
	late := time.After(patience)
	var times []time.Duration
	for range phaseLength {
		<-tick.C
		k.sent++
		k.sender.say(t, fmt.Sprintf(`{"type":"message","payload":{"channel":%q,"content":"%d %d"}}`, k.channel, k.sent, time.Now().UnixMicro()))
		for range neighbours {
			select {
			case took := <-k.times:
				times = append(times, took)
			case <-late:
				t.Fatal("a neighbour has waited too long")
			}
		}
	}
	slices.Sort(times)
	return times[len(times)*99/100]
}

// attacker sends commands again and again, and comes back when it is thrown
// out.
type attacker struct {
	t       *testing.T
	site    target
	burst   []byte
	frames  int // in burst
	end     chan struct{}
	done    sync.WaitGroup
	sent    int
	thrown  int
	drained sync.WaitGroup
}

// A burst each 10 ms is as even as a busy machine can be.
const burstPause = 10 * time.Millisecond

func newAttacker(t *testing.T, s target, commands []string) *attacker {
	a := &attacker{t: t, site: s, end: make(chan struct{})}
	for a.frames < int(floodFactor*burstPause/talkPause) {
		for _, c := range commands {
			a.burst = append(a.burst, frame(headText, c)...)
			a.frames++
		}
	}
	a.done.Go(a.run)
	return a
}

func (a *attacker) stop() (sent, thrown int) {
	close(a.end)
	a.done.Wait()
	a.drained.Wait()
	return a.sent, a.thrown
}

func (a *attacker) run() {
	tick := time.NewTicker(burstPause)
	defer tick.Stop()
	for c, out := a.connect(); c != nil; {
		select {
		case <-a.end:
			_ = c.conn.Close()
			return
		case <-out:
			a.thrown++
			_ = c.conn.Close()
			c, out = a.connect()
		case <-tick.C:
			_, _ = c.conn.Write(a.burst) // fails when it is thrown out
			a.sent += a.frames
		}
	}
}

// connect makes a connection, whose answers are thrown away. The channel is closed
// when the server does not want it any more.
func (a *attacker) connect() (*client, <-chan struct{}) {
	c, answer, err := a.site.open(a.t)
	if err != nil || c == nil {
		a.t.Errorf("the attacker is not let in: %v %v", answer, err)
		return nil, nil
	}
	out := make(chan struct{})
	a.drained.Go(func() {
		defer close(out)
		c.fate()
	})
	return c, out
}
