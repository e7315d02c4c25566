package pusher

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestEncode(t *testing.T) {
	c := encoder{prefix: "p:", activity: 30, counts: true}
	ann := &presence.Member{Key: "ann", Info: `{"n":1}`}
	for _, test := range []struct {
		ev   hub.Event
		want string
	}{
		{&hub.Message{Channel: "p:news", Event: "e", Content: []byte(`{"a":"b"}`)}, `{"event":"e","channel":"news","data":"{\"a\":\"b\"}"}`},
		{&hub.Message{Channel: "p:news", Content: []byte(`"x"`)}, `{"event":"message","channel":"news","data":"\"x\""}`},
		{&hub.Message{Channel: "p:presence-a", Event: "client-x", Sender: "ann", Content: []byte(`1`)}, `{"event":"client-x","channel":"presence-a","data":"1","user_id":"ann"}`},
		{&hub.Message{Channel: "p:news", Event: "pusher_internal:member_removed", Content: []byte(`1`)}, ``},
		{protocol.Connected{Connection: "1.2"}, `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}`},
		{protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: "p:presence-a", Members: []*presence.Member{ann}, Count: 1}},
			`{"event":"pusher_internal:subscription_succeeded","channel":"presence-a","data":"{\"presence\":{\"ids\":[\"ann\"],\"hash\":{\"ann\":{\"n\":1}},\"count\":1}}"}`},
		{protocol.PresenceEvent{Frame: &presence.Snapshot{Channel: "p:chat"}}, ``},
		{protocol.Subscriptions{Channel: "p:news", Count: 3}, `{"event":"pusher_internal:subscription_count","channel":"news","data":"{\"subscription_count\":3}"}`},
		{protocol.Subscriptions{Channel: "p:presence-a", Count: 3}, ``},
		{protocol.Watched{Online: []string{"a"}, Offline: []string{"b", "c"}},
			`{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"a\"]},{\"name\":\"offline\",\"user_ids\":[\"b\",\"c\"]}]}"}`},
		{hub.Gap{Channel: "p:news"}, ``},
	} {
		if got := string(c.AppendEvent(nil, test.ev)); got != test.want {
			t.Errorf("%+v: %s", test.ev, got)
		}
	}
	parts := c.Split(protocol.PresenceEvent{Frame: &presence.Diff{Channel: "p:presence-a", Entered: []*presence.Member{ann, {Key: "bob"}}, Left: []*presence.Member{{Key: "eve"}},
		Updated: []*presence.Member{{Key: "flo"}, {Key: "guy"}}, Renewed: []*presence.Member{{Key: "guy"}}}})
	if len(parts) != 5 {
		t.Fatalf("%d messages of one diff: %v", len(parts), parts)
	}
	if got := string(c.AppendEvent(nil, parts[1])); got != `{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\"user_id\":\"ann\",\"user_info\":{\"n\":1}}"}` {
		t.Error(got)
	}
	for from, to := range map[uint16]uint16{1000: 1000, 1012: 4200, 4500: 4100, 4501: 4201, 4401: 4009, 4009: 4009, 1009: 1009, 1008: 4100} {
		if got := c.CloseReason(hub.Reason{Code: from}).Code; got != to {
			t.Errorf("%d becomes %d", from, got)
		}
	}
}
