package drills

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const slowAppSite = `
http://{{site}} {
	realtime /rt {
		room news {
			subscribe anyone
		}
		room chat:* {
			subscribe anyone
			publish anyone
		}
		handle_message chat:* {
			reverse_proxy %s
		}
		api_key %s
	}
}
`

const slowAppKey = "0123456789abcdef0123456789abcdef"

// TestSlowApp has clients publish through an app that takes a second for each message, and more of
// them than it can answer. The hub's other rooms notice nothing: their messages do not wait for the
// app.
func TestSlowApp(t *testing.T) {
	const takes = time.Second
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(takes):
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(app.Close)
	clients, lasts := 100, time.Second
	if longDrills {
		clients, lasts = 1000, 10*time.Second
	}
	row := newRow(t, "half of the app's time", "%d clients publish through an app that takes %v", clients, takes)
	server := integration.StartProcess(t, fmt.Sprintf(slowAppSite, app.Listener.Addr(), slowAppKey))
	base := "http://" + server.Addr("site") + "/rt"
	r := &readers{t: t}
	all := r.connect(base, clients)

	without := r.measure(base, lasts)
	stop := make(chan struct{})
	var publishers sync.WaitGroup
	for i, c := range all {
		publishers.Go(func() {
			for n := 0; ; n++ {
				_ = c.send("message", "", map[string]any{"channel": fmt.Sprint("chat:", i%20), "content": n})
				select {
				case <-stop:
					return
				case <-time.After(500 * time.Millisecond):
				}
			}
		})
	}
	time.Sleep(takes / 2) // by now the app has all that it may have
	with := r.measure(base, lasts)
	close(stop)
	publishers.Wait()
	t.Logf("p99 of %d clients: %v without the app, %v with it", clients, without, with)
	if with > takes/2 {
		t.Errorf("the p99 of another room is %v, and the app takes %v for a message", with, takes)
	}
	row.came("the p99 of another room is %v, and %v without these publishes", with, without)
}

// readers are clients that note how long each message of a room took.
type readers struct {
	t *testing.T

	mu    sync.Mutex
	times []time.Duration
}

func (r *readers) connect(base string, clients int) (all []*wsClient) {
	r.t.Helper()
	for range clients {
		c := dialWS(r.t, base, nil)
		if ev, err := c.call("subscribe", map[string]string{"channel": "news"}); err != nil || ev.Type != "subscribed" {
			r.t.Fatal(ev, err)
		}
		all = append(all, c)
		go r.read(c)
	}
	return all
}

// read ends with the connection.
func (r *readers) read(c *wsClient) {
	for {
		ev, err := c.next()
		if err != nil {
			return
		}
		if ev.Type != "message" || ev.Payload.Channel != "news" {
			continue
		}
		sent, err := strconv.ParseInt(string(ev.Payload.Content), 10, 64)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.mu.Lock()
		r.times = append(r.times, time.Since(time.UnixMicro(sent)))
		r.mu.Unlock()
	}
}

// measure publishes into the room of the readers for a time, and returns the p99.
func (r *readers) measure(base string, lasts time.Duration) time.Duration {
	r.t.Helper()
	r.mu.Lock()
	r.times = nil
	r.mu.Unlock()
	for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		body := fmt.Sprintf(`{"content":%d}`, time.Now().UnixMicro())
		r.publish(base, body)
	}
	time.Sleep(200 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.times) == 0 {
		r.t.Fatal("nothing came")
	}
	slices.Sort(r.times)
	return r.times[len(r.times)*99/100].Round(100 * time.Microsecond)
}

func (r *readers) publish(base, body string) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, base+"/channels/news/messages", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + slowAppKey}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		r.t.Fatal(res.Status)
	}
}
