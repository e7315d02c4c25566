package redis

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// The access list that the documentation recommends suffices for everything.
func TestDocumentedAccessList(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\nACL SETUSER realtime on >secret (.*?)```").FindSubmatch(doc)
	if found == nil {
		t.Fatal("the documentation has no access list")
	}
	r := startServer(t)
	args := []any{"acl", "setuser", "realtime", "on", ">secret"}
	for _, word := range strings.Fields(string(found[1])) {
		args = append(args, word)
	}
	r.do(args...)
	r.do("acl", "setuser", "default", "-@all", "+acl", "+ping", "+hello", "+auth", "+client")
	o := patient(r.Addr)
	o.Username, o.Password = "realtime", "secret"

	a, b := newServant(t, o, 1).ready(t), newServant(t, o, 1).ready(t)
	a.give(t, hub.Order{Body: []byte("x"), Name: "x"}, hub.Answers{Nodes: 1, Ended: 1})
	newServant(t, o, 1).ready(t).has(t, "x")
	b.has(t, "x")

	c := checker.New(checker.Options{})
	n := newNode(t, c, "node", o)
	n.enter("room")
	if err := n.send(t.Context(), "room", `"1"`); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Publish(t.Context(), &hub.Message{Channel: "plain", Content: []byte("1")}, hub.PublishOptions{Key: "k"}); err != nil {
		t.Error(err)
	}
	n.await(t, "the message arrives", func() bool { return n.last["room"].Offset == 1 })

	m := newMembers(t, o)
	if err := m.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	m.tell("room", "ann", true)
	m.lists("room", "ann")
	m.tell("room", "ann", false)
	if _, err := m.List(t.Context(), "room", presence.Query{Limit: 10, Offline: true}); err != nil {
		t.Error(err)
	}
	if log := r.do("acl", "log"); len(log.([]any)) > 0 {
		t.Errorf("Redis refused: %v", log)
	}
}
