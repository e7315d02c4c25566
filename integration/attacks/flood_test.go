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

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const (
	// Neighbours talk this often, all of them together in one channel.
	talkPause  = 20 * time.Millisecond
	neighbours = 10
	// Quiet phases and those under attack take turns, each this many messages of
	// the neighbours long.
	phases      = 7
	phaseLength = 40
	// floodFactor is how much more the attacker sends, which is also 100 times the rate
	// of the site with a limit.
	floodFactor = 100
	// slower is how much longer the neighbours of a flood that is refused may wait.
	slower = 1.5
	// cheaper is how much less it has to cost the server to refuse a frame than to
	// serve one.
	cheaper = 3
)

// floodSites are served by a process of their own, so that the work of the attacker
// is not taken for that of the server.
const floodSites = `
http://{{limited}} {
	realtime /rt {
		hub limited
		limits {
			rate 50/s 100
		}
		ROOMS
	}
}
http://{{unlimited}} {
	realtime /rt {
		hub unlimited
		ROOMS
	}
}
`

const floodRooms = `
		room open:* {
			subscribe anyone
			publish anyone
		}
		room lobby:* {
			subscribe anyone
			publish anyone
			presence
		}
`

// attackNeighbours flood the hub that others use.
func attackNeighbours(w *world) (rows []attack) {
	expect := fmt.Sprintf("neighbours lose nothing and wait no more than %v times as long; to refuse a frame costs less than a third of serving it", slower)
	for _, f := range []struct {
		name     string
		talk     string   // where the neighbours talk
		commands []string // of the attacker, in turns
	}{
		{"100 times the messages of the limit", "open:talk", []string{
			`{"type":"message","payload":{"channel":"open:flood","content":"flood"}}`,
		}},
		{"a member that changes 100 times as fast as the limit", "lobby:talk", []string{
			`{"type":"subscribe","payload":{"channel":"lobby:talk"}}`,
			`{"type":"presence","payload":{"channel":"lobby:talk","status":"away","info":{"a":1}}}`,
			`{"type":"presence","payload":{"channel":"lobby:talk","status":"online","info":{"a":2}}}`,
			`{"type":"unsubscribe","payload":{"channel":"lobby:talk"}}`,
		}},
	} {
		rows = append(rows, attack{f.name, expect, func(t *testing.T) string {
			p := integration.StartProcess(t, strings.ReplaceAll(floodSites, "ROOMS", floodRooms))
			w.gauge.watch(p)
			w.gauge.allow(bounds{cpu: time.Minute}) // judged by what a frame costs
			newFlood(t, p, "unlimited", f.talk+":warm", f.commands).run(t, 1)
			served := newFlood(t, p, "unlimited", f.talk, f.commands)
			served.run(t, 2)
			refused := newFlood(t, p, "limited", f.talk, f.commands)
			refused.run(t, phases)
			return refused.judge(expect, served)
		}})
	}
	return rows
}

// flood lets neighbours talk in phases: every other one under attack, so that what
// else the machine does falls on both.
type flood struct {
	server   *integration.Process
	site     target
	talk     *talk
	commands []string // of the attacker, in turns

	quiet, attacked side
	frames, thrown  int // of the attacker
}

// side is what is known of the phases of one kind.
type side struct {
	p99  []time.Duration // of each phase
	took time.Duration
	cpu  time.Duration // of the server
}

func newFlood(t *testing.T, p *integration.Process, site, channel string, commands []string) *flood {
	s := target(p.Addr(site))
	return &flood{server: p, site: s, talk: newTalk(t, s, channel), commands: commands}
}

func (f *flood) run(t *testing.T, times int) {
	for range times {
		f.phase(t, false)
		f.phase(t, true)
	}
}

func (f *flood) phase(t *testing.T, attacked bool) {
	side, stop := &f.quiet, func() (sent, thrown int) { return 0, 0 }
	if attacked {
		side, stop = &f.attacked, newAttacker(t, f.site, f.commands).stop
	}
	begin, cpu := time.Now(), f.cpu(t)
	side.p99 = append(side.p99, f.talk.phase(t))
	side.cpu += f.cpu(t) - cpu
	side.took += time.Since(begin)
	sent, thrown := stop()
	f.frames, f.thrown = f.frames+sent, f.thrown+thrown
}

func (f *flood) cpu(t *testing.T) time.Duration {
	t.Helper()
	cpu, err := cpuTime(f.server.PID())
	if err != nil {
		t.Skip("processor times are read from /proc: ", err)
	}
	return cpu
}

// frameCost is what a frame of the attacker cost the server, in processor time.
func (f *flood) frameCost() time.Duration {
	alone := time.Duration(float64(f.quiet.cpu) * float64(f.attacked.took) / float64(f.quiet.took))
	return max(0, f.attacked.cpu-alone) / time.Duration(f.frames)
}

// judge compares a flood that is refused with one that is served. The neighbours are
// slower only if both their usual and their best phases are: an attack that works is
// felt in all of them, and what else goes on in the machine in some. What a frame
// costs depends on nothing else.
func (f *flood) judge(expect string, served *flood) string {
	usual := ratio(median(f.attacked.p99), median(f.quiet.p99))
	best := ratio(slices.Min(f.attacked.p99), slices.Min(f.quiet.p99))
	cost, normal := f.frameCost(), served.frameCost()
	figures := fmt.Sprintf("usual phases %.2f times, best ones %.2f; a frame costs %v, one that is served %v; %v; while it is served %v",
		usual, best, cost, normal, f, served)
	switch lost := f.talk.missing.Load() + served.talk.missing.Load(); {
	case lost > 0:
		return fmt.Sprintf("%d messages were lost or came twice", lost)
	case min(usual, best) > slower:
		return "neighbours wait: " + figures
	case cost*cheaper > normal:
		return "refusing is too dear: " + figures
	}
	return fmt.Sprintf("%s (%s)", expect, figures)
}

func (f *flood) String() string {
	short := func(list []time.Duration) (all []time.Duration) {
		for _, d := range list {
			all = append(all, d.Round(10*time.Microsecond))
		}
		return all
	}
	return fmt.Sprintf("p99 of each phase %v, under attack %v; server's processor time %.1f%% and %.1f%%; %d frames, thrown out %d times",
		short(f.quiet.p99), short(f.attacked.p99), 100*ratio(f.quiet.cpu, f.quiet.took), 100*ratio(f.attacked.cpu, f.attacked.took), f.frames, f.thrown)
}

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

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
			a.sent += a.frames
			// Where it can not be written because the server does not read, the
			// connection is useless from then on, which the attacker finds out.
			_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = c.conn.Write(a.burst)
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
