package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// decoded makes decoders of any type comparable.
func decoded[T any](decode func(json.RawMessage) (T, *Error)) func(string) (any, *Error) {
	return func(payload string) (any, *Error) { return decode([]byte(payload)) }
}

var (
	position = hub.Position{Epoch: "k3v9x2m7", Offset: 17, Anchor: 0x9c1f03aa}
	plain    = hub.Position{Epoch: "k3v9x2m7"}
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	subscribe, unsubscribe, publish := decoded(DecodeSubscribe), decoded(DecodeUnsubscribe), decoded(DecodePublish)
	history, ping, authenticate := decoded(DecodeHistory), decoded(DecodePing), decoded(DecodeAuthenticate)
	for _, c := range []struct {
		decode  func(string) (any, *Error)
		payload string
		want    any
	}{
		{subscribe, `{"channel":"chat:42"}`, Subscribe{Channel: "chat:42"}},
		{subscribe, `{"channel":"a","Channel":"b","more":{"channel":1}}`, Subscribe{Channel: "a"}},
		{subscribe, `{"channel":"a","history":1000}`, Subscribe{Channel: "a", History: 1000}},
		{subscribe, `{"channel":"a","recover":{"epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}}`, Subscribe{Channel: "a", Recover: &position}},
		{subscribe, `{"channel":"a","recover":{"offset":0,"epoch":"k3v9x2m7","x":[]},"history":5}`, Subscribe{Channel: "a", Recover: &plain, History: 5}},
		{subscribe, `{"channel":"a","recover":{"epoch":"A","offset":9007199254740991}}`, Subscribe{Channel: "a", Recover: &hub.Position{Epoch: "A", Offset: 1<<53 - 1}}},
		{unsubscribe, `{"channel":"gr\u00fc\u00dfe"}`, Unsubscribe{Channel: "grüße"}},
		{publish, `{"channel":"a","content":null}`, Publish{Channel: "a", Content: []byte("null")}},
		{publish, `{ "channel": "a", "content": "two  words" }`, Publish{Channel: "a", Content: []byte(`"two  words"`)}},
		{publish, `{"channel":"a","content":{ "b": [1, "\n \\u2028"],` + "\r\n" + `"b":2}}`, Publish{Channel: "a", Content: []byte(`{"b":[1,"\n \\u2028"],"b":2}`)}},
		{publish, `{"channel":"a","content":1,"event":"typing","key":"0-9 ~"}`, Publish{Channel: "a", Content: []byte("1"), Event: "typing", Key: "0-9 ~"}},
		{publish, `{"channel":"a","content":1,"after":true}`, Publish{Channel: "a", Content: []byte("1"), After: true}},
		{publish, `{"channel":"a","content":1,"event":"","Key":1,"timestamp":"x"}`, Publish{Channel: "a", Content: []byte("1")}},
		{publish, `{"channel":"a","content":1,"to":{"user":"*\u0020"}}`, Publish{Channel: "a", Content: []byte("1"), To: &hub.Address{User: "* "}}},
		{publish, `{"channel":"a","content":1,"to":{"connection":"c","user":"u"}}`, Publish{Channel: "a", Content: []byte("1"), To: &hub.Address{User: "u", Connection: "c"}}},
		{publish, `{"channel":"a","content":1,"to":{"user":"` + strings.Repeat("u", 255) + `"}}`, Publish{Channel: "a", Content: []byte("1"), To: &hub.Address{User: strings.Repeat("u", 255)}}},
		{publish, `{"channel":"a","content":1,"volatile":true}`, Publish{Channel: "a", Content: []byte("1"), Volatile: true}},
		{publish, `{"channel":"a","content":1,"volatile":false}`, Publish{Channel: "a", Content: []byte("1")}},
		{history, `{"channel":"a"}`, History{Channel: "a", Limit: DefaultHistory}},
		{history, `{"channel":"a","limit":0,"since":{"epoch":"k3v9x2m7","offset":0}}`, History{Channel: "a", Since: &plain}},
		{authenticate, `{"token":"a.b.c"}`, Authenticate{Token: "a.b.c"}},
		{ping, `{}`, Ping{}},
		{ping, ``, Ping{}},
		{ping, `{"any":1}`, Ping{}},
	} {
		got, err := c.decode(c.payload)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T %s: %+v, %v", c.want, c.payload, got, err)
		}
	}
}

