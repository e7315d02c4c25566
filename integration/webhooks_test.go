package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const webhooksSite = `
http://{{site}} {
	realtime /rt {
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			client_events
			webhooks channel_occupied channel_vacated member_added member_removed client_event cache_miss {
				reverse_proxy {env.REALTIME_TEST_APP}
			}
		}
		room cache-brief {
			history 1 1m
		}
		room cache-kept {
			history 1
		}
	}
}
`

// hookApp is an app that gets webhooks. GET /next takes them out one after the other.
func hookApp(t *testing.T) *httptest.Server {
	type hook struct {
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	hooks := make(chan hook, 100)
	var failed atomic.Bool
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			select {
			case h := <-hooks:
				_ = json.NewEncoder(w).Encode(h)
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
			}
			return
		}
		if r.URL.Path != "/rt/webhooks" {
			t.Errorf("a webhook for %s", r.URL.Path)
		}
		body, _ := io.ReadAll(r.Body)
		if !failed.Swap(true) { // the first one comes again
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		h := hook{make(map[string]string), string(body)}
		for name := range r.Header {
			h.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		hooks <- h
	}))
	t.Cleanup(app.Close)
	return app
}

// The library of Pusher accepts the webhooks, which come in order, again after a failure, and not for
// clients that come back at once. Cache channels have their latest event for new subscribers.
func TestPusherWebhooks(t *testing.T) {
	app := hookApp(t)
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	t.Setenv("REALTIME_TEST_APP", strings.TrimPrefix(app.URL, "http://"))
	c := Start(t, webhooksSite)
	playNode(t, script(t, "webhooks.mjs", "cache.mjs"), []string{"SITE=" + c.Addr("site"), "APP=" + app.URL}, nil)
}

const countsSite = `
http://{{site}} {
	realtime /rt {
		pusher my-app {
			key    key-1
			secret {env.REALTIME_TEST_PUSHER}
			subscription_count
			watchlists
			webhooks subscription_count {
				reverse_proxy {env.REALTIME_TEST_APP}
			}
		}
	}
}
`

// Subscribers and the app learn how many subscriptions a channel has, and clients which users are online.
func TestPusherCounts(t *testing.T) {
	app := hookApp(t)
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	t.Setenv("REALTIME_TEST_APP", strings.TrimPrefix(app.URL, "http://"))
	c := Start(t, countsSite)
	playNode(t, script(t, "counts.mjs"), []string{"SITE=" + c.Addr("site"), "APP=" + app.URL}, nil)
}
