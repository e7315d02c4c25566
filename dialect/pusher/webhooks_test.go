package pusher

import (
	"net/http"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// The bodies of webhooks name only what was asked for, of channels of the app.
func TestWebhooks(t *testing.T) {
	a := &App{ID: "3", Keys: vectors.Keys, Prefix: "p:"}
	s := a.Webhooks([]string{"channel_vacated", "member_added", "client_event", "subscription_count"})
	formed := time.UnixMilli(1327078148132)
	for _, c := range []struct {
		e    notify.Event
		want string
	}{
		{notify.Event{Type: notify.Vacated, Channel: "p:a"}, `{"name":"channel_vacated","channel":"a"}`},
		{notify.Event{Type: notify.Occupied, Channel: "p:a"}, ``},
		{notify.Event{Type: notify.Entered, Channel: "p:presence-a", User: "\"<"}, `{"name":"member_added","channel":"presence-a","user_id":"\"\u003c"}`},
		{notify.Event{Type: notify.Entered, Channel: "p:a", User: "ann"}, ``},
		{notify.Event{Type: notify.Left, Channel: "p:presence-a", User: "ann"}, ``},
		{notify.Event{Type: notify.Counted, Channel: "p:a"}, `{"name":"subscription_count","channel":"a","subscription_count":0}`},
		{notify.Event{Type: notify.Lost, Count: 3}, ``},
		{notify.Event{Type: notify.Message, Channel: "p:private-a", Event: "client-x", Sender: "c1", Content: []byte("1"), Except: "1.2"},
			`{"name":"client_event","channel":"private-a","event":"client-x","data":"1","socket_id":"1.2"}`},
		{notify.Event{Type: notify.Message, Channel: "p:presence-a", Event: "client-x", Sender: "ann", Content: []byte("1")},
			`{"name":"client_event","channel":"presence-a","user_id":"ann","event":"client-x","data":"1"}`},
		{notify.Event{Type: notify.Message, Channel: "p:a", Event: "client-x", Sender: "ann", Content: []byte("1")}, ``},
	} {
		want := c.want
		if want != "" {
			want = `{"time_ms":1327078148132,"events":[` + want + `]}`
		}
		if got := string(s.Form(notify.Batch{Formed: formed, Events: []notify.Event{c.e}})); got != want {
			t.Errorf("%+v: %s", c.e, got)
		}
	}
	for channel, want := range map[string]bool{"p:a": true, "a": false, "p:a b": false, "p:": false} {
		if s.Choice.Wants(notify.Occupied, channel) != want {
			t.Errorf("events of %s: not %v", channel, want)
		}
	}
	if !s.Choice.WantsMessage("p:private-a", "client-x", "ann") || s.Choice.WantsMessage("p:private-a", "client-x", "") || s.Choice.WantsMessage("p:private-a", "x", "ann") {
		t.Error("messages other than those of clients are recorded")
	}
	h := s.Sign("id", []byte("{}"), formed)
	if h.Get("X-Pusher-Signature") != sign("{}") || h.Get("X-Pusher-Key") != vectors.Keys[0].Key || !equal(h["Content-Type"], "application/json") {
		t.Error(http.Header(h))
	}
}

func equal(values []string, want string) bool { return len(values) == 1 && values[0] == want }
