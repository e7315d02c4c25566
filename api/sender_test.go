package api

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// A message may carry the secret of the stream of its anonymous sender, alone or in a list. No answer and no message
// has the secret.
func TestSenderOfAStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return b })
		stream, secret := s.stream("", "open:1")
		const path = "/channels/open:1/messages"
		with := func(secret string) string { return `{"content":1,"secret":` + secret + `}` }
		quoted := `"` + secret + `"`
		accepted := func(path, body string) {
			t.Helper()
			if w := s.post(nobody, path, body); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		accepted(path, with(quoted))
		accepted("/publish", `[{"channels":["open:1"],"content":2,"secret":`+quoted+`},{"channels":["open:1"],"content":3,"secret":"x"}]`)
		rejected(t, s.post(nobody, path, with(`"x"`)), 400, "INVALID_MESSAGE")
		rejected(t, s.post(nobody, path, with(`1`)), 400, "INVALID_MESSAGE")
		rejected(t, s.post(app, path, with(quoted)), 403, "FORBIDDEN")
		history := decode[struct {
			Messages []struct {
				Content int
				Sender  string
			}
		}](t, s.do(nobody, http.MethodGet, path, ""), http.StatusOK)
		if len(history.Messages) != 2 {
			t.Fatalf("the messages are %+v", history.Messages)
		}
		for i, m := range history.Messages {
			if m.Content != i+1 || m.Sender != stream.Conn().ID() {
				t.Errorf("message %d is %+v, and the stream is %s", i, m, stream.Conn().ID())
			}
		}
	})
}
