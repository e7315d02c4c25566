package policy

import "testing"

func TestScope(t *testing.T) {
	t.Parallel()
	news, err := NewScope(map[string][]string{"publish": {"news:*", "alerts"}, "history": {"news:*"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	manager, err := NewScope(nil, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scope   *Scope
		action  Action
		channel string
		want    bool
	}{
		{nil, Publish, "anything", true},
		{news, Publish, "news:today", true},
		{news, Publish, "alerts", true},
		{news, Publish, "alerts:1", false},
		{news, History, "news:today", true},
		{news, History, "alerts", false},
		{news, Subscribe, "news:today", true}, // which is to read the document
		{news, Subscribe, "alerts", false},
		{news, Change, "news:today", false},
		{news, Presence, "news:today", false},
		{manager, Publish, "news:today", false},
	} {
		if got := c.scope.Allow(c.action, c.channel) == nil; got != c.want {
			t.Errorf("%v in %s: allowed %v, want %v", c.action, c.channel, got, c.want)
		}
	}
	for scope, want := range map[*Scope]bool{nil: true, news: false, manager: true} {
		if got := scope.AllowManage() == nil; got != want {
			t.Errorf("manage: allowed %v, want %v", got, want)
		}
		if e := scope.AllowManage(); e != nil && e.Message != "this API key lacks the permission 'manage'" {
			t.Errorf("the message is %q", e.Message)
		}
	}
	for name, actions := range map[string]map[string][]string{
		"unknown action": {"write": {"news:*"}},
		"bad pattern":    {"publish": {"a::b"}},
		"placeholder":    {"publish": {"inbox:{user}"}},
	} {
		if _, err := NewScope(actions, false); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
