//go:build unix

package drills

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const floodSite = `
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		limits {
			queue 16 1MiB
		}
		room flood {
			subscribe anyone
			slow drop_oldest
		}
	}
}
`

const (
	floodRequests = 8
	floodItems    = 25
	floodSize     = 50_000 // bytes of a message
	// floodGrowth is how much memory may be in use beside what was before: what
	// one queue holds for each of the two transports, which share the frames of a
	// message between their connections, and as much again for whatever runs.
	floodGrowth = 5 << 20
)

// TestSlowMemory floods clients that read nothing with many times of what their
// queues may hold, and has an eye on the memory.
func TestSlowMemory(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, floodSite)
	base := "http://" + c.Addr("site") + "/rt"
	v := newValve()
	t.Cleanup(v.open)
	var sockets []*wsClient
	for range 8 {
		sockets = append(sockets, stalledWS(t, v, base))
	}
	streams := []*sseClient{
		dialSSE(t, v.client(), streamURL(base, "flood"), ""),
		dialSSE(t, v.client(), streamURL(base, "flood", "flood"), ""),
	}
	app := newHTTP(base, appKey, true)
	t.Cleanup(app.close)
	v.shut()
	shut := time.Now()

	before, most := heap(), int64(0)
	for range floodRequests {
		flood(t, app)
		most = max(most, heap()-before)
	}
	t.Logf("%d MiB were published, and the heap has grown by %d KiB at most",
		floodRequests*floodItems*floodSize>>20, most>>10)
	if most > floodGrowth {
		t.Errorf("clients that read nothing hold %d KiB", most>>10)
	}
	took := time.Since(shut)
	v.open()
	told := func(_ envelope, err error) {
		if err != nil && took < givenUp {
			t.Errorf("after %v: %v", took, err)
		} else if err != nil {
			t.Logf("given up after %v: %v", took, err)
		}
	}
	for _, s := range sockets {
		told(s.await("gap"))
	}
	for _, s := range streams {
		told(s.await("gap"))
	}
}

func stalledWS(t *testing.T, v *valve, base string) *wsClient {
	t.Helper()
	s, err := openWS(v.dialer(), base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if ev, err := s.call("subscribe", map[string]string{"channel": "flood"}); err != nil || ev.Type != "subscribed" {
		t.Fatalf("%v, %v", ev, err)
	}
	return s
}

// flood publishes a batch.
func flood(t *testing.T, app *byHTTP) {
	t.Helper()
	items := make([]map[string]any, floodItems)
	for i := range items {
		items[i] = map[string]any{"channels": []string{"flood"}, "content": strings.Repeat("x", floodSize)}
	}
	var answer []any
	if err := app.post("/publish", items, &answer); err != nil || len(answer) != floodItems {
		t.Fatalf("%d answers, %v", len(answer), err)
	}
}
