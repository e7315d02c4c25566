package redis

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// parseLikeEarlierVersion does with a payload what nodes do that do not know messages to one member. They must
// take such a message for no message at all, whatever it contains. Otherwise they would show it
// to the whole room.
func parseLikeEarlierVersion(payload string) error {
	var err error
	if payload[0] == 'e' {
		_, _, err = parsePlain("c", payload)
	} else {
		_, err = parsePlaced("c", payload)
	}
	return err
}

func FuzzDirect(f *testing.F) {
	for _, text := range []string{"", "ann", "h1:5:\x01aaaaaaaaaaaaaaaa", "::", ":5:\x01", "e", "d::"} {
		f.Add(text, text, text, []byte(`"`+text+`"`))
	}
	f.Fuzz(func(t *testing.T, user, connection, from string, content []byte) {
		m := &hub.Message{Channel: "c", Content: content, Event: connection, Sender: from, Direct: &hub.Direct{
			To: hub.Address{User: user, Connection: connection}, From: hub.Address{User: from, Connection: user},
		}}
		id := serial{"12345678", 0x3a353a01}
		payload := string(appendDirect(nil, m, id))
		if parseLikeEarlierVersion(payload) == nil {
			t.Fatalf("an older node understands %q", payload)
		}
		got, gotID, err := parseDirect("c", payload)
		if err != nil || gotID != id {
			t.Fatalf("%q: %+v, %v", payload, gotID, err)
		}
		got.Time = m.Time
		if got.Content == nil {
			got.Content = content
		}
		if string(got.Content) != string(content) || !reflect.DeepEqual(got.Direct, m.Direct) || got.Event != m.Event || got.Sender != m.Sender || got.Position != m.Position {
			t.Fatalf("%+v became %+v", m, got)
		}
	})
}

// What this version sends for a volatile message is read as one, and as nothing by nodes of an
// earlier version.
func TestVolatileFrame(t *testing.T) {
	t.Parallel()
	id := serial{"12345678", 7}
	sent := &hub.Message{Channel: "c", Content: []byte("1"), Event: "moved", Sender: "ann", Time: time.Unix(5, 0), Volatile: true}
	payload := string(appendMessage(appendSerial([]byte(volatileMark), id), sent))
	got, gotID, err := parseVolatile("c", payload)
	if err != nil || gotID != id || !reflect.DeepEqual(got, sent) {
		t.Errorf("%+v, %+v, %v", got, gotID, err)
	}
	if m, err := parsePlaced("c", payload); err == nil {
		t.Errorf("an earlier version reads %+v", m)
	}
}

func FuzzParseDirect(f *testing.F) {
	f.Add(string(appendDirect(nil, &hub.Message{Direct: new(hub.Direct)}, serial{"12345678", 1})))
	f.Add(directMark)
	f.Fuzz(func(t *testing.T, payload string) {
		if m, _, err := parseDirect("c", payload); err == nil && (m.Direct == nil || m.Position != hub.Position{}) {
			t.Fatalf("%+v", m)
		}
	})
}

// While Redis is away, a message to one member is delivered once, on the node where it was
// published. This holds in rooms with history too.
func TestDrillDirectDegrades(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	a, b := newNode(t, c, "a", quickOptions(s.Addr)), newNode(t, c, "b", quickOptions(s.Addr))
	for _, n := range []*node{a, b} {
		n.enter("room")
	}
	try := func(content, key string) (hub.Published, error) {
		m := &hub.Message{Channel: "room", Content: []byte(content), Direct: &hub.Direct{To: hub.Address{User: "ann"}}}
		return a.Publish(t.Context(), m, hub.PublishOptions{Retention: kept, Key: key})
	}
	send := func(content, key string) hub.Published {
		t.Helper()
		p, err := try(content, key)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	send(`"1"`, "")
	for _, n := range []*node{a, b} { // what Redis has not sent yet is lost with it
		n.await(t, "it arrives", func() bool { return n.count["room"] == 1 })
	}
	s.Kill()
	if p := send(`"2"`, "key"); !p.Degraded {
		t.Errorf("published %+v", p)
	}
	if p := send(`"2"`, "key"); !p.Duplicate {
		t.Errorf("published again %+v", p)
	}
	if p, err := try(`"3"`, "key"); !errors.Is(err, hub.ErrKeyReused) {
		t.Errorf("another message with the key: %+v, %v", p, err)
	}
	a.await(t, "this node goes on", func() bool { return a.count["room"] == 2 })
}
