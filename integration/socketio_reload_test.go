package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// waitForPolls waits until a number of polls are held: until then they are on their way, and a reload would meet them.
func waitForPolls(t *testing.T, want int) {
	t.Helper()
	held := 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
			t.Fatal(err)
		}
		if held = strings.Count(stacks.String(), "engineio.(*carrier).await("); held == want {
			return
		}
	}
	t.Fatalf("%d polls are held, not %d", held, want)
}

// waitForAllPolls is waitForPolls for all clients that only poll.
func waitForAllPolls(t *testing.T, site string) {
	t.Helper()
	var list struct{ Connections []struct{} }
	_, text := request(t, "GET", "http://"+site+"/rt/connections?transport=polling", "", "Authorization", "Bearer key-of-the-app-0123456789")
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Connections) == 0 {
		t.Fatal(text, err)
	}
	waitForPolls(t, len(list.Connections))
}

// ioCrowd is a number of clients who note what they get.
type ioCrowd struct {
	t  *testing.T
	mu sync.Mutex
	// Guarded by mu.
	got   map[*rawIO][]int // the argument of `n`, of each client
	ended []error          // why the connections of clients ended before the test did
	over  bool
}

// open adds clients.
func (c *ioCrowd) open(site, transport string, clients int, enter bool) {
	c.t.Helper()
	for range clients {
		client, err := openRawIO(site, transport)
		if err == nil && enter {
			err = client.write(`42["enter","open:busy"]`)
		}
		if err != nil {
			c.t.Fatal(transport, err)
		}
		c.mu.Lock()
		c.got[client] = nil
		c.mu.Unlock()
		over := make(chan struct{})
		go func() {
			defer close(over)
			err := client.run(func(p string) { c.take(client, p) })
			c.mu.Lock()
			defer c.mu.Unlock()
			if !c.over {
				c.ended = append(c.ended, fmt.Errorf("%s: %w", transport, err))
			}
		}()
		c.t.Cleanup(func() {
			c.mu.Lock()
			c.over = true
			c.mu.Unlock()
			client.close()
			<-over
		})
	}
}

func (c *ioCrowd) take(client *rawIO, packet string) {
	var n int
	if _, err := fmt.Sscanf(packet, `2["n",%d`, &n); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[client] = append(c.got[client], n)
}

// lag returns how many clients do not have the numbers from 1 to n, each once and in their order, and of whom an
// end is not known.
func (c *ioCrowd) lag(n int) (lag int, ended []error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.got {
		right := len(got) == n
		for i := range got {
			right = right && got[i] == i+1
		}
		if !right {
			lag++
		}
	}
	return lag, c.ended
}

// await waits until all clients have the numbers up to n.
func (c *ioCrowd) await(n int) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		lag, ended := c.lag(n)
		switch {
		case len(ended) > 0:
			c.t.Fatalf("%d connections have ended: %v", len(ended), ended[0])
		case lag == 0:
			return
		case time.Now().After(end):
			c.t.Fatalf("after number %d: %d clients have lost numbers, or have them twice", n, lag)
		}
	}
}

// TestSocketIOCrowdOverReloads keeps 200 clients of all kinds over reloads. Nobody is closed, and nothing is lost or
// repeated. The polls are held while Caddy reloads: what a poll meets that arrives at this moment,
// TestRequestDuringAReload has.
func TestSocketIOCrowdOverReloads(t *testing.T) {
	c := Start(t, socketIOSite)
	site := c.Addr("site")
	crowd := &ioCrowd{t: t, got: make(map[*rawIO][]int)}
	crowd.open(site, "polling", 80, false)
	crowd.open(site, "websocket", 60, false)
	crowd.open(site, "upgrade", 60, false)
	n := 0
	publish := func() {
		n++
		body := fmt.Sprintf(`{"event":"n","content":%d}`, n)
		if res, text := request(t, "POST", "http://"+site+"/rt/channels/io:%2F/messages", body, "Authorization", "Bearer key-of-the-app-0123456789", "Content-Type", "application/json"); res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", res.StatusCode, text)
		}
	}
	publish()
	crowd.await(n)
	for i := range 5 {
		waitForPolls(t, 80)
		c.Reload(strings.Replace(socketIOSite, "of the site", fmt.Sprint("of reload ", i), 1))
		for range 3 {
			publish()
		}
		crowd.await(n)
	}
}

// TestRequestDuringAReload shows what no handler can change: the server of a configuration that ends closes
// connections whose request it has not read, and answers nothing. Therefore a poll must not be
// answered at this moment, because its client polls again at once.
func TestRequestDuringAReload(t *testing.T) {
	c := Start(t, socketIOSite)
	conn, err := net.Dial("tcp", c.Addr("site"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = request(t, "GET", "http://"+c.Addr("site")+"/socket.io/socket.io.js", "") // conn is accepted before
	c.Reload(strings.Replace(socketIOSite, "of the site", "of the new site", 1))
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", c.Addr("site"))
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		res.Body.Close()
		t.Errorf("status %d: polls may be answered as soon as their configuration ends", res.StatusCode)
	}
}
