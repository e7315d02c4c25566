package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// forgetLikeRestart makes Redis forget what it forgets in a restart: its scripts and the subscriptions.
func forgetLikeRestart(s *server) {
	s.do("script", "flush")
	s.do("client", "kill", "type", "pubsub")
}

// publishOne publishes a message into a room with history and returns its position.
func (n *node) publishOne() hub.Position {
	n.t.Helper()
	done, err := n.Publish(n.t.Context(), &hub.Message{Channel: "room", Content: []byte("1")}, hub.PublishOptions{Retention: kept})
	if err != nil {
		n.t.Fatal(err)
	}
	return done.Position
}

// A room without messages keeps its epoch when Redis restarts and has lost nothing. This holds
// also if a node that does not know the room publishes the next message, and if Redis restarts
// again.
func TestEmptyRoomKeepsItsEpoch(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	in, out := newNode(t, c, "in", patientOptions(s.Addr)), newNode(t, c, "out", patientOptions(s.Addr))
	in.enter("room")
	before := in.brokerFor("room").findRoom("room").position()
	for range 2 {
		forgetLikeRestart(s)
	}
	after := out.publishOne()
	if after.Epoch != before.Epoch || after.Offset != 1 {
		t.Errorf("%+v comes after %+v", after, before)
	}
	eventually(t, "the message arrives", func() bool { return in.brokerFor("room").findRoom("room").position().Offset == 1 })
	if n := in.stats().Lost; n != 0 {
		t.Errorf("%d times a message was lost, and Redis has lost nothing", n)
	}
}

// Nodes that find a new Redis at the same time make one secret, and no room must wait.
func TestFirstSecret(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	b := n.brokerFor("room")
	key := b.c.names.secret()
	replace := func(fresh, seen string) {
		t.Helper()
		ask := &call{script: replaceSecretScript.forSecret(key), keys: []string{key}, args: []any{fresh, seen, settleTime.Milliseconds()}}
		if _, err := b.run(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
	}
	replace("one", "")
	replace("two", "")
	if secret := s.do("get", key); secret != "one" {
		t.Errorf("the secret is %q", secret)
	}
	began := time.Now()
	n.enter("room")
	if took := time.Since(began); took >= settleTime {
		t.Errorf("entering a room took %v", took)
	}
	replace("three", "one")
	replace("four", "one")
	if secret := fmt.Sprint(s.do("get", key)); !strings.HasPrefix(secret, "three ") || !strings.HasSuffix(secret, " one") {
		t.Errorf("the secret is %q", secret)
	}
}

// A Redis that restarts from a copy without a room's messages gives no position twice. The test
// deletes the room and flushes the scripts, which looks the same.
func TestRoomThatIsLostGetsAnotherEpoch(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	before := n.publishOne()
	names := n.brokerFor("room").c.names
	s.do("del", names.meta("room"), names.stream("room"))
	s.do("script", "flush")
	if after := n.publishOne(); after.Epoch == before.Epoch || after.Offset != 1 {
		t.Errorf("%+v comes after %+v", after, before)
	}
	// A script that Redis does not know yet is no sign of a restart.
	empty := n.history(t).Top
	secret := s.do("get", names.secret())
	if _, err := n.History(t.Context(), "another", kept, hub.HistoryQuery{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if now := s.do("get", names.secret()); now != secret {
		t.Errorf("the secret was %v and is %v, at %+v", secret, now, empty)
	}
}

// Two prefixes on one Redis are like two partitions of a cluster on one server: each has a
// secret. When Redis restarts, each gets another one. The scripts of the first prefix do not
// make the server know those of the second one.
func TestEachSecretOfOneServerIsReplaced(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	var nodes []*node
	var before []hub.Position
	for _, prefix := range []string{"a:", "b:"} {
		o := patientOptions(s.Addr)
		o.Prefix = prefix
		n := newNode(t, checker.New(checker.Options{}), prefix, o)
		nodes, before = append(nodes, n), append(before, n.publishOne())
	}
	for _, n := range nodes {
		names := n.brokerFor("room").c.names
		s.do("del", names.meta("room"), names.stream("room"))
	}
	s.do("script", "flush")
	for i, n := range nodes {
		if after := n.publishOne(); after.Epoch == before[i].Epoch || after.Offset != 1 {
			t.Errorf("%s %+v comes after %+v", n.name, after, before[i])
		}
	}
}
