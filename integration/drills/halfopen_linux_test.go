package drills

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http2"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// TestHalfOpen cuts the cable of clients that say no goodbye, because they cannot.
// A WebSocket has not answered after an interval and a timeout; what an event
// stream was sent has not been acknowledged after about the same time.
func TestHalfOpen(t *testing.T) {
	cable, err := newCable(t)
	if err != nil {
		// TestSilent shows what can be shown of this without a cable.
		fmt.Fprintf(os.Stderr, "\nNOT RUN: TestHalfOpen needs a network namespace, which only root may make: %v\n\n", err)
		return
	}
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, strings.ReplaceAll(silentSite, "bind 127.0.0.1", "bind 127.0.0.1 "+cable.host))
	c.WaitLog("added certificate to cache")
	plain, secure := "http://"+c.Addr("site")+"/rt", "https://"+c.Addr("secure")+"/rt"
	dialer := &websocket.Dialer{HandshakeTimeout: patience, NetDialContext: cable.dial, TLSClientConfig: insecure}
	streams := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: cable.dial, TLSClientConfig: insecure}}
	h2 := &http.Client{Transport: &http2.Transport{DialTLSContext: cable.dialTLS, TLSClientConfig: insecure}}
	ways := []struct{ channel, url string }{
		{"ws", plain}, {"ws-tls", secure}, {"sse", plain}, {"sse-inside", plain + "/sse"}, {"sse-tls", secure}, {"sse-h2", secure},
	}
	for _, w := range ways {
		for range 3 {
			switch {
			case strings.HasPrefix(w.channel, "ws"):
				subscribeWS(t, dialer, w.url, w.channel)
			case w.channel == "sse-h2":
				subscribeSSE(t, h2, w.url, w.channel)
			default:
				subscribeSSE(t, streams, w.url, w.channel)
			}
		}
	}
	near := subscribeSSE(t, streamClient(), plain, "near") // over no cable

	app := newHTTP(plain, appKey, false)
	t.Cleanup(app.close)
	cable.cut()
	start := time.Now()
	for _, w := range ways {
		until(t, w.channel+" is found to be half-open", func() bool { return app.connections(w.channel) == 0 })
		took := time.Since(start)
		t.Logf("%s: found after %v", w.channel, took.Round(10*time.Millisecond))
		if took > 25*time.Second {
			t.Errorf("%s: found after %v, with a heartbeat of 2 s and a timeout of 1 s", w.channel, took)
		}
	}
	if _, err := app.publish(post{channels: []string{"near"}, id: "still here"}); err != nil {
		t.Error(err)
	}
	if _, err := near.await("message"); err != nil {
		t.Errorf("who is connected without the cable: %v", err)
	}
}

func (c *cable) dialTLS(ctx context.Context, network, addr string, config *tls.Config) (net.Conn, error) {
	conn, err := c.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, config)
	return secure, secure.HandshakeContext(ctx)
}
