//go:build unix

package drills

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const slowCrowdSite = `
{
	admin {{admin}}
	log {
		exclude http realtime
	}
}
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		limits {
			queue 256 1MiB
		}
		room chat:* {
			subscribe anyone
			publish anyone
		}
		room hot:disconnect {
			subscribe anyone
		}
		room hot:oldest {
			subscribe anyone
			slow drop_oldest
		}
		room hot:latest {
			subscribe anyone
			slow latest
		}
	}
}
`

// TestSlowCrowd lets one of a hundred clients read nothing, under each policy, while a flood goes
// to them. The others are in rooms of ten. TestSlow checks what the policies promise to the slow ones.
func TestSlowCrowd(t *testing.T) {
	t.Parallel()
	n := crowdOf(t, sized(200, 5000), 1)
	slow, lasts := n/100, sized(500*time.Millisecond, 6*time.Second)
	p := integration.StartProcess(t, slowCrowdSite, "REALTIME_TEST_KEY="+appKey)
	base, server := "http://"+p.Addr("site")+"/rt", profile{t, p.Addr("admin")}
	dial := func() (*wsClient, error) { return openWS(dialer(), base, nil) }
	rooms := channelsOf("chat", n/10)
	a := newAudience(t)
	a.fill(n-slow, dial, func(i int) string { return rooms[i%len(rooms)] })
	for _, policy := range []string{"disconnect", "oldest", "latest"} {
		for _, rate := range sized([]int{100}, []int{100, 1000}) {
			t.Run(fmt.Sprint(policy, rate), func(t *testing.T) {
				row := newRow(t, "heap within a queue each; p99 within twice and 5 ms of before; nobody else closed",
					"%d of %d clients read nothing, `%s`, %d messages a second to the others", slow, n, policy, rate)
				s := newFlood(t, base, "hot:"+policy, slow)
				a.t = t
				before := a.pulse(dial, rooms, rate, lasts)
				heap := server.heap()
				s.valve.shut()
				with := a.pulse(dial, rooms, rate, lasts)
				grown := server.heap() - heap
				s.end()
				if lost := a.lost.Load(); lost > 0 {
					t.Errorf("%d others were closed", lost)
				}
				if grown > int64(slow)<<20+4<<20 {
					t.Errorf("the heap has grown by %s", mib(grown))
				}
				if longDrills && with > 2*before+5*time.Millisecond {
					t.Errorf("p99 %v, and %v before", with, before)
				}
				row.came("p99 of the others %v, and %v while all read; heap %+.1f MiB", with, before, float64(grown)/(1<<20))
			})
		}
	}
}

// hotRoom is clients in a room that is flooded. They read, until their valve is shut.
type hotRoom struct {
	t        *testing.T
	valve    *valve
	members  *audience
	stop     chan struct{}
	flooding sync.WaitGroup
}

func newFlood(t *testing.T, base, room string, clients int) *hotRoom {
	h := &hotRoom{t: t, valve: newValve(), members: newAudience(t), stop: make(chan struct{})}
	t.Cleanup(h.valve.open)
	h.members.mayLose = true
	h.members.fill(clients, func() (*wsClient, error) { return openWS(h.valve.dialer(), base, nil) }, func(int) string { return room })
	app := newHTTP(base, appKey, false)
	h.flooding.Go(func() {
		defer app.close()
		text := strings.Repeat("x", 16_000)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-h.stop:
				return
			case <-tick.C:
			}
			if err := app.post("/channels/"+room+"/messages", map[string]any{"content": text}, new(map[string]any)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return h
}

func (h *hotRoom) end() {
	close(h.stop)
	h.flooding.Wait()
	h.valve.open()
	h.members.leave()
}
