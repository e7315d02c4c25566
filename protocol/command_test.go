package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]Command{
		`{"type":"ping"}`:                           {Type: "ping"},
		`{"type":"ping","id":"a"}`:                  {Type: "ping", ID: []byte(`"a"`)},
		`{"id":-12,"type":"ping"}`:                  {Type: "ping", ID: []byte(`-12`)},
		`{"id":12345678901234567890,"type":"ping"}`: {Type: "ping", ID: []byte(`12345678901234567890`)},
		`{"type":"ping","id":"\n"}`:                 {Type: "ping", ID: []byte(`"\n"`)},
		`{"\u0074ype":"p\u0069ng"}`:                 {Type: "ping"},
		" {\r\n\"type\" : \"ping\"}\t":              {Type: "ping"},
		`{"type":"ping","payload":{"a":[1,{}]},"timestamp":5,"Type":"x","TYPE":1}`: {Type: "ping", Payload: []byte(`{"a":[1,{}]}`)},
		`{"type":"ping","x":{"type":"pong","type":3}}`:                             {Type: "ping"},
		`{"type":"ping","id":"` + strings.Repeat("i", 64) + `"}`:                   {Type: "ping", ID: []byte(`"` + strings.Repeat("i", 64) + `"`)},
		`{"type":"` + strings.Repeat("t", 64) + `"}`:                               {Type: strings.Repeat("t", 64)},
	} {
		got, err := Decode([]byte(frame))
		if err != nil || got.Type != want.Type || !bytes.Equal(got.ID, want.ID) || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%s: %q %q %q, %v", frame, got.Type, got.ID, got.Payload, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		frame string
		code  Code
		id    string // what the answer can repeat
		text  string
	}{
		{``, InvalidJSON, "", "the frame is empty"},
		{`  `, InvalidJSON, "", "not valid JSON: it ends too early, at byte 2: expected a value"},
		{`ping`, InvalidJSON, "", "not valid JSON at byte 0: expected a value"},
		{`[{"type":"ping"}]`, InvalidMessage, "", "envelope must be a JSON object"},
		{`null`, InvalidMessage, "", "envelope must be a JSON object"},
		{`{"id":1,"type":"ping"`, InvalidJSON, "", "not valid JSON: it ends too early, at byte 21: expected a comma or the end of the object"},
		{`{"id":1,"type":5`, InvalidJSON, "", "not valid JSON: it ends too early, at byte 16: expected a comma or the end of the object"},
		{`{"id":1,"type":"ping`, InvalidJSON, "", "not valid JSON: it ends too early, at byte 20: expected the closing quote of a string"},
		{"{\"id\":1,\"type\":\"pi\nng\"}", InvalidJSON, "", "not valid JSON at byte 18: control characters in strings must be escaped"},
		{`{"id":1,"type":"ping"}}`, InvalidJSON, "", "not valid JSON at byte 22: nothing may follow the end of the JSON text"},
		{"{\"id\":1,\"type\":\"p\xff\"}", InvalidJSON, "", "not valid UTF-8 at byte 17"},
		{`{"id":1}`, InvalidMessage, "1", `envelope: "type" is missing`},
		{`{"id":1,"Type":"ping"}`, InvalidMessage, "1", `envelope: "type" is missing`},
		{`{"id":1,"type ":"ping"}`, InvalidMessage, "1", `envelope: "type" is missing`},
		{`{"type":5,"id":1}`, InvalidMessage, "1", `envelope: "type" must be a string`},
		{`{"type":null,"id":1}`, InvalidMessage, "1", `envelope: "type" must be a string`},
		{`{"type":"ping","type":"ping","id":1}`, InvalidMessage, "1", `envelope: "type" is given twice`},
		{`{"type":"ping","t\u0079pe":"pong","id":1}`, InvalidMessage, "1", `envelope: "type" is given twice`},
		{`{"type":"ping","id":1,"payload":{},"payload":{}}`, InvalidMessage, "1", `envelope: "payload" is given twice`},
		{`{"type":"ping","payload":null,"id":1}`, InvalidMessage, "1", `envelope: "payload" must be an object`},
		{`{"type":"ping","payload":"{}"}`, InvalidMessage, "", `envelope: "payload" must be an object`},
		{`{"type":"ping","id":1.5}`, InvalidMessage, "", `envelope: "id" must be a string or an integer of at most 20 digits`},
		{`{"type":"ping","id":1e3}`, InvalidMessage, "", `envelope: "id" must be a string or an integer of at most 20 digits`},
		{`{"type":"ping","id":null}`, InvalidMessage, "", `envelope: "id" must be a string or an integer of at most 20 digits`},
		{`{"type":"ping","id":[1]}`, InvalidMessage, "", `envelope: "id" must be a string or an integer of at most 20 digits`},
		{`{"type":"ping","id":123456789012345678901}`, InvalidMessage, "", `envelope: "id" must be a string or an integer of at most 20 digits`},
		{`{"type":"ping","id":"` + strings.Repeat("i", 65) + `"}`, InvalidMessage, "", `envelope: "id" must have at most 64 bytes`},
		{`{"type":"a\ud800","id":1}`, InvalidMessage, "1", `envelope: "type" holds half of a surrogate pair`},
		{`{"type":"","id":1}`, UnknownType, "1", `no command has the type ""`},
		{`{"type":"` + strings.Repeat("t", 65) + `","id":1}`, UnknownType, "1", `no command has the type "` + strings.Repeat("t", 48) + `"…`},
		{strings.Repeat(`{"a":`, 65), InvalidMessage, "", "nested more than 64 levels deep at byte 320"},
	} {
		got, err := Decode([]byte(c.frame))
		if err == nil {
			t.Errorf("%s was accepted", c.frame)
			continue
		}
		if err.Code != c.code || err.Message != c.text || string(got.ID) != c.id {
			t.Errorf("%s:\n got %v, id %s\nwant %s: %s, id %s", c.frame, err, got.ID, c.code, c.text, c.id)
		}
	}
}

