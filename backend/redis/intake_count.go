package redis

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// frameCounter gives frames names that are the same on all nodes.
type frameCounter struct {
	mark     string // from which is counted; empty: no frame counts before the next mark
	counts   map[[sha256.Size]byte]int
	unmarked bool // this node has to publish a mark
}

// name returns the name of a frame, or nothing if there was no mark.
func (f *frameCounter) name(channel, payload string) string {
	if f.mark == "" {
		return ""
	}
	h := sha256.New()
	h.Write([]byte(channel + "\n"))
	h.Write([]byte(payload))
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	if f.counts == nil {
		f.counts = make(map[[sha256.Size]byte]int)
	}
	f.counts[sum]++
	f.unmarked = f.unmarked || len(f.counts)%intakeCounts == 0
	return f.mark + ":" + hex.EncodeToString(sum[:16]) + ":" + strconv.Itoa(f.counts[sum])
}

// arrivedFrame is a frame that waits for takeUntilClosed.
type arrivedFrame struct {
	name, channel, payload string
	at                     time.Time
}

// intakeFrom is the [handler] of a channel or a pattern. It outlives an intake, because a topic that
// is needed again keeps its handler.
type intakeFrom struct{ c *shard }

// subscribed implements [handler].
func (h intakeFrom) subscribed() { h.c.intake.Load().countAnew() }

// receive implements [handler]. The link calls receiveFrom.
func (intakeFrom) receive(string) {}

// receiveFrom implements [channelHandler].
func (h intakeFrom) receiveFrom(channel, payload string) { h.c.intake.Load().arrive(channel, payload) }

// arrive queues a frame. A nil intake drops it.
func (in *Intake) arrive(channel, payload string) {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	name := in.counter.name(channel, payload)
	switch {
	case name == "": // those nodes that were there before have it
	case len(in.arrived) >= intakeFrames || in.bytes+len(channel)+len(payload) > intakeBytes:
		in.lost++
	default:
		in.arrived = append(in.arrived, arrivedFrame{name, channel, payload, time.Now()})
		in.bytes += len(channel) + len(payload)
	}
	in.wakeUp()
}

// intakeMarks is the [handler] of the marks.
type intakeMarks struct{ c *shard }

func (h intakeMarks) subscribed() { h.c.intake.Load().countAnew() }

// receive takes a mark. A mark that was published before this node has subscribed to everything does not
// count: it has perhaps missed frames behind it.
func (h intakeMarks) receive(mark string) {
	in := h.c.intake.Load()
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.takeNotice(mark) {
		return
	}
	if c := &in.counter; !c.unmarked || c.mark != "" {
		c.mark, c.unmarked = mark, false
		clear(c.counts)
	}
}

// countAnew is called when this node has subscribed, and may have missed frames before.
func (in *Intake) countAnew() {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.counter.mark, in.counter.unmarked = "", true
	in.wakeUp()
}

// publishMark publishes a mark if that has to be. If it fails, the next beat tries again.
func (in *Intake) publishMark() {
	in.mu.Lock()
	due := in.counter.unmarked
	in.counter.unmarked = false
	in.mu.Unlock()
	if !due {
		return
	}
	_, err := in.c.batch.do(in.ctx, &call{args: []any{"publish", in.c.names.intakeMark(), history.NewEpoch()}})
	if err != nil {
		in.mu.Lock()
		in.counter.unmarked = true
		in.mu.Unlock()
	}
}

func (in *Intake) wakeUp() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}
