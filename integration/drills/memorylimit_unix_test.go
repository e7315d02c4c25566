//go:build unix

package drills

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const memoryLimitSite = `
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
		room idle {
			subscribe anyone
			publish anyone
		}
		room flood:* {
			subscribe anyone
			slow drop_oldest
		}
	}
}
`

// stuckPerRoom is how many clients that read nothing share a room, and so the frames of its
// messages.
const stuckPerRoom = 10

// TestMemoryLimit has a process with GOMEMLIMIT hold idle clients and stuck ones, whose queues
// are full. The idle ones notice nothing, and the memory of the queues comes back.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	idle, stuck, limit := crowdOf(t, sized(300, 10_000), 1), sized(50, 1000), sized(256, 512)
	row := newRow(t, fmt.Sprintf("memory within %d MiB and a tenth; all idle ones are there; the heap comes back", limit),
		"`GOMEMLIMIT=%dMiB`, %d idle clients, %d that read nothing with full queues of 1 MiB in %d rooms", limit, idle, stuck, stuck/stuckPerRoom)
	p := integration.StartProcess(t, memoryLimitSite, "REALTIME_TEST_KEY="+appKey, fmt.Sprintf("GOMEMLIMIT=%dMiB", limit))
	base, server := "http://"+p.Addr("site")+"/rt", profile{t, p.Addr("admin")}
	dial := func() (*wsClient, error) { return openWS(dialer(), base, nil) }
	a := newAudience(t)
	a.fill(idle, dial, func(int) string { return "idle" })
	before := server.heap()

	v := newValve()
	t.Cleanup(v.open)
	sockets := make([]*wsClient, stuck)
	abreast(stuck, func(i int) { sockets[i] = stalled(t, v, base, fmt.Sprint("flood:", i/stuckPerRoom)) })
	v.shut()
	most := floodRooms(t, base, stuck/stuckPerRoom, p.PID())
	quick := a.pulse(dial, []string{"idle"}, 1, 3*time.Second)
	v.open()
	for _, c := range sockets {
		c.close()
	}
	after := int64(0)
	until(t, "the memory of the queues comes back", func() bool { after = server.heap(); return after < before+16<<20 })
	if n := a.size(); n != idle {
		t.Errorf("%d idle clients are there of %d", n, idle)
	}
	if bound := int64(limit) << 20 * 11 / 10; longDrills && most > bound {
		t.Errorf("the process has taken %s", mib(most))
	}
	row.came("at most %s; the p99 of a message to all idle ones is %v meanwhile; heap %s before, %s after", mib(most), quick, mib(before), mib(after))
}

func stalled(t *testing.T, v *valve, base, channel string) *wsClient {
	c, err := openWS(v.dialer(), base, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(c.close)
	if ev, err := c.call("subscribe", map[string]string{"channel": channel}); err != nil || ev.Type != "subscribed" {
		t.Errorf("%v, %v", ev, err)
	}
	return c
}

// floodRooms publishes more into each room than the buffers of the kernel and a queue take, and
// returns the most memory that the process has had. That takes less than the time after which
// stuck clients are given up.
func floodRooms(t *testing.T, base string, rooms, pid int) (most int64) {
	t.Helper()
	app := newHTTP(base, appKey, true)
	t.Cleanup(app.close)
	text := strings.Repeat("x", 50_000)
	const enough = 2 << 20
	began := time.Now()
	for sent := 0; sent < enough; sent += len(text) * 5 {
		var rest sync.WaitGroup
		for room := range rooms {
			rest.Go(func() {
				var items []map[string]any
				for range 5 {
					items = append(items, map[string]any{"channels": []string{fmt.Sprint("flood:", room)}, "content": text})
				}
				var answer []any
				if err := app.post("/publish", items, &answer); err != nil {
					t.Error(err)
				}
			})
			if room%8 == 7 {
				rest.Wait()
			}
		}
		rest.Wait()
		most = max(most, residentSize(t, pid))
	}
	t.Logf("%d rooms were flooded within %v", rooms, time.Since(began).Round(time.Millisecond))
	return most
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// residentSize is how much memory of a process is in RAM. It is 0 without /proc.
func residentSize(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := residentLine.FindSubmatch(text)
	if err != nil || found == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10
}
