//go:build unix

package drills

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/caddy-realtime/caddy-realtime/integration"

	// The client learns that the server speaks WebSocket over HTTP/2.
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect"
)

const stuckSite = `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		room flood {
			subscribe anyone
			slow drop_oldest
		}
	}
}
https://{{secure}} {
	realtime /rt
}
`

// grownBuffers is more than the kernel takes for a client that reads nothing, where
// nobody tells it to take less: on Linux the server's side grows to 4 MiB, of which
// about half is payload.
const grownBuffers = 3 << 20

// givenUp is after how long a client is given up whose write is stuck. Who reads nothing
// for longer, because a drill takes so long, need not be there any more.
const givenUp = 10 * time.Second

// TestExitWithStuckClients terminates a process whose writes to its clients are
// stuck, over each of the ways. None of them may hold up the exit.
func TestExitWithStuckClients(t *testing.T) {
	p := integration.StartProcess(t, stuckSite, "REALTIME_TEST_KEY="+appKey, "GODEBUG=http2xconnect=1")
	p.WaitLog("added certificate to cache")
	plain, secure := "http://"+p.Addr("site")+"/rt", "https://"+p.Addr("secure")+"/rt"
	v := newValve()
	overTLS := v.client()
	overTLS.Transport.(*http.Transport).TLSClientConfig = insecure
	t.Cleanup(v.open)
	d := v.dialer()
	d.TLSClientConfig = insecure
	for range 3 {
		subscribeWS(t, d, plain, "flood")
		subscribeWS(t, d, secure, "flood")
		subscribeSSE(t, v.client(), plain, "flood")
		subscribeSSE(t, v.client(), plain+"/sse", "flood")
		subscribeSSE(t, overTLS, secure, "flood")
		subscribeSSE(t, v.h2(t), secure, "flood")
		subscribeH2(t, v.h2(t), secure, "flood")
	}
	app := newHTTP(plain, appKey, true)
	t.Cleanup(app.close)
	v.shut()
	shut := time.Now()
	for sent := 0; sent < grownBuffers; sent += floodItems * floodSize {
		flood(t, app)
	}
	n := app.connections("flood")
	took := time.Since(shut)
	start := time.Now()
	p.Terminate()
	if code := p.WaitExit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("with %d stuck clients the process has ended after %v", n, time.Since(start).Round(time.Millisecond))
	if n != 3*7 && took < givenUp {
		t.Errorf("%d clients were left of 21 after %v", n, took)
	}
}

// h2 makes streams over HTTP/2, on a connection of their own.
func (v *valve) h2(t *testing.T) *http.Client {
	tr := &http2.Transport{DialTLSContext: v.dialTLS}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// subscribeH2 opens a WebSocket over HTTP/2 and subscribes. Nothing is read of what
// follows.
func subscribeH2(t *testing.T, client *http.Client, url, channel string) {
	t.Helper()
	body, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); _ = out.Close() })
	r, err := http.NewRequestWithContext(ctx, http.MethodConnect, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	command := `{"type":"subscribe","payload":{"channel":"` + channel + `"}}`
	frame := append([]byte{0x81, 0x80 | byte(len(command)), 0, 0, 0, 0}, command...) // an empty mask
	if _, err := out.Write(frame); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(res.Body)
	for range 2 { // `connected` and `subscribed`
		if line, err := in.ReadString('}'); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %q, %v", res.Status, line, err)
		}
		if _, err := in.ReadString('}'); err != nil {
			t.Fatal(err)
		}
	}
}

func (v *valve) dialTLS(ctx context.Context, network, addr string, config *tls.Config) (net.Conn, error) {
	conn, err := v.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.InsecureSkipVerify = true
	secure := tls.Client(conn, config)
	return secure, secure.HandshakeContext(ctx)
}
