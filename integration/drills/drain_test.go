package drills

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const drainSite = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /rt {
		room news {
			subscribe anyone
		}
	}
}
`

// TestDrain drains a node. Its clients have the address of a second one, and all of them are
// there when the window is over. The long form (make drain-drill) also asserts how fast they
// arrive.
func TestDrain(t *testing.T) {
	t.Parallel()
	clients, window := sized(200, 5000), sized(3*time.Second, 20*time.Second)
	r := newRow(t, "the window and 1 s; 1.5 x the arrivals asked for", "a node with %d clients drains in %v", clients, window)
	full, spare := integration.StartProcess(t, drainSite), integration.StartProcess(t, drainSite)
	from, to, admin := "http://"+full.Addr("site")+"/rt", "http://"+spare.Addr("site")+"/rt", "http://"+full.Addr("admin")+"/realtime"
	m := &move{t: t, to: to}
	m.connect(from, clients)

	began := time.Now()
	drainRequest(t, http.MethodPost, admin+"/drain", fmt.Sprintf(`{"window":"%v"}`, window), http.StatusAccepted)
	drainRequest(t, http.MethodGet, admin+"/health", "", http.StatusServiceUnavailable)
	if retry := drainRequest(t, http.MethodGet, from+"/sse?channel=news", "", http.StatusServiceUnavailable).Header.Get("Retry-After"); retry == "" {
		t.Error("a new client is not told when to try again")
	}
	m.wg.Wait()
	if len(m.arrivals) != clients {
		t.Fatalf("%d of %d clients came to the other node", len(m.arrivals), clients)
	}
	var progress struct {
		Drains []struct {
			State               string
			Total, Closed, Left int
		}
	}
	until(t, "the node is drained", func() bool {
		_ = json.Unmarshal([]byte(drainRequest(t, http.MethodGet, admin+"/drain", "", http.StatusOK).text), &progress)
		return len(progress.Drains) == 1 && progress.Drains[0].State == "drained" && progress.Drains[0].Left == 0
	})
	if d := progress.Drains[0]; d.Total != clients || d.Closed != clients {
		t.Errorf("the drain says %+v", d)
	}

	slices.SortFunc(m.arrivals, time.Time.Compare)
	last, asked, fastest := m.arrivals[clients-1].Sub(began), float64(clients)/window.Seconds(), m.fastest()
	within(t, "the last client arrived", last, window+time.Second) // a second for the handshakes
	t.Logf("asked for %.0f clients a second, at most %d arrived within one", asked, fastest)
	if longDrills && float64(fastest) > 1.5*asked {
		t.Errorf("%d clients arrived within a second, which is more than 1.5 x %.0f", fastest, asked)
	}
	r.came("all on the other node after %.1f s; asked for %.0f arrivals a second, at most %d within one second", last.Seconds(), asked, fastest)
}

// move is the clients that go from one node to another.
type move struct {
	t  *testing.T
	to string
	wg sync.WaitGroup

	mu       sync.Mutex
	arrivals []time.Time
}

// connect connects the clients, some at a time, and lets each follow what it is told.
func (m *move) connect(from string, clients int) {
	m.t.Helper()
	turns := make(chan struct{}, 32)
	var ready sync.WaitGroup
	conns := make([]*wsClient, clients)
	for i := range conns {
		ready.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			conns[i] = m.join(from)
		})
	}
	ready.Wait()
	for _, c := range conns {
		if c == nil {
			m.t.FailNow()
		}
		m.wg.Go(func() { m.follow(c) })
	}
}

// join connects a client to a node.
func (m *move) join(base string) *wsClient {
	c, err := openWS(dialer(), base, nil)
	if err != nil {
		m.t.Error(err)
		return nil
	}
	m.t.Cleanup(c.close)
	if ev, err := c.call("subscribe", map[string]string{"channel": "news"}); err != nil || ev.Type != "subscribed" {
		m.t.Errorf("%v, %v", ev, err)
		return nil
	}
	return c
}

// follow reads until the node sends the client away, and connects to the other one when the
// client was told to.
func (m *move) follow(c *wsClient) {
	var told time.Time
	c.other = func(ev envelope) {
		if ev.Type == "reconnect" {
			told = time.Now().Add(time.Duration(ev.Payload.After) * time.Millisecond)
		}
	}
	if code, text := c.closed(); code != 1012 || told.IsZero() {
		m.t.Errorf("closed with %d %s, told to come back at %v", code, text, told)
		return
	}
	time.Sleep(time.Until(told))
	if m.join(m.to) == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrivals = append(m.arrivals, time.Now())
}

// fastest returns how many arrived within one second at most. The arrivals are sorted.
func (m *move) fastest() (most int) {
	for i, at := range m.arrivals {
		end, _ := slices.BinarySearchFunc(m.arrivals, at.Add(time.Second), time.Time.Compare)
		most = max(most, end-i)
	}
	return most
}

// drainAnswer is an answer that was read.
type drainAnswer struct {
	*http.Response
	text string
}

// drainRequest sends a request and checks the status of the answer.
func drainRequest(t *testing.T, method, url, body string, want int) drainAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		t.Fatalf("%s %s: %d %s, %v; want %d", method, url, res.StatusCode, text, err, want)
	}
	return drainAnswer{res, string(text)}
}
