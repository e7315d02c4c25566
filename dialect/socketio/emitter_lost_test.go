package socketio

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// What an emitter does with a client that is away is not lost without notice: the client gets a new session.
// What does not concern the client leaves its recovery as it is.
func TestEmitterAndRecovery(t *testing.T) {
	event := func(to string) func(id string) (string, string) {
		return func(id string) (string, string) {
			return emittedPattern, pack(t, `["emitter",{"type":2,"data":["e",1],"nsp":"/"},`+strings.ReplaceAll(to, "ID", id)+`]`)
		}
	}
	request := func(text string) func(id string) (string, string) {
		return func(id string) (string, string) { return requestChannel + "/#", strings.ReplaceAll(text, "ID", id) }
	}
	for name, c := range map[string]struct {
		publish  func(id string) (channel, payload string)
		recovers bool
	}{
		"disconnect":                     {request(`{"type":4,"opts":{"rooms":["ID"]}}`), false},
		"disconnect a room":              {request(`{"type":4,"opts":{"rooms":["a"]}}`), false},
		"disconnect all":                 {request(`{"type":4,"opts":{"rooms":[]}}`), false},
		"disconnect another room":        {request(`{"type":4,"opts":{"rooms":["b","0123456789abcdefghij"]}}`), true},
		"disconnect others":              {request(`{"type":4,"opts":{"rooms":["a"],"except":["ID"]}}`), true},
		"disconnect those not in a room": {request(`{"type":4,"opts":{"rooms":["ID"],"except":["a"]}}`), true},
		"disconnect by python-socketio":  {func(id string) (string, string) { return pythonChannel, `{"method":"disconnect","sid":"` + id + `"}` }, false},
		"leave":                          {request(`{"type":3,"opts":{"rooms":["ID"]},"rooms":["a"]}`), false},
		"leave as a room":                {request(`{"type":3,"opts":{"rooms":["a"]},"rooms":["b","a"]}`), false},
		"leave where it is not":          {request(`{"type":3,"opts":{"rooms":["ID"]},"rooms":["b"]}`), true},
		"join":                           {request(`{"type":2,"opts":{"rooms":["ID"]},"rooms":["b"]}`), false},
		"join where it is":               {request(`{"type":2,"opts":{"rooms":["ID"]},"rooms":["a"]}`), true},
		"event":                          {event(`{"rooms":["ID"]}`), false},
		"event that is volatile":         {event(`{"rooms":["ID"],"flags":{"volatile":true}}`), true},
		"event for others":               {event(`{"rooms":["ID"],"except":["ID"]}`), true},
		"event for its room, too":        {event(`{"rooms":["ID","a"]}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, recovering, func(w *world) {
				e := NewEmitter(recovering, slog.New(slog.DiscardHandler))
				p := w.page("/", "/admin").connect()
				p.join("/", "a")
				w.say("r.a", "1")
				p.read()
				id := p.ids["/"]
				p.lose(hub.ReasonLost)
				channel, payload := c.publish(id)
				takeFrame(t, e, w, channel, payload)
				p.connect()
				if p.was["/"] != c.recovers || p.was["/admin"] != c.recovers {
					t.Errorf("recovered / %v, /admin %v", p.was["/"], p.was["/admin"])
				}
				if !c.recovers && p.peer.Conn().In("r.a") {
					t.Error("the client is in the room")
				}
			})
		})
	}
}
