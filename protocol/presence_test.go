package protocol

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

var (
	_ Event         = PresenceEvent{}
	_ hub.Selective = PresenceEvent{}
)

var (
	ann  = &presence.Member{Key: "ann"}
	bob  = &presence.Member{Key: "bob", Status: "away", Info: `{"name":"Bob \"<"}`}
	cleo = &presence.Member{Key: "c\"", Info: `{"n":1}`}
	dan  = &presence.Member{Key: "dan", Status: "online", Info: `{}`}
)

var presenceWire = []struct {
	name string
	ev   hub.Event
	want string
}{
	{"presence", PresenceEvent{ID: seven, Frame: &presence.Snapshot{Channel: "a", Members: []*presence.Member{ann, bob}, Count: 2, Seq: 7}},
		`{"type":"presence","id":7,"timestamp":NOW,"payload":{"channel":"a","users":["ann","bob"],"info":{"bob":{"status":"away","name":"Bob \"<"}},"count":2,"seq":7}}`},
	{"presence", PresenceEvent{Frame: &presence.Snapshot{Channel: "a", After: "b", Members: []*presence.Member{cleo}, Count: 300, Seq: 8, Next: "x", Partial: true}},
		`{"type":"presence","timestamp":NOW,"payload":{"channel":"a","after":"b","users":["c\""],"info":{"c\"":{"n":1}},"count":300,"seq":8,"more":true,"partial":true}}`},
	{"presence", PresenceEvent{Frame: &presence.Snapshot{Channel: "a"}},
		`{"type":"presence","timestamp":NOW,"payload":{"channel":"a","users":[],"count":0,"seq":0}}`},
	{"presence", PresenceEvent{Frame: &presence.Diff{Channel: "a", Entered: []*presence.Member{ann}, Updated: []*presence.Member{bob, cleo}, Left: []*presence.Member{dan}, Count: 3, Seq: 9}},
		`{"type":"presence","timestamp":NOW,"payload":{"channel":"a","entered":["ann"],"updated":["bob","c\""],"left":["dan"],"info":{"bob":{"status":"away","name":"Bob \"<"},"c\"":{"n":1}},"count":3,"seq":9}}`},
	{"presence", PresenceEvent{Frame: &presence.Diff{Channel: "a", Entered: []*presence.Member{{Key: "eve", Status: "away"}, {Key: "fay", Status: "online"}, {Key: "gus", Status: "busy", Info: `{}`}}, Count: 3, Seq: 9}},
		`{"type":"presence","timestamp":NOW,"payload":{"channel":"a","entered":["eve","fay","gus"],"info":{"eve":{"status":"away"},"gus":{"status":"busy"}},"count":3,"seq":9}}`},
	{"presence", PresenceEvent{Frame: &presence.Diff{Channel: "a", Left: []*presence.Member{dan}, Partial: true}},
		`{"type":"presence","timestamp":NOW,"payload":{"channel":"a","left":["dan"],"count":0,"seq":0,"partial":true}}`},
}

func init() { wire = append(wire, presenceWire...) }

func TestDecodePresence(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]Presence{
		`{"channel":"a"}`:                                {Channel: "a"},
		`{"channel":"a","after":"bob"}`:                  {Channel: "a", After: "bob"},
		`{"channel":"a","status":"away"}`:                {Channel: "a", Appearance: Appearance{Status: "away"}},
		`{"channel":"a","info":{ "n": 1 },"status":"x"}`: {Channel: "a", Appearance: Appearance{Status: "x", Info: []byte(`{"n":1}`)}},
		`{"channel":"a","info":null}`:                    {Channel: "a", Appearance: Appearance{Info: []byte(`null`)}},
	} {
		if got, err := DecodePresence([]byte(payload)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", payload, got, err, want)
		}
	}
	for payload, want := range map[string]string{
		`{}`:                          `payload: "channel" is missing`,
		`{"channel":"a","status":7}`:  `payload: "status" must be a string`,
		`{"channel":"a","status":""}`: `payload: "status" must not be empty`,
		`{"channel":"a","status":"x","after":"b"}`: `payload: "after" asks for members, "status" and "info" update one; do one at a time`,
	} {
		if _, err := DecodePresence([]byte(payload)); err == nil || err.Message != want {
			t.Errorf("%s: %v; want %s", payload, err, want)
		}
	}
}

func TestSubscribeWithAppearance(t *testing.T) {
	t.Parallel()
	got, err := DecodeSubscribe([]byte(`{"channel":"a","status":"away","info":{"n":1}}`))
	want := Subscribe{Channel: "a", Appearance: Appearance{Status: "away", Info: []byte(`{"n":1}`)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestConcerns(t *testing.T) {
	t.Parallel()
	if e := (PresenceEvent{}); e.Concerns(0) || !e.Concerns(InterestPresence) {
		t.Error("presence must concern those alone who may see it")
	}
}

func FuzzDecodePresence(f *testing.F) {
	seedPayloads(f, "channel", "after", "status", "info")
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := DecodePresence(payload)
		if _, ok := checkFields(t, payload, err); !ok {
			return
		}
		if e := ValidChannel(got.Channel); e != nil {
			t.Errorf("%q was accepted: %v", payload, e)
		}
		if got.Info != nil && !json.Valid(got.Info) {
			t.Errorf("%q: info %q is not JSON", payload, got.Info)
		}
	})
}
