package drills

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

const killSite = `
http://{{site}} {
	encode /rt/sse
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		room news:* {
			subscribe anyone
			publish anyone
			history 1000
		}
	}
}
`

// TestKill kills the process and starts it again. Its memory is gone, and with it
// what the clients go on from: everybody who comes back has to be told.
func TestKill(t *testing.T) {
	p := integration.StartProcess(t, killSite, "REALTIME_TEST_KEY="+appKey)
	base := "http://" + p.Addr("site") + "/rt"
	ws, stream := dialWS(t, base, nil), dialSSE(t, streamClient(), streamURL(base, "news:1", "news:2"), "")
	before := seen(t, ws, stream)
	p.Kill()
	if code, _ := ws.closed(); code != 0 {
		t.Errorf("a crash has said goodbye with %d", code)
	}
	if ev, err := stream.next(); err == nil {
		t.Errorf("a crash has said %v", ev)
	}
	p.Start()

	again := dialWS(t, base, nil)
	ev, err := again.call("subscribe", map[string]any{"channel": "news:1", "recover": place{Epoch: before.Epoch, Offset: before.Offset, Anchor: before.Anchor}})
	if err != nil || ev.Type != "subscribed" || ev.Payload.Recovered || ev.Payload.Epoch == before.Epoch || len(ev.Payload.Messages) > 0 {
		t.Errorf("recovered from an epoch that is gone: %v, %v", ev, err)
	}
	resumed := dialSSE(t, streamClient(), streamURL(base, "news:1", "news:2"), stream.lastID)
	for _, channel := range []string{"news:1", "news:2"} {
		if ev, err := resumed.await("gap"); err != nil || ev.Payload.Channel != channel || ev.Payload.Epoch == before.Epoch {
			t.Errorf("resumed from an epoch that is gone: %v, %v", ev, err)
		}
	}
	seen(t, again, resumed)
}

// seen publishes, looks whether it comes, and gives the position.
func seen(t *testing.T, ws *wsClient, stream *sseClient) payload {
	t.Helper()
	if ev, err := ws.call("subscribe", map[string]string{"channel": "news:1"}); err != nil ||
		ev.Type != "subscribed" && ev.code() != "ALREADY_SUBSCRIBED" {
		t.Fatalf("subscribing: %v, %v", ev, err)
	}
	var got envelope
	ws.other = func(ev envelope) { got = ev }
	ack, err := ws.call("message", map[string]any{"channel": "news:1", "content": "something"})
	if err != nil || ack.Type != "ack" {
		t.Fatalf("publishing: %v, %v", ack, err)
	}
	if got.Type == "" {
		got, err = ws.await("message")
	}
	other, err2 := stream.await("message")
	if err != nil || err2 != nil || got.at().Offset != ack.at().Offset || other.at() != got.at() {
		t.Fatalf("published at %v, delivered %v, %v and %v, %v", ack.at(), got, err, other, err2)
	}
	return ack.Payload
}

// TestKillUnderLoad does the same to a crowd, several times.
func TestKillUnderLoad(t *testing.T) {
	row := newRow(t, "one gap each, no repeat", "`kill -9` under load, nothing on disk")
	p := integration.StartProcess(t, killSite, "REALTIME_TEST_KEY="+appKey)
	d := killCrowd(t, p)
	crashes := d.crash(p, func() {})
	r := d.verdict()
	rooms := 2 * len(d.subscribers)
	if told := r.Subscriptions - r.Recovered; told != (1+crashes)*rooms {
		t.Errorf("of %d subscriptions %d have recovered over %d crashes", r.Subscriptions, r.Recovered, crashes)
	}
	row.came("%d kills, %d subscriptions, each told of the gap after each; %s", crashes, rooms, summary(d, r))
}

// killCrowd is a crowd whose server will be killed. It publishes already.
func killCrowd(t *testing.T, p *integration.Process) *drill {
	d := newDrill(t, "http://"+p.Addr("site")+"/rt", checker.Options{})
	d.away = true
	channels := channelsOf("news", 4)
	for i := range sized(30, 250) {
		d.subscriber(channels[i%4], channels[(i+1)%4])
		d.streamer(i%3 == 0, channels[i%4], channels[(i+1)%4])
	}
	d.publisher(&publisher{name: "ws", way: &byWS{base: d.base}, pick: turns(channels, 1), pause: 5 * time.Millisecond})
	d.publisher(&publisher{name: "batch", way: newHTTP(d.base, appKey, true), pick: turns(channels, 2), pause: 5 * time.Millisecond})
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	d.publish()
	return d
}

// crash kills the server of a crowd some times, and waits until everything is delivered. It calls
// a function after each start.
func (d *drill) crash(p *integration.Process, started func()) (crashes int) {
	d.t.Helper()
	for ; crashes < sized(3, 10); crashes++ {
		enough := d.acked() + sized(100, 1000)
		until(d.t, "publishing goes on", func() bool { return d.acked() >= enough })
		p.Kill()
		p.Start()
		started()
		d.gathered()
	}
	d.settle()
	return crashes
}
