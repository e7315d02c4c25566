package drills

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// exitSite waits for ever for requests that do not end, as Caddy does by default.
const exitSite = `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		room news {
			subscribe anyone
			publish anyone
			history 100
		}
	}
}
https://{{secure}} {
	realtime /rt
}
`

// insecure trusts the certificates that Caddy makes for itself.
var insecure = &tls.Config{InsecureSkipVerify: true}

// farewell is what a client is told at the end.
type farewell struct {
	after     int64 // of `reconnect`; 0: it did not come
	code      int   // of the close
	retry     time.Duration
	streaming bool
	err       error
}

// right says what is wrong with it; nil if nothing is.
func (f farewell) right() error {
	switch {
	case f.after <= 0:
		return fmt.Errorf("no time to reconnect after: %+v", f)
	case f.code != 1012 && f.code != 1001:
		return fmt.Errorf("closed with another code: %+v", f)
	case f.streaming && (time.Duration(f.after)*time.Millisecond-f.retry).Abs() > time.Millisecond: // rounded
		return fmt.Errorf("the stream says retry after another time: %+v", f)
	}
	return nil
}

// TestExit has a process terminated to which clients are connected in every way. It
// may neither wait for those that live in a handler nor leave anybody in the dark.
func TestExit(t *testing.T) {
	p := integration.StartProcess(t, exitSite)
	p.WaitLog("added certificate to cache")
	plain, secure := "http://"+p.Addr("site")+"/rt", "https://"+p.Addr("secure")+"/rt"
	shared := &http.Client{Transport: &http2.Transport{TLSClientConfig: insecure}}
	t.Cleanup(shared.CloseIdleConnections)
	crowd := newExitCrowd(t)
	for range 40 {
		crowd.ws("WebSocket", plain, nil)
		crowd.sse("event stream", streamClient(), plain)
	}
	for range 10 {
		crowd.ws("WebSocket over TLS", secure, insecure)
		crowd.sse("event stream in its handler", streamClient(), plain+"/sse")
		crowd.sse("event stream over TLS", &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: insecure}}, secure)
		crowd.sse("event stream over HTTP/2", shared, secure)
	}

	start := time.Now()
	p.Terminate()
	crowd.check()
	if code := p.WaitExit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("%d clients were sent away and the process has ended after %v", crowd.size, time.Since(start).Round(time.Millisecond))
}

// exitCrowd is clients that read until the server sends them away.
type exitCrowd struct {
	t    *testing.T
	size int
	wg   sync.WaitGroup

	mu    sync.Mutex
	after map[int64]int // how many clients were given this time
}

func newExitCrowd(t *testing.T) *exitCrowd { return &exitCrowd{t: t, after: make(map[int64]int)} }

// ws adds a client by WebSocket.
func (x *exitCrowd) ws(name, url string, config *tls.Config) {
	x.t.Helper()
	d := dialer()
	d.TLSClientConfig = config
	c, err := openWS(d, url, nil)
	if err != nil {
		x.t.Fatalf("%s: %v", name, err)
	}
	x.t.Cleanup(c.close)
	if ev, err := c.call("subscribe", map[string]string{"channel": "news"}); err != nil || ev.Type != "subscribed" {
		x.t.Fatalf("%s: %v, %v", name, ev, err)
	}
	x.add(name, func() (f farewell) {
		c.other = func(ev envelope) { f.after = ev.Payload.After }
		f.code, _ = c.closed()
		return f
	})
}

// sse adds a client by event stream.
func (x *exitCrowd) sse(name string, client *http.Client, url string) {
	x.t.Helper()
	c := dialSSE(x.t, client, streamURL(url, "news"), "")
	if _, err := c.await("subscribed"); err != nil {
		x.t.Fatalf("%s: %v", name, err)
	}
	x.add(name, func() farewell {
		f := farewell{streaming: true}
		for f.err == nil {
			var ev envelope
			switch ev, f.err = c.next(); ev.Type {
			case "reconnect":
				f.after, f.retry = ev.Payload.After, c.retry
			case "close":
				code, _ := ev.Payload.Code.(float64)
				f.code = int(code)
			}
		}
		return f
	})
}

func (x *exitCrowd) add(name string, leave func() farewell) {
	x.size++
	x.wg.Go(func() {
		f := leave()
		if err := f.right(); err != nil {
			x.t.Errorf("%s: %v", name, err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.after[f.after]++
	})
}

// check waits for all and looks at the whole: they must not come back at once.
func (x *exitCrowd) check() {
	x.t.Helper()
	x.wg.Wait()
	if len(x.after) < x.size/2 {
		x.t.Errorf("%d clients have %d times to come back: %v", x.size, len(x.after), x.after)
	}
}
