//go:build unix

package drills

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/bench/proc"
	"github.com/caddy-realtime/caddy-realtime/integration"
)

const stormSite = `
{
	admin {{admin}}
	log {
		exclude http realtime events tls.handshake # four lines of debugging for each handshake
	}
	default_sni 127.0.0.1
	servers {
		listener_wrappers {
			realtime_handshakes
			tls
		}
	}
}
https://{{site}} {
	realtime /rt {
		limits {
			handshakes %d/s %d
		}
		room * {
			subscribe anyone
			publish anyone
		}
	}
}
`

// stormVariable is set in the process of the clients that come at once: how many they are, and
// the URL of the server.
const stormVariable = "REALTIME_TEST_STORM"

// TestStorm cuts off thousands of clients over TLS at once, and all of them come back at once. The
// server lets in so many a second as `handshakes` says, and computes one handshake of TLS at a time for
// each two processors. Some clients stay: their messages hardly wait.
//
// The clients of the storm are in a process that only runs when no other wants to, because they would
// be on other machines. Each makes a whole handshake: they remember no session of TLS.
func TestStorm(t *testing.T) {
	t.Parallel()
	if about := os.Getenv(stormVariable); about != "" {
		storm(t, about)
		return
	}
	clients, rate := crowdOf(t, sized(130, 5000), 1), sized(50, 300)
	row := newRow(t, "all are back within 30 s; the p99 of those who stayed within twice of before", "%d clients over TLS come at once, `handshakes %d/s %d`, `realtime_handshakes`", clients, rate, 2*rate)
	p := integration.StartProcess(t, fmt.Sprintf(stormSite, rate, 2*rate))
	p.WaitLog("added certificate to cache")
	base := "https://" + p.Addr("site") + "/rt"
	dial := func() (*wsClient, error) { return openWS(tlsDialer(), base, nil) }
	a := newAudience(t)
	a.fill(50, dial, func(int) string { return "stay" })
	crowd := startClients(t, stormVariable+"="+strconv.Itoa(clients)+" "+base, lowestPriority()...)
	crowd.want("connected")
	time.Sleep(3 * time.Second) // the bucket of handshakes is full again
	before := a.pulse(dial, []string{"stay"}, 20, sized(2*time.Second, 10*time.Second))

	stop := make(chan struct{})
	var with time.Duration
	var measuring sync.WaitGroup
	measuring.Go(func() { with = a.pulseUntil(stop, dial, []string{"stay"}, 20) })
	time.Sleep(100 * time.Millisecond) // the publisher is there
	began, idle := time.Now(), cpuOf(t, p)
	crowd.say("cut")
	crowd.want("back")
	took, busy := time.Since(began), cpuOf(t, p)-idle
	close(stop)
	measuring.Wait()
	said := crowd.finish()
	if lost := a.lost.Load(); lost > 0 {
		t.Errorf("%d clients that stayed were closed", lost)
	}
	within(t, "all are back", took, 30*time.Second)
	within(t, "the p99 of those who stayed", with, 2*before)
	row.came("all are back after %.1f s, %s; p99 of those who stayed %v, and %v before; the server took %.1f s of the processors",
		took.Seconds(), said, with, before, busy.Seconds())
}

// lowestPriority starts a program that runs when no other wants to. With nice alone it keeps a small share of a
// processor, for some milliseconds at a time. The short form has nice: other tests run beside it, for minutes.
func lowestPriority() []string {
	idle := []string{"chrt", "--idle", "0"}
	if _, err := exec.LookPath(idle[0]); err != nil {
		return []string{"nice", "-n", "19"}
	}
	return sized([]string{"nice", "-n", "19"}, idle)
}

// cpuOf is the processor time that a server has taken, 0 where there is no /proc.
func cpuOf(t *testing.T, p *integration.Process) time.Duration {
	t.Helper()
	used, err := proc.CPU(p.PID())
	if err != nil {
		t.Logf("processor times are read from /proc: %v", err)
	}
	return used
}

func tlsDialer() *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: patience, TLSClientConfig: insecure}
}

// storm is what the process of the clients runs: all connect, and when it is told to it cuts
// all off and has them come back at once.
func storm(t *testing.T, about string) {
	var n int
	var base string
	if _, err := fmt.Sscan(about, &n, &base); err != nil {
		t.Fatal(err)
	}
	s := &stormCrowd{t: t, base: base, conns: make([]*wsClient, n)}
	t.Cleanup(s.cut)
	abreast(n, s.connect)
	fmt.Println("connected")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	s.cut()
	s.rejected.Store(0)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { s.connect(i) })
	}
	all.Wait()
	fmt.Println("back")
	input.Scan()
	fmt.Printf("came of it: %d handshakes were rejected meanwhile\n", s.rejected.Load())
}

type stormCrowd struct {
	t        *testing.T
	base     string
	conns    []*wsClient
	rejected atomic.Int64
}

func (s *stormCrowd) cut() {
	for _, c := range s.conns {
		if c != nil {
			c.close()
		}
	}
}

// connect connects a client as a browser does: when it is rejected it waits for as long as it
// is told, and after another error for a random time.
func (s *stormCrowd) connect(i int) {
	for range 100 {
		conn, res, err := tlsDialer().Dial(wsURL(s.base), nil)
		if err == nil {
			c := &wsClient{conn: conn}
			s.conns[i] = c
			if ev, err := c.call("subscribe", map[string]any{"channel": fmt.Sprint("crowd", i%50)}); err == nil && ev.Type == "subscribed" {
				_ = conn.SetReadDeadline(time.Time{})
				return
			}
			c.close()
		}
		wait := rand.N(time.Second)
		if res != nil && res.StatusCode == http.StatusTooManyRequests {
			s.rejected.Add(1)
			seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
			wait = time.Duration(seconds) * time.Second
		}
		time.Sleep(wait)
	}
	s.t.Errorf("client %d does not get in", i)
}
