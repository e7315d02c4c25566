package protocol

import (
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestDecodePattern(t *testing.T) {
	for payload, want := range map[string]Code{
		`{"pattern":"a:*"}`:                                    "",
		`{"pattern":"a:*","filter":"true"}`:                    "",
		`{"pattern":"a"}`:                                      InvalidChannel,
		`{"pattern":""}`:                                       InvalidChannel,
		`{"pattern":7}`:                                        InvalidMessage,
		`{"pattern":"a:*","channel":"a"}`:                      InvalidMessage,
		`{"channel":"a:*"}`:                                    InvalidChannel,
		`{"pattern":"a:*","history":5}`:                        InvalidMessage,
		`{"pattern":"` + strings.Repeat("*", 255) + `"}`:       "",
		`{"pattern":"` + strings.Repeat("*", 256) + `"}`:       InvalidChannel,
		`{"pattern":"a:*","recover":{"epoch":"e","offset":1}}`: InvalidMessage,
	} {
		s, e := DecodeSubscribe([]byte(payload))
		if e == nil && want != "" || e != nil && e.Code != want {
			t.Errorf("%s: %v", payload, e)
		}
		if e == nil && (!strings.Contains(payload, strconv.Quote(s.Channel)) || !IsPattern(s.Channel)) {
			t.Errorf("%s: %+v", payload, s)
		}
	}
	if u, e := DecodeUnsubscribe([]byte(`{"pattern":"a:*"}`)); e != nil || u.Channel != "a:*" {
		t.Error(u, e)
	}
}

func TestEventsOfPatterns(t *testing.T) {
	for _, ev := range []hub.Event{hub.Gap{Channel: "a:*"}, SubscribedReply{Channel: "a:*"}, UnsubscribedReply{Channel: "a:*"}} {
		if got := string(AppendEnvelope(nil, ev)); !strings.Contains(got, `"payload":{"pattern":"a:*"}`) {
			t.Errorf("%T: %s", ev, got)
		}
	}
}
