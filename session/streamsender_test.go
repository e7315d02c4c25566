package session

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// from publishes over HTTP in the room `lobby`, with the secret of a stream, and returns the sender that a
// watcher sees.
func (w *world) from(watcher *client, c Caller, secret string) (string, *protocol.Error) {
	w.t.Helper()
	_, e := w.registry.Publishing.Publish(w.t.Context(), c, protocol.Publish{
		Channel: "lobby", Content: json.RawMessage(`1`), Secret: secret,
	})
	settle()
	var seen struct{ Payload struct{ Sender string } }
	for _, frame := range watcher.wire.take() {
		if strings.Contains(frame, secret) && secret != "" {
			w.t.Errorf("the secret is in %s", frame)
		}
		if err := json.Unmarshal([]byte(frame), &seen); err != nil {
			w.t.Fatal(err)
		}
	}
	return seen.Payload.Sender, e
}

// What an anonymous page publishes has the id of its stream as the sender, on each node and also when the
// stream is over just then. A wrong secret is an error, and gives nobody the name of another one.
func TestSenderOfStreams(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		watcher := w.connect("ann")
		watcher.say(subscribeLobby)
		page, secret := w.stream("", "lobby")
		other, second := w.stream("", "lobby")
		_, bob := w.stream("bob", "lobby")
		settle()
		watcher.wire.take()
		id := page.Conn().ID()
		if got, e := w.from(watcher, by(""), secret); got != id || e != nil {
			t.Errorf("sender %q, %v; want %q", got, e, id)
		}
		if got, e := w.from(watcher, by(""), ""); got == id || got == "" || e != nil {
			t.Errorf("without a secret: sender %q, %v", got, e)
		}
		for _, s := range []string{secret, bob} {
			if got, e := w.from(watcher, by("bob"), s); got != "bob" || e != nil {
				t.Errorf("a user: sender %q, %v", got, e)
			}
		}
		node := newWorld(t, Limits{}, lobby("lobby"))
		if c, e := by("").asStream(secret); c.stream != id || e != nil || node.registry.Streams.node == w.registry.Streams.node {
			t.Errorf("on another node: %q, %v", c.stream, e)
		}
		a, b := strings.Split(secret, "."), strings.Split(second, ".")
		for _, wrong := range []string{
			"x", id, a[0] + "." + id + "." + b[2], a[0] + "." + other.Conn().ID() + "." + a[2],
			a[0] + ".ann." + a[2], secret + "A", secret[:len(secret)-1], strings.Repeat("a", 1<<20),
		} {
			if got, e := w.from(watcher, by(""), wrong); codeOf(e) != protocol.InvalidMessage || got != "" {
				t.Errorf("%.60q: sender %q, %v", wrong, got, e)
			}
		}
		if got, e := w.from(watcher, Caller{App: true}, secret); codeOf(e) != protocol.Forbidden || got != "" {
			t.Errorf("the app: sender %q, %v", got, e)
		}
		page.Conn().Close(hub.ReasonLost)
		settle()
		watcher.wire.take()
		if got, e := w.from(watcher, by(""), secret); got != id || e != nil {
			t.Errorf("after its stream: sender %q, %v", got, e)
		}
		if strings.Contains(w.logs.String(), a[2]) {
			t.Error("a log has the secret")
		}
	})
}

// A secret does not move a page to another bucket of tokens: a page that makes up secrets has the rate of its
// address. A wrong secret costs a token too.
func TestRateOfSendersOfStreams(t *testing.T) {
	inBubble(t, Limits{Rate: policy.Rate{PerSecond: 1, Burst: 3}}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		withMembers(t, w)
		page := Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}}
		for i, want := range []protocol.Code{"", protocol.InvalidMessage, "", protocol.RateLimited} {
			secret := w.registry.Streams.secret(newProof())
			if want == protocol.InvalidMessage {
				secret += "x"
			}
			_, e := w.registry.Publishing.Publish(t.Context(), page, protocol.Publish{Channel: "lobby", Content: json.RawMessage(`1`), Secret: secret})
			if codeOf(e) != want {
				t.Errorf("%d: %v; want %q", i, e, want)
			}
		}
	})
}

// A change of a document names the stream in the same way.
func TestAuthorOfStreams(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{desk(document.Options{})}, func(t *testing.T, w *world) {
		withDocuments(t, w)
		watcher := w.connect("ann")
		watcher.say(`{"type":"subscribe","payload":{"channel":"doc"}}`)
		page, secret := w.stream("", "doc")
		settle()
		watcher.wire.take()
		change := protocol.Change{Channel: "doc", Client: "c", LocalVersion: 1, Patch: []byte(`{"n":1}`), Secret: secret}
		if _, e := w.registry.Documents.Propose(t.Context(), by(""), change); e != nil {
			t.Fatal(e)
		}
		settle()
		if got := strings.Join(watcher.wire.take(), "\n"); !strings.Contains(got, `"sender":"`+page.Conn().ID()+`"`) {
			t.Errorf("the others are told %s", got)
		}
		change.LocalVersion, change.Secret = 2, secret+"x"
		if _, e := w.registry.Documents.Propose(t.Context(), by(""), change); codeOf(e) != protocol.InvalidMessage {
			t.Errorf("a wrong secret: %v", e)
		}
	})
}
