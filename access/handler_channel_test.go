package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/askapp"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func TestChannelMember(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body       string
		presence   bool
		id, info   string
		unusable   bool
		rejected   bool
		long, none bool
	}{
		{body: `true`, none: true},
		{body: `{"auth":"key:00"}`, none: true},
		{body: `false`, rejected: true},
		{body: `null`, presence: true, rejected: true},
		{body: `<html>`, unusable: true},
		{body: ``, unusable: true},
		{body: `true`, long: true, unusable: true},
		{body: `true`, presence: true, unusable: true},
		{body: `{"channel_data":{"user_id":9007199254740993,"user_info":{"name":"Ann"}}}`, presence: true, id: "9007199254740993", info: `{"name":"Ann"}`},
		{body: `{"channel_data":"{\"user_id\":\"a\",\"user_info\":{\"b\": 1}}"}`, presence: true, id: "a", info: `{"b":1}`},
		{body: `{"channel_data":{"user_id":"a","user_info":[]}}`, presence: true, id: "a"},
		{body: `{"channel_data":{"user_id":"a"}}`, presence: true, id: "a"},
		{body: `{"channel_data":{"user_id":"a","user_info":"b"}}`, presence: true, unusable: true},
		{body: `{"channel_data":{"user_id":"a","user_info":{"b":"` + strings.Repeat("x", 4096) + `"}}}`, presence: true, unusable: true},
		{body: `{"channel_data":{"user_id":""}}`, presence: true, unusable: true},
		{body: `{"channel_data":{"user_id":true}}`, presence: true, unusable: true},
		{body: `{"channel_data":"x"}`, presence: true, unusable: true},
		{body: `{"channel_data":[]}`, presence: true, unusable: true},
	} {
		m, err := channelMember(&askapp.Answer{Status: 200, Body: []byte(test.body), Long: test.long}, session.ChannelQuestion{Channel: "c", Presence: test.presence})
		switch {
		case test.unusable:
			if !errors.Is(err, session.ErrAnswer) {
				t.Errorf("%s: %+v, %v", test.body, m, err)
			}
		case test.rejected:
			if err == nil || errors.Is(err, session.ErrAnswer) {
				t.Errorf("%s: %+v, %v", test.body, m, err)
			}
		case test.none:
			if m != nil || err != nil {
				t.Errorf("%s: %+v, %v", test.body, m, err)
			}
		case err != nil || m.ID != test.id || string(m.Info) != test.info:
			t.Errorf("%s: %+v, %v", test.body, m, err)
		}
	}
}
