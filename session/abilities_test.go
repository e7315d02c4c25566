package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

type deafApp struct{}

func (deafApp) HandleCall(context.Context, Client, protocol.Call) (json.RawMessage, error) {
	return json.RawMessage(`1`), nil
}

// What a dialect may offer a client depends on the route by which the client has come in.
func TestWhatARouteTakes(t *testing.T) {
	rooms := []policy.Room{lobby("lobby"), {Pattern: "plain", Subscribe: policy.Anyone}}
	hidden := lobby("hidden")
	hidden.PresenceAccess = policy.Server
	inRealm(t, Realm{}, append(rooms, hidden), func(t *testing.T, w *world) {
		c := w.arrive(named("ann"))
		if c.TakesTokens() || c.TakesCalls() {
			t.Error("a route without tokens and calls takes some")
		}
		w.withRealm(Realm{Verifier: verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}}), Calls: deafApp{}})
		if !c.TakesTokens() || !c.TakesCalls() {
			t.Error("a route with tokens and calls takes none")
		}
		for channel, want := range map[string]struct{ opens, shows bool }{
			"lobby": {true, true}, "plain": {true, false}, "hidden": {true, false}, "nowhere": {false, false}, "a\x00": {false, false},
		} {
			if c.Opens(channel) != want.opens || c.ShowsMembers(channel) != want.shows {
				t.Errorf("%q: opens %v, shows members %v", channel, c.Opens(channel), c.ShowsMembers(channel))
			}
		}
	})
}

// lateStore learns a second late who has entered.
type lateStore struct{ presence.Store }

func (s lateStore) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	time.Sleep(time.Second)
	return s.Store.Enter(ctx, channel, ms)
}

// A full room has space for those who are in it already.
func TestHasSpace(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby"), open("plain")[0]}, func(t *testing.T, w *world) {
		for _, user := range []string{"ann", "bob"} {
			c := w.connect(user)
			c.say(subscribeLobby)
			synctest.Wait()
		}
		settle()
		again, cleo, nobody := w.connect("ann"), w.connect("cleo"), w.connect("")
		as := func(id string) *Pass { return &Pass{Member: &PassMember{ID: id}} }
		for _, test := range []struct {
			name    string
			c       *client
			channel string
			pass    *Pass
			most    int
			want    protocol.Code
		}{
			{"one more", cleo, "lobby", nil, 3, ""},
			{"full", cleo, "lobby", nil, 2, protocol.LimitExceeded},
			{"full, a member's second connection", again, "lobby", nil, 2, ""},
			{"full, no user", nobody, "lobby", nil, 2, protocol.LimitExceeded},
			{"full, as a member", cleo, "lobby", as("bob"), 2, ""},
			{"full, as somebody else", again, "lobby", as("dan"), 2, protocol.LimitExceeded},
			{"full, a pass without a member", again, "lobby", &Pass{}, 2, ""},
			{"no members", cleo, "plain", nil, 0, ""},
			{"no room", cleo, "nowhere", nil, 0, ""},
		} {
			if e := test.c.HasSpace(t.Context(), test.channel, test.pass, test.most); codeOf(e) != test.want {
				t.Errorf("%s: %v, want %q", test.name, e, test.want)
			}
		}
	})
	t.Run("before the store knows", func(t *testing.T) {
		inBubble(t, Limits{}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
			withStore(t, w, func(s presence.Sink) (presence.Store, error) { return lateStore{memory.NewPresenceStore(s)}, nil })
			w.connect("ann").say(subscribeLobby)
			if e := w.connect("bob").HasSpace(t.Context(), "lobby", nil, 1); codeOf(e) != protocol.LimitExceeded {
				t.Errorf("ann has entered: %v", e)
			}
		})
	})
	t.Run("no presence", func(t *testing.T) {
		inBubble(t, Limits{}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
			if e := w.connect("ann").HasSpace(t.Context(), "lobby", nil, 0); e != nil {
				t.Error(e)
			}
		})
	})
}

func TestMayHaveChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{Channels: 3}, open("*")...)
	for n, want := range map[int]protocol.Code{0: "", 3: "", 4: protocol.LimitExceeded} {
		if e := w.registry.MayHaveChannels(n); codeOf(e) != want {
			t.Errorf("%d channels: %v, want %q", n, e, want)
		}
	}
}

func TestMayAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{}, policy.Room{Pattern: "*", Publish: policy.Users})
	narrow, err := policy.NewScope(map[string][]string{"history": {"a"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		c    Caller
		want protocol.Code
	}{
		"user":       {Caller{Principal: named("ann")}, ""},
		"anonymous":  {Caller{}, protocol.Unauthorized},
		"app":        {Caller{App: true}, ""},
		"narrow key": {Caller{App: true, Scope: narrow}, protocol.Forbidden},
	} {
		if e := w.registry.MayAnywhere(test.c, policy.Publish); codeOf(e) != test.want {
			t.Errorf("%s: %v, want %q", name, e, test.want)
		}
	}
}

func TestMaxSizeOfDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{}, desk(document.Options{Limits: document.Limits{Size: 100}}), policy.Room{Pattern: "big", Document: &document.Options{}}, policy.Room{Pattern: "none"})
	for channel, want := range map[string]int{"doc": 100, "big": document.DefaultSize, "none": document.DefaultSize, "nowhere": document.DefaultSize} {
		if got := w.registry.Documents.MaxSize(channel); got != want {
			t.Errorf("%s: %d bytes, want %d", channel, got, want)
		}
	}
}

// Each byte of a body counts twice. A body is not read further when there is no memory for it.
func TestBodiesAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{RequestMemory: 64 << 10})
	v, e := w.registry.Memory.Reserve(Caller{})
	if e != nil {
		t.Fatal(e)
	}
	defer v.Release()
	before := v.held
	if n, err := io.Copy(io.Discard, v.Body(strings.NewReader(strings.Repeat("x", 1000)))); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	if held := v.held - before; held != 2000 {
		t.Errorf("1000 bytes count as %d", held)
	}
	other, e := w.reserved(Caller{}, 1)
	if e != nil {
		t.Fatal(e)
	}
	defer other.Release() // a request that is alone may be as large as it likes
	_, err := io.ReadAll(v.Body(strings.NewReader(strings.Repeat("x", 64<<10))))
	if e := protocol.AsError(err); codeOf(e) != protocol.Unavailable {
		t.Errorf("a body that is too large: %v", err)
	}
}

// watched writes down which connections come and go.
type watched struct{ events []string }

func (w *watched) Connect(connection, user string) {
	w.events = append(w.events, fmt.Sprint("connect ", connection, " ", user))
}

func (w *watched) Disconnect(connection, user string) {
	w.events = append(w.events, fmt.Sprint("disconnect ", connection, " ", user))
}

// A watcher is first notified of the connections that are open.
func TestWatchConnections(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		ann, gone := w.connect("ann"), w.connect("gone")
		gone.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		seen := new(watched)
		w.registry.WatchConnections(seen)
		bob := w.connect("bob")
		ann.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		want := []string{"connect " + ann.Conn().ID() + " ann", "connect " + bob.Conn().ID() + " bob", "disconnect " + ann.Conn().ID() + " ann"}
		if !slices.Equal(seen.events, want) {
			t.Errorf("seen %q, want %q", seen.events, want)
		}
		w.registry.WatchConnections(nil)
		bob.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		if len(seen.events) != len(want) {
			t.Errorf("seen after the end: %q", seen.events[len(want):])
		}
	})
}

// A change over HTTP and the same change of a connection have one key, so the change is made once. A rejected change shows
// the state only to those who may see it.
func TestProposeOverHTTP(t *testing.T) {
	rooms := []policy.Room{desk(document.Options{}), {Pattern: "blind", Publish: policy.Anyone, Document: &document.Options{}}}
	atDesk(t, rooms, func(t *testing.T, w *world, _ *stubborn) {
		ann := Caller{Principal: &Principal{Subject: policy.Subject{User: "ann"}, IP: netip.MustParseAddr("192.0.2.1")}}
		first := protocol.Change{Channel: "doc", Client: "c", LocalVersion: 1, Patch: []byte(`{"n":1}`)}
		for range 2 {
			out, e := w.registry.Documents.Propose(t.Context(), ann, first)
			if e != nil || out.Err != nil || out.Version != 1 {
				t.Errorf("%+v, %v", out, e)
			}
		}
		c := w.connect("ann")
		c.say(subscribeDoc, changeFrame(1, 0, `{"n":1}`))
		c.hears(subscribedDoc(1, `{"n":1}`), acceptedFrame(1, 1, `,"duplicate":true`))
		late := protocol.Change{Channel: "doc", Client: "d", LocalVersion: 1, BaseVersion: 9, Patch: []byte(`{}`)}
		if out, e := w.registry.Documents.Propose(t.Context(), ann, late); e != nil || out.Err == nil {
			t.Errorf("a change of a later version: %+v, %v", out, e)
		}
		first.Channel = "blind"
		if out, e := w.registry.Documents.Propose(t.Context(), ann, first); codeOf(e) != protocol.Forbidden {
			t.Errorf("a client that may not subscribe: %+v, %v", out, e)
		}
	})
}
