package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

func TestPatterns(t *testing.T) {
	ps, err := policy.ParsePatterns([]string{"chat:*", "a:*:c", "news"})
	if err != nil {
		t.Fatal(err)
	}
	for channel, want := range map[string]bool{"chat:1": true, "chat:1:2": true, "a:b:c": true, "news": true, "a:b": false, "news:1": false, "chat": false} {
		if ps.Match(channel) != want {
			t.Errorf("%s: %v", channel, !want)
		}
	}
	for _, test := range []struct {
		rooms []string
		want  []bool
	}{
		{nil, []bool{false, false, false}},
		{[]string{"chat:{user}", "news"}, []bool{true, false, true}},
		{[]string{"a:*"}, []bool{false, true, false}},
		{[]string{"a:x:d", "a:b", "news:*", "chat"}, []bool{false, false, false}},
		{[]string{"*"}, []bool{true, true, true}},
		{[]string{"*:*:c", "chat:a:*"}, []bool{true, true, false}},
	} {
		if got, err := ps.Meets(test.rooms); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v: %v (%v)", test.rooms, got, err)
		}
	}
	for pattern, want := range map[string]string{"": "empty", "a:{user}": "placeholder", "a*b": "whole segment"} {
		if _, err := policy.ParsePatterns([]string{pattern}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}
