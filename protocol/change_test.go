package protocol

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

var (
	_ Event        = ChangeAccepted{}
	_ Event        = ChangeRejected{}
	_ Event        = RemoteChange{}
	_ hub.Personal = RemoteChange{}
)

func init() {
	wire = append(wire, []struct {
		name string
		ev   hub.Event
		want string
	}{
		{"change-accepted", ChangeAccepted{ID: seven, Channel: "a", LocalVersion: 3, Epoch: "k3v9x2m7", Version: 42},
			`{"type":"change-accepted","id":7,"timestamp":NOW,"payload":{"channel":"a","localVersion":3,"epoch":"k3v9x2m7","serverVersion":42}}`},
		{"change-accepted", ChangeAccepted{Channel: "a", Epoch: "e", Version: 1, Duplicate: true},
			`{"type":"change-accepted","timestamp":NOW,"payload":{"channel":"a","localVersion":0,"epoch":"e","serverVersion":1,"duplicate":true}}`},
		{"change-rejected", ChangeRejected{ID: seven, Channel: "a", LocalVersion: 3, Err: Errorf(Conflict, "late"), Document: DocumentState{Epoch: "e", Version: 42, State: []byte(`{"b":[1]}`)}},
			`{"type":"change-rejected","id":7,"timestamp":NOW,"payload":{"channel":"a","localVersion":3,"code":"CONFLICT","message":"late","epoch":"e","serverVersion":42,"serverState":{"b":[1]}}}`},
		{"remote-change", RemoteChange{Channel: "a", Epoch: "e", Version: 42, Sender: "ann", Patch: []byte(`{"b":null}`), Connection: "c1"},
			`{"type":"remote-change","timestamp":NOW,"payload":{"channel":"a","epoch":"e","serverVersion":42,"sender":"ann","patch":{"b":null}}}`},
		{"remote-change", RemoteChange{Channel: "a", Epoch: "e", Version: 32, Patch: []byte(`[]`), Hash: 0xa0b1},
			`{"type":"remote-change","timestamp":NOW,"payload":{"channel":"a","epoch":"e","serverVersion":32,"hash":"0000a0b1","patch":[]}}`},
		{"change-accepted", ChangeAccepted{Channel: "a", Epoch: "e", Version: 32, Hash: 0xa0b1c2d3},
			`{"type":"change-accepted","timestamp":NOW,"payload":{"channel":"a","localVersion":0,"epoch":"e","serverVersion":32,"hash":"a0b1c2d3"}}`},
		{"remote-change", RemoteChange{Channel: "a", Epoch: "e", Version: 1, Patch: []byte(`[]`)},
			`{"type":"remote-change","timestamp":NOW,"payload":{"channel":"a","epoch":"e","serverVersion":1,"patch":[]}}`},
		{"subscribed", SubscribedReply{Channel: "a", Document: &DocumentState{Epoch: "e", Version: 7, State: []byte(`{}`), Stale: true}},
			`{"type":"subscribed","timestamp":NOW,"payload":{"channel":"a","document":{"epoch":"e","version":7,"stale":true,"state":{}}}}`},
		{"subscribed", SubscribedReply{Channel: "a", Document: &DocumentState{Epoch: "e", State: []byte(`{}`)}},
			`{"type":"subscribed","timestamp":NOW,"payload":{"channel":"a","document":{"epoch":"e","version":0,"state":{}}}}`},
	}...)
}

func TestDecodeChange(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]Change{
		`{"channel":"a","localVersion":0,"baseVersion":0,"patch":{ "x": 1 }}`: {Channel: "a", Patch: []byte(`{"x":1}`)},
		`{"channel":"a","client":"c 1","localVersion":3,"epoch":"k3v9","baseVersion":42,"patch":[]}`: {
			Channel: "a", Client: "c 1", LocalVersion: 3, Epoch: "k3v9", BaseVersion: 42, Patch: []byte(`[]`)},
		`{"channel":"a","localVersion":1,"baseVersion":1,"patch":null,"other":1}`: {Channel: "a", LocalVersion: 1, BaseVersion: 1, Patch: []byte(`null`)},
	} {
		if got, err := DecodeChange([]byte(payload)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", payload, got, err, want)
		}
	}
	const good = `"channel":"a","localVersion":1,"baseVersion":1,"patch":{}`
	for payload, want := range map[string]string{
		`{}`: `payload: "channel" is missing`,
		`{"channel":"a","localVersion":1,"baseVersion":1}`:              `payload: "patch" is missing`,
		`{"channel":"a","localVersion":-1,"baseVersion":1,"patch":{}}`:  `payload: "localVersion" must be an integer from 0 to 9007199254740991`,
		`{"channel":"a","localVersion":1,"baseVersion":"1","patch":{}}`: `payload: "baseVersion" must be an integer from 0 to 9007199254740991`,
		`{` + good + `,"client":""}`:                                    `a key must have 1 to 64 bytes`,
		`{` + good + `,"client":"` + strings.Repeat("x", 65) + `"}`:     `a key must have 1 to 64 bytes`,
		`{` + good + `,"epoch":"a-b"}`:                                  `epoch "a-b" is not 1 to 16 letters and digits`,
		`{` + good + `,"patch":{}}`:                                     `payload: "patch" is given twice`,
		`{"channel":"a*","localVersion":1,"baseVersion":1,"patch":{}}`:  `channel name "a*" must not contain '*'`,
	} {
		if got, err := DecodeChange([]byte(payload)); err == nil || err.Message != want || !reflect.ValueOf(got).IsZero() {
			t.Errorf("%s: %+v, %v; want %s", payload, got, err, want)
		}
	}
}

func TestRemoteChangeFor(t *testing.T) {
	t.Parallel()
	accepted := ChangeAccepted{Channel: "a", LocalVersion: 7}
	c := RemoteChange{Connection: "c1", Accepted: accepted}
	if got := c.For("c1"); !reflect.DeepEqual(got, accepted) {
		t.Errorf("%+v", got)
	}
	if got := c.For("c2"); got != nil {
		t.Errorf("%+v", got)
	}
	if got := (RemoteChange{}).For(""); got != nil {
		t.Errorf("%+v", got)
	}
}

func FuzzDecodeChange(f *testing.F) {
	seedPayloads(f, "client", "localVersion", "epoch", "baseVersion", "patch")
	f.Add([]byte(`{"channel":"a","client":"x","localVersion":1,"epoch":"e","baseVersion":2,"patch":[{"op":"remove","path":"/a"}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := DecodeChange(payload)
		checkRecorded(t, payload, DecodeChange, (*Command).Change)
		fields, ok := checkFields(t, payload, err)
		if !ok {
			return
		}
		checkString(t, fields["channel"], c.Channel)
		checkString(t, fields["client"], c.Client)
		checkString(t, fields["epoch"], c.Epoch)
		var want bytes.Buffer
		if e := json.Compact(&want, fields["patch"]); e != nil || want.String() != string(c.Patch) {
			t.Fatalf("patch %q of %q (%v)", c.Patch, payload, e)
		}
		if ValidChannel(c.Channel) != nil || max(c.LocalVersion, c.BaseVersion) > maxOffset {
			t.Fatalf("accepted %+v", c)
		}
		checkEnvelope(t, RemoteChange{Channel: c.Channel, Epoch: c.Epoch, Version: c.BaseVersion, Sender: c.Client, Patch: c.Patch}.AppendEnvelope(nil), TypeRemoteChange)
	})
}