// A transport reads the next frame into the same memory while the reply to this
// one may still wait.
func TestDecodeCopies(t *testing.T) {
	t.Parallel()
	frame := []byte(`{"type":"message","id":"seven","payload":{"channel":"a","content":[1,2],"event":"e","key":"k","to":{"user":"ann"}}}`)
	c, err := Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	p, err := DecodePublish(c.Payload)
	if err != nil {
		t.Fatal(err)
	}
	clear(frame)
	if c.Type != "message" || string(c.ID) != `"seven"` || p.Channel != "a" || string(p.Content) != "[1,2]" || p.Event != "e" || p.Key != "k" || p.To.User != "ann" {
		t.Errorf("changed with the frame: %+v %+v", c, p)
	}
}

// The type of a known command takes no memory of its own, other types do.
func TestKnownTypesAreNoAllocation(t *testing.T) {
	allocations := func(frame string) float64 {
		text := []byte(frame)
		return testing.AllocsPerRun(100, func() {
			if _, err := Decode(text); err != nil {
				t.Fatal(err)
			}
		})
	}
	other := allocations(`{"type":"other"}`)
	for name := range commandTypes {
		if n := allocations(`{"type":"` + name + `"}`); n != other-1 {
			t.Errorf("%s: %v allocations, an unknown type has %v", name, n, other)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
		f.Add([]byte(`{"type":"ping","id":` + s + `,"payload":` + s + `}`))
		f.Add([]byte(`{"type":` + s + `}`))
	}
	f.Add([]byte(`{"type":"subscribe","Type":"x","id":7,"payload":{"channel":"chat:42"}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		c, err := Decode(frame)
		if len(c.ID) > 0 && (len(c.ID) > maxID+2 || !json.Valid(c.ID)) {
			t.Fatalf("id %q", c.ID)
		}
		if err != nil {
			checkPublic(t, err)
			checkEnvelope(t, AppendEnvelope(nil, ErrorReply{c.ID, err}), TypeError)
			return
		}
		if !json.Valid(frame) || !utf8.Valid(frame) || depth(frame) > MaxDepth {
			t.Fatalf("accepted %q", frame)
		}
		// Where no name comes twice, encoding/json must read the same.
		var fields map[string]json.RawMessage
		if e := json.Unmarshal(frame, &fields); e != nil {
			t.Fatal(e)
		}
		var name string
		if e := json.Unmarshal(fields["type"], &name); e != nil || name != c.Type {
			t.Fatalf("type %q, want %q (%v)", c.Type, name, e)
		}
		if string(fields["id"]) != string(c.ID) || string(fields["payload"]) != string(c.Payload) {
			t.Fatalf("%q: %q %q", frame, c.ID, c.Payload)
		}
	})
}

// checkEnvelope checks what holds for everything that is sent, and gives the
// payload.
func checkEnvelope(t *testing.T, text []byte, name string) map[string]json.RawMessage {
	t.Helper()
	var e struct {
		Type      string
		Timestamp *int64
		Payload   map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if e.Type != name || e.Timestamp == nil || e.Payload == nil {
		t.Fatalf("not an envelope of type %s: %s", name, text)
	}
	if bytes.ContainsAny(text, "\r\n") || !utf8.Valid(text) {
		t.Fatalf("not one line of UTF-8: %q", text)
	}
	return e.Payload
}
