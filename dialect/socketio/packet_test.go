package socketio

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestParsePacket(t *testing.T) {
	deep := strings.Repeat("[", 63) + strings.Repeat("]", 63)
	for _, test := range []struct {
		frame string
		want  packet
	}{
		{"0", packet{kind: '0', namespace: "/"}},
		{`0{"token":"x"}`, packet{kind: '0', namespace: "/", payload: []byte(`{"token":"x"}`)}},
		{`0/admin,{"token":"x"}`, packet{kind: '0', namespace: "/admin", payload: []byte(`{"token":"x"}`)}},
		{`0/admin,`, packet{kind: '0', namespace: "/admin"}},
		{`0/admin`, packet{kind: '0', namespace: "/admin"}},
		{"1", packet{kind: '1', namespace: "/"}},
		{"1/admin,", packet{kind: '1', namespace: "/admin"}},
		{`2["a"]`, packet{kind: '2', namespace: "/", payload: []byte(`["a"]`)}},
		{`2[7]`, packet{kind: '2', namespace: "/", payload: []byte(`[7]`)}},
		{`2/admin,12["a", 1.50, {"b":1e2, "a":"\u00e9\/"}]`, packet{kind: '2', namespace: "/admin", id: "12", payload: []byte(`["a",1.50,{"b":1e2,"a":"\u00e9\/"}]`)}},
		{`30[]`, packet{kind: '3', namespace: "/", id: "0", payload: []byte(`[]`)}},
		{`52-/admin,1["a",{"_placeholder":true,"num":0}]`, packet{kind: '5', attachments: 2, namespace: "/admin", id: "1", payload: []byte(`["a",{"_placeholder":true,"num":0}]`)}},
		{`510-["a"]`, packet{kind: '5', attachments: 10, namespace: "/", payload: []byte(`["a"]`)}},
		{`61-3[1]`, packet{kind: '6', attachments: 1, namespace: "/", id: "3", payload: []byte(`[1]`)}},
		{`2["a",` + deep + `]`, packet{kind: '2', namespace: "/", payload: []byte(`["a",` + deep + `]`)}},
	} {
		got, err := parsePacket([]byte(test.frame))
		if err != nil {
			t.Errorf("%s: %v", test.frame, err)
			continue
		}
		if got.kind != test.want.kind || got.attachments != test.want.attachments || got.namespace != test.want.namespace || got.id != test.want.id ||
			!bytes.Equal(got.payload, test.want.payload) {
			t.Errorf("%s: %+v", test.frame, got)
		}
	}
}

// A packet that breaks a rule of the protocol closes the connection.
func TestParsePacketRejects(t *testing.T) {
	for _, frame := range []string{
		"", "7", "x", "9[]", `4"no"`, `4{"message":"x"}`, // clients do not reject
		`0[]`, `0"x"`, `01{}`, `0{`, `0{"a":1,"a"}`, `1{}`, `1[]`, `11`,
		`2`, `2[]`, `2{}`, `2"a"`, `2[null]`, `2[["a"]]`, `2[{}]`, `2[true]`, `2["a"`, `2["a"]x`, `2["a",]`, `2["a",01]`, "2[\"\x01\"]", "2[\"\xff\"]",
		`2["connect"]`, `2["connect_error"]`, `2["disconnect"]`, `2["disconnecting"]`, `2["newListener"]`, `2["removeListener"]`, `2["\u0063onnect"]`,
		`212345678901234567["a"]`, // an id of 17 digits
		`3[]`, `31`, `31{}`, `3`, `6[]`, `61-[]`,
		`5["a"]`, `5-["a"]`, `511-["a"]`, `5100-["a"]`, `5-1-["a"]`, `51`, `51-`, `51["a"]`,
		`2/admin["a"]`, "2/a\x00b,[\"a\"]", "2/a\xff,[\"a\"]", "2/" + strings.Repeat("a", maxNamespace) + `,["a"]`,
		`2["a",` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `]`,
	} {
		if p, err := parsePacket([]byte(frame)); err == nil {
			t.Errorf("%q: %+v", frame, p)
		}
	}
}

func TestElements(t *testing.T) {
	for array, want := range map[string][]string{
		`[]`:                             nil,
		`["a"]`:                          {`"a"`},
		`[1,"a,b",[2,3],{"c":[4,"],"]}]`: {`1`, `"a,b"`, `[2,3]`, `{"c":[4,"],"]}`},
		`["\\",  "\"",","]`:              nil, // not compact: not used so
		`["\\","\",",null]`:              {`"\\"`, `"\","`, `null`},
	} {
		if want == nil && array != `[]` {
			continue
		}
		got := elements([]byte(array))
		if len(got) != len(want) {
			t.Errorf("%s: %q", array, got)
			continue
		}
		for i := range got {
			if string(got[i]) != want[i] {
				t.Errorf("%s: element %d is %s", array, i, got[i])
			}
		}
		if string(arrayOf(got)) != array {
			t.Errorf("%s becomes %s", array, arrayOf(got))
		}
	}
}

