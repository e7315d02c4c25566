package api

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// populate gives a site's registry members: ann, busy, bob, and cleo who has left.
func populate(t *testing.T, s *site) {
	t.Helper()
	tracker, err := presence.New(
		func(sink presence.Sink) (presence.Store, error) { return memory.NewPresenceStore(sink), nil },
		func(string, presence.Frame) {},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracker.Close() })
	tracker.Apply(presence.Settings{Room: func(string) presence.Options { return presence.Options{Remember: time.Hour} }})
	s.registry.WithPresence(tracker)
	for user, change := range map[string]presence.Change{
		"ann": {Status: "busy", Info: []byte(`{"name":"Ann"}`)}, "bob": {}, "cleo": {},
	} {
		stay, err := tracker.Enter("kept:1", presence.Who{Connection: "c-" + user, User: user}, change, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user == "cleo" {
			synctest.Wait() // or the store hears of neither
			stay.Leave()
		}
	}
	synctest.Wait()
}

func TestPresence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return b })
		populate(t, s)
		const (
			annText  = `{"id":"ann","status":"busy","info":{"name":"Ann"}}`
			bobText  = `{"id":"bob","status":"online"}`
			cleoText = `{"id":"cleo","status":"offline","lastSeen":946684800000}`
		)
		for query, want := range map[string]string{
			"":                    `{"members":[` + annText + "," + bobText + "," + cleoText + `],"more":false,"count":2}`,
			"?offline=false":      `{"members":[` + annText + "," + bobText + `],"more":false,"count":2}`,
			"?limit=1":            `{"members":[` + annText + `],"more":true,"count":2}`,
			"?limit=1&after=ann":  `{"members":[` + bobText + `],"more":true,"count":2}`,
			"?count":              `{"count":2}`,
			"?count=true&limit=5": `{"count":2}`,
		} {
			w := s.do(nobody, http.MethodGet, "/channels/kept:1/presence"+query, "")
			if w.Code != http.StatusOK || w.Body.String() != want {
				t.Errorf("%s: %d %s\nwant %s", query, w.Code, w.Body, want)
			}
		}
		w := s.do(nobody, http.MethodGet, "/channels/kept:nobody/presence", "")
		if got := w.Body.String(); got != `{"members":[],"more":false,"count":0}` {
			t.Errorf("an empty room: %s", got)
		}
		for _, query := range []string{"count=maybe", "offline=0", "limit=-1", "limit=1001"} {
			rejected(t, s.do(app, http.MethodGet, "/channels/kept:1/presence?"+query, ""), 400, "INVALID_MESSAGE")
		}
		rejected(t, s.do(nobody, http.MethodGet, "/channels/x/presence", ""), 403, "FORBIDDEN")
		rejected(t, s.do(nobody, http.MethodGet, "/channels/slow:1/presence", ""), 403, "FORBIDDEN")
	})
}