func TestPayloadsRefused(t *testing.T) {
	t.Parallel()
	subscribe, unsubscribe, publish := decoded(DecodeSubscribe), decoded(DecodeUnsubscribe), decoded(DecodePublish)
	history, ping, authenticate := decoded(DecodeHistory), decoded(DecodePing), decoded(DecodeAuthenticate)
	for _, c := range []struct {
		decode  func(string) (any, *Error)
		payload string
		code    Code
		text    string
	}{
		{subscribe, ``, InvalidMessage, `payload: "channel" is missing`},
		{subscribe, `{}`, InvalidMessage, `payload: "channel" is missing`},
		{subscribe, `[]`, InvalidMessage, `payload must be a JSON object`},
		{subscribe, `{"channel":"a"`, InvalidJSON, `not valid JSON: it ends too early, at byte 14: expected a comma or the end of the object`},
		{subscribe, `{"channel":7}`, InvalidMessage, `payload: "channel" must be a string`},
		{subscribe, `{"channel":["a"]}`, InvalidMessage, `payload: "channel" must be a string`},
		{subscribe, `{"channel":"a","channel":"b"}`, InvalidMessage, `payload: "channel" is given twice`},
		{subscribe, `{"channel":""}`, InvalidChannel, `a channel name must not be empty`},
		{subscribe, `{"channel":"a\ud83d"}`, InvalidMessage, `payload: "channel" holds half of a surrogate pair`},
		{subscribe, `{"channel":"a","history":"5"}`, InvalidMessage, `payload: "history" must be an integer from 0 to 1000`},
		{subscribe, `{"channel":"a","history":-1}`, InvalidMessage, `payload: "history" must be an integer from 0 to 1000`},
		{subscribe, `{"channel":"a","history":1001}`, InvalidMessage, `payload: "history" must be an integer from 0 to 1000`},
		{subscribe, `{"channel":"a","history":1.0}`, InvalidMessage, `payload: "history" must be an integer from 0 to 1000`},
		{subscribe, `{"channel":"a","recover":null}`, InvalidMessage, `payload.recover must be a JSON object`},
		{subscribe, `{"channel":"a","recover":{}}`, InvalidMessage, `payload.recover: "epoch" is missing`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e"}}`, InvalidMessage, `payload.recover: "offset" is missing`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e","offset":"1"}}`, InvalidMessage, `payload.recover: "offset" must be an integer from 0 to 9007199254740991`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e","offset":9007199254740992}}`, InvalidMessage, `payload.recover: "offset" must be an integer from 0 to 9007199254740991`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e","offset":1,"offset":1}}`, InvalidMessage, `payload.recover: "offset" is given twice`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e.f","offset":1}}`, InvalidMessage, `epoch "e.f" is not 1 to 16 letters and digits`},
		{subscribe, `{"channel":"a","recover":{"epoch":"e","offset":1,"anchor":"9C1F03AA"}}`, InvalidMessage, `anchor "9C1F03AA" is not 8 lower-case hexadecimal digits`},
		{unsubscribe, `{"channel":"a*"}`, InvalidChannel, `channel name "a*" must not contain '*'`},
		{publish, `{"channel":"a"}`, InvalidMessage, `payload: "content" is missing`},
		{publish, `{"content":1}`, InvalidMessage, `payload: "channel" is missing`},
		{publish, `{"channel":"a","content":1,"content":2}`, InvalidMessage, `payload: "content" is given twice`},
		{publish, `{"channel":"a","content":1,"to":"bob"}`, InvalidMessage, `payload: "to" must be an object`},
		{publish, `{"channel":"a","content":1,"to":null}`, InvalidMessage, `payload: "to" must be an object`},
		{publish, `{"channel":"a","content":1,"to":{}}`, InvalidMessage, `to: there is neither "user" nor "connection"`},
		{publish, `{"channel":"a","content":1,"to":{"user":""}}`, InvalidMessage, `to: "user" must have 1 to 255 bytes without control characters`},
		{publish, `{"channel":"a","content":1,"to":{"user":"` + strings.Repeat("u", 256) + `"}}`, InvalidMessage, `to: "user" must have 1 to 255 bytes without control characters`},
		{publish, `{"channel":"a","content":1,"to":{"user":"bob","connection":"a\u0000"}}`, InvalidMessage, `to: "connection" must have 1 to 255 bytes without control characters`},
		{publish, `{"channel":"a","content":1,"to":{"user":["bob"]}}`, InvalidMessage, `to: "user" must be a string`},
		{publish, `{"channel":"a","content":1,"to":{"user":"bob","user":"ann"}}`, InvalidMessage, `to: "user" is given twice`},
		{publish, `{"channel":"a","content":1,"to":{"user":"bob","conection":"c"}}`, InvalidMessage, `to: "conection" is unknown; there are "user" and "connection"`},
		{publish, `{"channel":"a","content":1,"to":{"user":"bob"},"to":{"user":"ann"}}`, InvalidMessage, `payload: "to" is given twice`},
		{publish, `{"channel":"a","content":1,"event":null}`, InvalidMessage, `payload: "event" must be a string`},
		{publish, `{"channel":"a","content":1,"event":"gap"}`, InvalidMessage, `event name "gap" is reserved`},
		{publish, `{"channel":"a","content":1,"event":"x\ny"}`, InvalidMessage, `event name "x\ny" must not contain control characters`},
		{publish, `{"channel":"a","content":1,"key":""}`, InvalidMessage, `a key must have 1 to 64 bytes`},
		{publish, `{"channel":"a","content":1,"key":"ä"}`, InvalidMessage, `key "ä" must be printable ASCII`},
		{publish, `{"channel":"a","content":1,"volatile":"true"}`, InvalidMessage, `payload: "volatile" must be true or false`},
		{history, `{"channel":"a","limit":1001}`, InvalidMessage, `payload: "limit" must be an integer from 0 to 1000`},
		{history, `{"channel":"a","since":5}`, InvalidMessage, `payload.since must be a JSON object`},
		{authenticate, `{}`, InvalidMessage, `payload: "token" is missing`},
		{authenticate, `{"token":""}`, InvalidMessage, `payload: "token" must not be empty`},
		{authenticate, `{"token":{"secret":1}}`, InvalidMessage, `payload: "token" must be a string`},
		{authenticate, `{"token":"secret\ud83d"}`, InvalidMessage, `payload: "token" holds half of a surrogate pair`},
		{authenticate, `{"token":"secret","token":"secret"}`, InvalidMessage, `payload: "token" is given twice`},
		{ping, `[]`, InvalidMessage, `payload must be a JSON object`},
	} {
		got, err := c.decode(c.payload)
		if err == nil {
			t.Errorf("%s was accepted: %+v", c.payload, got)
			continue
		}
		if err.Code != c.code || err.Message != c.text {
			t.Errorf("%s:\n got %v\nwant %s: %s", c.payload, err, c.code, c.text)
		}
		if !reflect.ValueOf(got).IsZero() {
			t.Errorf("%s: half a payload beside an error: %+v", c.payload, got)
		}
	}
}

func TestDecodeContent(t *testing.T) {
	t.Parallel()
	if got, err := DecodeContent([]byte(" {\"a\" :\n[1, 2]} ")); err != nil || string(got) != `{"a":[1,2]}` {
		t.Errorf("%s, %v", got, err)
	}
	for text, code := range map[string]Code{``: InvalidJSON, `{`: InvalidJSON, "\"\xff\"": InvalidJSON, strings.Repeat("[", 65): InvalidMessage} {
		if got, err := DecodeContent([]byte(text)); err == nil || err.Code != code {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

// seedPayloads adds payloads that differ in the value of one field.
func seedPayloads(f *testing.F, fields ...string) {
	for _, field := range fields {
		for _, value := range append([]string{`"a"`, `17`, `{"epoch":"k3v9x2m7","offset":17,"anchor":"9c1f03aa"}`}, texts...) {
			f.Add([]byte(`{"channel":"a","content":1,"` + field + `": ` + value + `}`))
		}
	}
}

// checkFields checks that a payload was accepted with good reason, and gives its
// fields as encoding/json reads them.
func checkFields(t *testing.T, payload []byte, err *Error) (fields map[string]json.RawMessage, ok bool) {
	t.Helper()
	if err != nil {
		checkPublic(t, err)
		return nil, false
	}
	if e := json.Unmarshal(payload, &fields); e != nil && len(payload) > 0 {
		t.Fatalf("accepted %q: %v", payload, e)
	}
	return fields, true
}

// checkString checks a text against its field.
func checkString(t *testing.T, field json.RawMessage, got string) {
	t.Helper()
	var want string
	if field == nil && got == "" {
		return
	}
	if err := json.Unmarshal(field, &want); err != nil || got != want {
		t.Fatalf("%q, want %q (%v)", got, want, err)
	}
}

func checkPosition(t *testing.T, field json.RawMessage, got *hub.Position) {
	t.Helper()
	if (field == nil) != (got == nil) {
		t.Fatalf("position %v, want %s", got, field)
	}
	if got == nil {
		return
	}
	if e := ValidChannel(got.Epoch); e != nil || got.Offset > maxOffset {
		t.Fatalf("accepted position %+v", got)
	}
	again, err := DecodeSubscribe(append(appendPositionFields([]byte(`{"channel":"a","recover":{`), *got), "}}"...))
	if err != nil || *again.Recover != *got {
		t.Fatalf("%+v came back as %+v, %v", got, again.Recover, err)
	}
}

func FuzzDecodeSubscribe(f *testing.F) {
	seedPayloads(f, "channel", "recover", "history")
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := DecodeSubscribe(payload)
		if fields, ok := checkFields(t, payload, err); ok {
			checkString(t, fields["channel"], s.Channel)
			checkPosition(t, fields["recover"], s.Recover)
			if s.History < 0 || s.History > MaxHistory || ValidChannel(s.Channel) != nil {
				t.Fatalf("accepted %+v", s)
			}
		}
	})
}

func FuzzDecodeUnsubscribe(f *testing.F) {
	seedPayloads(f, "channel")
	f.Fuzz(func(t *testing.T, payload []byte) {
		u, err := DecodeUnsubscribe(payload)
		if fields, ok := checkFields(t, payload, err); ok {
			checkString(t, fields["channel"], u.Channel)
			if ValidChannel(u.Channel) != nil {
				t.Fatalf("accepted %+v", u)
			}
		}
	})
}

// checkRecorded checks that a payload in a frame is read in the same way whether its members
// were recorded or are scanned again.
func checkRecorded[P any](t *testing.T, payload []byte, plain func(json.RawMessage) (P, *Error), recorded func(*Command) (P, *Error)) {
	frame := append(append([]byte(`{"id":1, "p\u0061yload" : `), payload...), ` ,"type":"x"}`...)
	c, err := Decode(frame)
	if err != nil {
		return
	}
	want, wantErr := plain(c.Payload)
	got, gotErr := recorded(&c)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
		t.Fatalf("%q: recorded %+v (%v), scanned again %+v (%v)", frame, got, gotErr, want, wantErr)
	}
}

// Payloads with more members than any has, or none, or twice, are read alike.
func TestRecordedPayload(t *testing.T) {
	t.Parallel()
	many := ""
	for i := range maxFields - 2 {
		many += fmt.Sprintf(`,"x%d" : [ {"a":[]} ]`, i)
	}
	for _, payload := range []string{
		`{}`, `{ }`, `{"channel":"a","content":1}`, `{"channel":"a","content":[ 1, {"b" : "c d"} ]}`,
		`{"ch\u0061nnel":"\u00e4","content":null,"event":"e"}`, `{"channel":"a","channel":"b","content":1}`,
		`{"channel":"a","content":1` + many + `}`, `{"channel":"a","content":1` + many + `,"key":"k"}`, `{"channel":7}`,
	} {
		checkRecorded(t, []byte(payload), DecodePublish, (*Command).Publish)
		checkRecorded(t, []byte(payload), DecodeChange, (*Command).Change)
	}
	c, err := Decode([]byte(`{"type":"x","payload":{"channel":"a"},"payload":{"channel":"b"}}`))
	if err == nil {
		t.Errorf("two payloads: %q", c.Payload)
	}
	if c, err = Decode([]byte(`{"type":"x"}`)); err != nil || c.members.recorded {
		t.Errorf("no payload: %v", err)
	}
	if _, err = c.Publish(); err == nil || !strings.Contains(err.Message, "missing") {
		t.Errorf("no payload: %v", err)
	}
	if c, _ = Decode([]byte(`{"type":"x","payload":{"channel":"a","content":1}}`)); !c.members.recorded || c.members.n != 2 {
		t.Error("the members of a payload were not recorded")
	}
}

func FuzzDecodePublish(f *testing.F) {
	seedPayloads(f, "channel", "content", "event", "key", "to")
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := DecodePublish(payload)
		checkRecorded(t, payload, DecodePublish, (*Command).Publish)
		fields, ok := checkFields(t, payload, err)
		if !ok {
			return
		}
		checkString(t, fields["channel"], p.Channel)
		checkString(t, fields["event"], p.Event)
		checkString(t, fields["key"], p.Key)
		var want bytes.Buffer
		if e := json.Compact(&want, fields["content"]); e != nil || want.String() != string(p.Content) {
			t.Fatalf("content %q of %q (%v)", p.Content, payload, e)
		}
		if ValidChannel(p.Channel) != nil || ValidEvent(p.Event) != nil || p.Key != "" && ValidKey(p.Key) != nil || (p.To == nil) != (fields["to"] == nil) {
			t.Fatalf("accepted %+v", p)
		}
		m := &hub.Message{Channel: p.Channel, Content: p.Content, Event: p.Event}
		if p.To != nil {
			m.Direct = &hub.Direct{To: *p.To}
		}
		delivered := checkEnvelope(t, AppendEnvelope(nil, m), TypeMessage)
		if string(delivered["content"]) != string(p.Content) {
			t.Fatalf("content %q became %q", p.Content, delivered["content"])
		}
		if p.To == nil {
			return
		}
		if to, e := DecodeAddress(delivered["to"]); e != nil || *to != *p.To {
			t.Fatalf("the address %+v became %s, %v", *p.To, delivered["to"], e)
		}
	})
}

func FuzzDecodeHistory(f *testing.F) {
	seedPayloads(f, "channel", "since", "limit")
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := DecodeHistory(payload)
		if fields, ok := checkFields(t, payload, err); ok {
			checkString(t, fields["channel"], h.Channel)
			checkPosition(t, fields["since"], h.Since)
			if h.Limit < 0 || h.Limit > MaxHistory || ValidChannel(h.Channel) != nil {
				t.Fatalf("accepted %+v", h)
			}
		}
	})
}

func FuzzDecodePing(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, err := DecodePing(payload)
		checkFields(t, payload, err)
	})
}

func FuzzDecodeAuthenticate(f *testing.F) {
	seedPayloads(f, "token")
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := DecodeAuthenticate(payload)
		if fields, ok := checkFields(t, payload, err); ok {
			checkString(t, fields["token"], a.Token)
			if a.Token == "" {
				t.Fatalf("accepted %s", payload)
			}
		}
	})
}
