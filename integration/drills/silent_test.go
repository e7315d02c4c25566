package drills

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const silentSite = `
{
	default_sni 127.0.0.1
}
http://{{site}} {
	bind 127.0.0.1
	encode /rt/sse
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		heartbeat 2s 1s
		room * {
			subscribe anyone
		}
	}
}
https://{{secure}} {
	bind 127.0.0.1
	realtime /rt
}
`

// TestSilent has clients that read everything and answer nothing, as behind a
// connection that is dead in one direction.
func TestSilent(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, silentSite)
	base := "http://" + c.Addr("site") + "/rt"
	mute, well := subscribeWS(t, dialer(), base, "news"), subscribeWS(t, dialer(), base, "news")
	mute.conn.SetPingHandler(func(string) error { return nil })
	stream := subscribeSSE(t, streamClient(), base, "news")

	start := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = well.await("the end")
	}()
	code, _ := mute.closed()
	took := time.Since(start).Round(10 * time.Millisecond)
	t.Logf("a client that does not answer was closed with %d after %v", code, took)
	if code != 4501 || took > 20*time.Second {
		t.Errorf("closed with %d after %v", code, took)
	}
	app := newHTTP(base, appKey, false)
	t.Cleanup(app.close)
	until(t, "the others have been there for two more intervals", func() bool { return time.Since(start) > took+4*time.Second })
	if n := app.connections("news"); n != 2 {
		t.Errorf("%d of the 2 others are there", n)
	}
	if _, err := app.publish(post{channels: []string{"news"}, id: "the end"}); err != nil {
		t.Error(err)
	}
	if _, err := stream.await("message"); err != nil || stream.beats == 0 {
		t.Errorf("%d heartbeats, then %v", stream.beats, err)
	}
	well.close()
	<-ended
}

// subscribeWS connects and subscribes.
func subscribeWS(t *testing.T, d *websocket.Dialer, base, channel string) *wsClient {
	t.Helper()
	c, err := openWS(d, base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	if ev, err := c.call("subscribe", map[string]string{"channel": channel}); err != nil || ev.Type != "subscribed" {
		t.Fatalf("%v, %v", ev, err)
	}
	return c
}

// subscribeSSE opens a stream and reads until it is subscribed.
func subscribeSSE(t *testing.T, client *http.Client, url, channel string) *sseClient {
	t.Helper()
	c := dialSSE(t, client, streamURL(url, channel), "")
	if _, err := c.await("subscribed"); err != nil {
		t.Fatal(err)
	}
	return c
}