func TestAttachments(t *testing.T) {
	data := [][]byte{{1, 2, 255}, []byte("b")}
	for _, text := range []string{
		`["a",{"_placeholder":true,"num":0},{"x":[{"_placeholder":true,"num":1}]}]`,
		`["a",{"num":0,"_placeholder":true},{"x":[{"_placeholder":true,"num":1}]}]`,
	} {
		stored, tooLarge, ok := embed([]byte(text), data, 1000)
		if want := `["a",{"_base64":"AQL/"},{"x":[{"_base64":"Yg=="}]}]`; !ok || tooLarge || string(stored) != want {
			t.Fatalf("%s: %s, %v, %v", text, stored, tooLarge, ok)
		}
		back, attachments := extract(stored)
		if want := `["a",{"_placeholder":true,"num":0},{"x":[{"_placeholder":true,"num":1}]}]`; string(back) != want || len(attachments) != 2 ||
			!bytes.Equal(attachments[0], data[0]) || !bytes.Equal(attachments[1], data[1]) {
			t.Fatalf("%s comes back as %s with %v", text, back, attachments)
		}
	}
	for _, text := range []string{
		`["a",{"_placeholder":true,"num":2}]`,                               // there are two
		`["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, // twice the same: a little packet would become a large message
		`["a",{"_placeholder":true,"num":99999999999999999999}]`,            // no int
		`["a",{"_placeholder":true,"num":0},{"num":0,"_placeholder":true}]`, // in two forms
	} {
		if stored, _, ok := embed([]byte(text), data, 1000); ok {
			t.Errorf("%s becomes %s", text, stored)
		}
	}
	if _, tooLarge, _ := embed([]byte(`["a",{"_placeholder":true,"num":0}]`), [][]byte{make([]byte, 1000)}, 1000); !tooLarge {
		t.Error("a message that is too large is not noticed")
	}
	// What only looks like one stays as it is.
	for _, text := range []string{`["{\"_placeholder\":true,\"num\":0}"]`, `["a",{"_placeholder":true,"num":"0"}]`, `["a",{"_placeholder":true,"num":-1}]`} {
		if stored, _, ok := embed([]byte(text), data, 1000); !ok || string(stored) != text {
			t.Errorf("%s becomes %s, %v", text, stored, ok)
		}
	}
	for _, text := range []string{`["a",{"_base64":"not base64!"}]`, `["a",{"_base64":1}]`, `[{"_base64":"`} {
		if back, attachments := extract([]byte(text)); string(back) != text || attachments != nil {
			t.Errorf("%s becomes %s with %v", text, back, attachments)
		}
	}
	if back, attachments := extract([]byte(`{"_base64":"AQL\/"}`)); string(back) != `{"_placeholder":true,"num":0}` || !bytes.Equal(attachments[0], data[0]) {
		t.Errorf("the escape of PHP: %s, %v", back, attachments)
	}
	many := bytes.Repeat([]byte(`{"_base64":"Yg=="},`), 12)
	if _, attachments := extract(many); len(attachments) != maxAttachments {
		t.Errorf("%d attachments of one packet", len(attachments))
	}
}

// FuzzPacket checks that whatever is accepted means the same to a JSON parser, and that attachments come
// back as they were.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{`0`, `0/a,{"token":"x"}`, `2/a,12["a",1.50,{"b":[1,"],\""]}]`, `52-3["a",{"_placeholder":true,"num":0},{"num":1,"_placeholder":true}]`, `30[]`, `1/a,`, `61-3[{"_base64":"Yg=="}]`} {
		f.Add([]byte(seed), []byte("data"))
	}
	f.Fuzz(func(t *testing.T, frame, data []byte) {
		p, err := parsePacket(frame)
		if err != nil {
			return
		}
		if p.attachments > maxAttachments || p.namespace[0] != '/' || strings.Trim(p.id, "0123456789") != "" {
			t.Fatalf("%q: %+v", frame, p)
		}
		if p.payload == nil {
			return
		}
		if !json.Valid(p.payload) {
			t.Fatalf("%q is no JSON", p.payload)
		}
		if p.payload[0] != '[' {
			return
		}
		var all []json.RawMessage
		if err := json.Unmarshal(p.payload, &all); err != nil {
			t.Fatal(err)
		}
		mine := elements(p.payload)
		if len(mine) != len(all) {
			t.Fatalf("%q has %d elements, not %d", p.payload, len(all), len(mine))
		}
		for i := range all {
			if !bytes.Equal(mine[i], all[i]) {
				t.Fatalf("%q: element %d is %s, not %s", p.payload, i, all[i], mine[i])
			}
		}
		attachments := make([][]byte, p.attachments)
		for i := range attachments {
			attachments[i] = data
		}
		stored, tooLarge, ok := embed(p.payload, attachments, 1<<16)
		if !ok || tooLarge {
			return
		}
		if !json.Valid(stored) {
			t.Fatalf("%q becomes %q, which is no JSON", p.payload, stored)
		}
		if text, _ := extract(stored); !json.Valid(text) {
			t.Fatalf("%q comes back as %q, which is no JSON", stored, text)
		}
	})
}
