package socketio

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// written returns what the transport would send: one line for each frame.
func written(c hub.Encoder, ev hub.Event) string {
	all := c.(interface{ Split(hub.Event) []hub.Event }).Split(ev)
	if all == nil {
		all = []hub.Event{ev}
	}
	var lines []string
	for _, part := range all {
		text := string(c.AppendEvent(nil, part))
		if c.(interface{ IsBinary(hub.Event) bool }).IsBinary(part) {
			text = fmt.Sprintf("binary %x", text)
		}
		if text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func TestEncode(t *testing.T) {
	c := (&Dialect{server: &Server{Prefix: "p:", Namespaces: []Namespace{{Name: "/", Rooms: true}, {Name: "/admin"}}}}).Encoder()
	at := time.UnixMilli(1234)
	ann, conn := &presence.Member{Key: "ann", Info: `{"n":1}`, Status: "away"}, &presence.Member{Key: "abcdefghij234567"}
	for _, test := range []struct {
		ev   hub.Event
		want string
	}{
		// To all clients of a namespace: as the sender has written it.
		{&hub.Message{Channel: "p:io:/", Event: "chat message", Content: []byte(`"hi\u00e9"`), Time: at}, `42["chat message","hi\u00e9"]`},
		{&hub.Message{Channel: "p:io:/admin", Event: "e", Content: []byte(`{"b":1.0,"a":[]}`), Time: at}, `42/admin,["e",{"b":1.0,"a":[]}]`},
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`[1,2]`), Time: at}, `42["e",[1,2]]`},
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`[1,2]`), Tags: []byte(`{"x":1,"socketio":"args"}`)}, `42["e",1,2]`},
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`[]`), Tags: []byte(`{"socketio":"args"}`)}, `42["e"]`},
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`"no array"`), Tags: []byte(`{"socketio":"args"}`)}, `42["e","no array"]`},
		{&hub.Message{Channel: "p:io:/", Event: "e"}, `42["e",null]`},
		{&hub.Message{Channel: "p:io:/", Event: "disconnect", Content: []byte(`1`)}, ``},
		{&hub.Message{Channel: "p:io:/else", Event: "e", Content: []byte(`1`)}, ``},
		{&hub.Message{Channel: "else", Event: "e", Content: []byte(`1`)}, ``},
		// With attachments.
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`{"_base64":"AQI="}`), Tags: []byte(`{"socketio":"binary"}`)}, "451-[\"e\",{\"_placeholder\":true,\"num\":0}]\nbinary 0102"},
		{&hub.Message{Channel: "p:io:/admin", Event: "e", Content: []byte(`[{"_base64":"AQI="},1,[{"_base64":"Aw=="}]]`), Tags: []byte(`{"socketio":"args binary"}`)},
			"452-/admin,[\"e\",{\"_placeholder\":true,\"num\":0},1,[{\"_placeholder\":true,\"num\":1}]]\nbinary 0102\nbinary 03"},
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`{"_base64":"AQI="}`)}, `42["e",{"_base64":"AQI="}]`}, // nobody says that it is binary
		{&hub.Message{Channel: "p:io:/", Event: "e", Content: []byte(`1`), Tags: []byte(`{"socketio":"binary"}`)}, `42["e",1]`},
		{&hub.Message{Channel: "p:io:/", Event: "connect", Content: []byte(`{"_base64":"AQI="}`), Tags: []byte(`{"socketio":"binary"}`)}, ``},
		// In a room of the profile there is one more argument.
		{&hub.Message{Channel: "p:lobby", Content: []byte(`"hi"`), Time: at, Sender: "ann", Position: hub.Position{Epoch: "e1", Offset: 7, Anchor: 0xab}},
			`42["message","hi",{"room":"lobby","id":"e1.7.000000ab","from":{"id":"ann","user":"ann"},"ts":1234}]`},
		{&hub.Message{Channel: "p:lobby", Event: "e", Content: []byte(`1`), Time: at, Sender: "abcdefghij234567"}, `42["e",1,{"room":"lobby","from":{"id":"abcdefghij234567"},"ts":1234}]`},
		{&hub.Message{Channel: "p:lobby", Event: "e", Content: []byte(`1`), Time: at}, `42["e",1,{"room":"lobby","ts":1234}]`},
		{&hub.Message{Channel: "p:admin:lobby", Event: "e", Content: []byte(`1`), Time: at}, `42/admin,["e",1]`},
		{hub.Gap{Channel: "p:lobby"}, `42["gap",{"room":"lobby"}]`},
		{hub.Gap{Channel: "p:io:/"}, ``},
		{protocol.UnsubscribedReply{Channel: "p:lobby", Cause: protocol.Errorf(protocol.Forbidden, "no")}, `42["unsubscribed",{"room":"lobby","error":{"code":"forbidden","message":"no"}}]`},
		{protocol.UnsubscribedReply{Channel: "p:lobby"}, ``},
		{protocol.PresenceEvent{Frame: &presence.Diff{Channel: "p:lobby", Entered: []*presence.Member{conn}, Left: []*presence.Member{ann}}},
			`42["presence:leave",{"id":"ann","user":"ann","status":"away","info":{"n":1}},{"room":"lobby"}]` + "\n" + `42["presence:join",{"id":"abcdefghij234567"},{"room":"lobby"}]`},
		{protocol.PresenceEvent{Frame: &presence.Diff{Channel: "p:admin:lobby", Entered: []*presence.Member{conn}}}, ``},
		{protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: "p:lobby", Count: 9, Members: []*presence.Member{conn}}}, `42["presence:members",[{"id":"abcdefghij234567"}],{"room":"lobby","count":9}]`},
		{protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: "p:io:/"}}, ``},
		{protocol.Connected{Connection: "x"}, ``},
		{frame(""), ``},
	} {
		if got := written(c, test.ev); got != test.want {
			t.Errorf("%+v:\n%s\n%s", test.ev, got, test.want)
		}
	}
	for code, want := range map[uint16]string{1001: "", 1002: "", 1008: "", 1012: "", 4500: "", 4403: "41\x1e41/admin,", 4401: "41\x1e41/admin,"} {
		if got := string(c.AppendClose(nil, hub.Reason{Code: code})); got != want {
			t.Errorf("%d: %q", code, got)
		}
	}
}
