package api

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// nowhere is a transport and encoder of one who is only there.
type nowhere struct{}

func (nowhere) Write([]byte) error                          { return nil }
func (nowhere) Close()                                      {}
func (nowhere) AppendEvent(dst []byte, _ hub.Event) []byte  { return dst }
func (nowhere) AppendPing(dst []byte) []byte                { return dst }
func (nowhere) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// A request waits two seconds for a channel that has too much to deliver, however many
// messages it has, and is then asked to come back.
func TestCrowdedChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plainSite(t)
		c, err := s.hub.Connect(hub.ConnOptions{Transport: nowhere{}, Encoder: nowhere{}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.hub.Subscribe(t.Context(), c, "x", hub.SubscribeOptions{}); err != nil {
			t.Fatal(err)
		}
		space, err := s.hub.Reserve(t.Context(), "x", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		w := s.post(app, "/channels/x/messages", `{"content":1}`)
		rejected(t, w, http.StatusServiceUnavailable, "UNAVAILABLE")
		if w.Header().Get("Retry-After") == "" || time.Since(begin) != 2*time.Second {
			t.Errorf("Retry-After %q after %v", w.Header().Get("Retry-After"), time.Since(begin))
		}
		begin = time.Now()
		w = s.post(app, "/publish", `[{"channels":["x","x","kept:1"],"content":1},{"channels":["x"],"content":1}]`)
		if n := strings.Count(w.Body.String(), `"code":"UNAVAILABLE"`); w.Code != http.StatusOK || n != 3 || time.Since(begin) != 2*time.Second {
			t.Errorf("%d refused after %v: %s", n, time.Since(begin), w.Body)
		}
		space.Release()
		decode[published](t, s.post(app, "/channels/x/messages", `{"content":1}`), http.StatusOK)
	})
}
