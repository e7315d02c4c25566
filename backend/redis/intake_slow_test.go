package redis

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowTakers publish the frames of the channel news in one list. The frame "slow" is given up when its time is over.
type slowTakers struct {
	mu    sync.Mutex
	done  []string
	lease time.Duration
	slow  time.Duration
}

func (all *slowTakers) start(t *testing.T, addr, name string) *Intake {
	t.Helper()
	in, err := open(t, quickOptions(addr)).Intake(IntakeOptions{Channels: []string{"news"}, lease: all.lease, Take: func(_, payload string) (here, each func(context.Context)) {
		return nil, func(ctx context.Context) {
			if payload == "slow" {
				time.Sleep(all.slow)
			}
			all.mu.Lock()
			defer all.mu.Unlock()
			if ctx.Err() == nil || payload != "slow" {
				all.done = append(all.done, name+":"+payload)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	awaitMark(t, in)
	return in
}

func (all *slowTakers) list() []string {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Clone(all.done)
}

// A node that one frame keeps busy for longer than others keep frames delivers all that came meanwhile.
func TestIntakeOfABusyLeader(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := &slowTakers{lease: time.Second, slow: intakeKept*time.Second + 500*time.Millisecond}
	in := all.start(t, s.Addr, "a")
	eventually(t, "the node leads", in.leads.Load)
	for _, frame := range []string{"slow", "m1", "m2", "m3"} {
		s.do("publish", "news", frame)
	}
	eventually(t, "all are delivered", func() bool { return slices.Contains(all.list(), "a:m3") })
	if got := all.list(); !slices.Equal(got, []string{"a:m1", "a:m2", "a:m3"}) {
		t.Errorf("done %q", got)
	}
}

// A node that was busy for longer than its lease publishes nothing behind the node that leads then. What it has not
// claimed, the other one publishes.
func TestIntakeOfALeaderThatIsTooSlow(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := &slowTakers{lease: time.Second, slow: 3 * time.Second}
	a := all.start(t, s.Addr, "a")
	eventually(t, "the first node leads", a.leads.Load)
	all.start(t, s.Addr, "b")
	s.do("eval", "redis.call('publish','news','slow') for i=1,3 do redis.call('publish','news','m'..i) end", "0")
	for i := 4; i <= 6; i++ {
		s.do("publish", "news", fmt.Sprint("m", i))
	}
	eventually(t, "all are published", func() bool { return len(all.list()) >= 6 })
	eventually(t, "the first node sees that another leads", func() bool { return !a.leads.Load() })
	if got := all.list(); !slices.Equal(got, []string{"b:m1", "b:m2", "b:m3", "b:m4", "b:m5", "b:m6"}) {
		t.Errorf("done %q", got)
	}
}

// A frame is dropped for its age only by a node that does not lead.
func TestIntakeDropsOldFrames(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	for name, c := range map[string]struct {
		leads    bool
		followed time.Duration // how long ago; negative: another node does not lead
		age      time.Duration
		want     bool
	}{
		"it leads":                         {true, -1, time.Hour, false},
		"another node leads":               {false, 0, intakeKept*lease + time.Minute, true},
		"another node has a moment":        {false, 0, intakeKept*lease - time.Second, false},
		"Redis was asked before the frame": {false, time.Second, intakeKept*lease + time.Second/2, false},
		"nobody leads":                     {false, -1, intakeKept*lease + time.Second, false},
		"nobody leads for long":            {false, -1, intakeClaims/2 + time.Second, true},
		"Redis is away for long":           {false, time.Minute, intakeClaims/2 + time.Second, true},
	} {
		in := &Intake{lease: lease}
		in.leads.Store(c.leads)
		if c.followed >= 0 {
			in.followed = time.Now().Add(-c.followed)
		}
		if got := in.isOld(&keptFrame{at: time.Now().Add(-c.age)}); got != c.want {
			t.Errorf("%s: old %v", name, got)
		}
	}
}

// What a node drops is counted and logged, unless another node has it. A line a minute says how many.
func TestIntakeCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	publishes := func(context.Context) {}
	for name, c := range map[string]struct {
		follows bool
		frame   keptFrame
		want    int
	}{
		"nobody else has it":             {false, keptFrame{all: publishes}, 3},
		"another node leads":             {true, keptFrame{all: publishes}, 0},
		"this node alone may publish it": {true, keptFrame{all: publishes, claimed: true}, 3},
		"there is nothing to publish":    {false, keptFrame{}, 0},
	} {
		var log strings.Builder
		in := &Intake{lease: time.Second, log: slog.New(slog.NewTextHandler(&log, nil))}
		fill := func() {
			c.frame.at = time.Now()
			if c.follows {
				in.followed = time.Now()
			}
			for len(in.kept) < intakeFrames+3 {
				in.kept = append(in.kept, c.frame)
			}
		}
		fill()
		in.dropKept()
		if in.lost != c.want || len(in.kept) != intakeFrames {
			t.Errorf("%s: %d frames are lost, %d kept", name, in.lost, len(in.kept))
		}
		in.warnOfLost()
		if got := strings.Contains(log.String(), "frames=3"); got != (c.want > 0) {
			t.Errorf("%s: logged %q", name, log.String())
		}
		for range 2 {
			fill()
			in.dropKept()
			in.warnOfLost()
		}
		in.warned = in.warned.Add(-2 * time.Minute)
		in.warnOfLost()
		if got := strings.Contains(log.String(), "frames=6"); got != (c.want > 0) || strings.Count(log.String(), "\n") > 2 {
			t.Errorf("%s: logged %q", name, log.String())
		}
	}
}
