package redis

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// documentedAccessList returns the words of an access list in the documentation that come after
// beginning.
func documentedAccessList(t *testing.T, file, beginning string) []string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\n" + regexp.QuoteMeta(beginning) + " (.*?)```").FindSubmatch(doc)
	if found == nil {
		t.Fatalf("%s has no access list that begins with %q", file, beginning)
	}
	return strings.Fields(string(found[1]))
}

// The documented access lists suffice for everything that a client does.
func TestDocumentedAccessLists(t *testing.T) {
	t.Parallel()
	list := append([]string{"acl", "setuser", "realtime", "on", ">secret"}, documentedAccessList(t, "configuration.md", "ACL SETUSER realtime on >secret")...)
	more := append([]string{"acl", "setuser", "realtime"}, documentedAccessList(t, "clustering.md", "ACL SETUSER realtime")...)
	emitter := append([]string{"acl", "setuser", "realtime", "&socket.io#*"}, documentedAccessList(t, "configuration.md", "ACL SETUSER realtime &socket.io#*")...)
	single, cluster := startServer(t).Server, redistest.StartCluster(t, 3, false)
	for name, at := range map[string]struct {
		servers []*redistest.Server
		o       Options
	}{
		"Single":  {[]*redistest.Server{single}, Options{Address: single.Addr}},
		"Cluster": {cluster.Servers, Options{Cluster: cluster.Addrs()}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range at.servers {
				s.Do(list...)
				if len(at.servers) > 1 {
					s.Do(more...)
				} else {
					s.Do(emitter...)
				}
				s.Do("acl", "setuser", "default", "-@all", "+acl", "+ping", "+hello", "+auth", "+client", "+cluster", "+migrate", "+select", "+restore-asking", "+restore")
			}
			o := patientOptions("")
			o.Address, o.Cluster, o.Username, o.Password = at.o.Address, at.o.Cluster, "realtime", "secret"
			useEverything(t, o)
			if len(at.servers) > 1 {
				useWhileSlotMoves(t, cluster, o)
			} else {
				useIntake(t, at.servers[0], o)
			}
			for _, s := range at.servers {
				if log := s.Do("acl", "log"); len(log.([]any)) > 0 {
					t.Errorf("Redis refused: %v", log)
				}
			}
		})
	}
}

// useWhileSlotMoves uses a room while its slot moves to another server.
func useWhileSlotMoves(t *testing.T, cluster *redistest.Cluster, o Options) {
	t.Helper()
	n := newNode(t, checker.New(checker.Options{}), "node", o)
	room := "room:0"
	for r := 1; jumpHash(room, DefaultPartitions) != 0; r++ {
		room = fmt.Sprint("room:", r)
	}
	n.enter(room)
	n.publishAndRead(room, `"before"`)
	slot := int(crc16(partitionTags(DefaultPartitions)[0]) % clusterSlots)
	from := cluster.Of(slot)
	cluster.Move(slot, from, (from+1)%3, func() { n.publishAndRead(room, `"meanwhile"`) })
	n.publishAndRead(room, `"after"`)
}

// useIntake takes what an emitter of Socket.IO publishes.
func useIntake(t *testing.T, s *redistest.Server, o Options) {
	t.Helper()
	s.Do("acl", "setuser", "emitter", "on", "nopass", "&socket.io#*", "+publish")
	got := make(chan struct{}, 100)
	in, err := open(t, o).Intake(IntakeOptions{
		Channels: []string{"socketio", "socket.io-request#/#"}, Patterns: []string{"socket.io#*"},
		Take: func(string, string) (here, all func(context.Context)) {
			return nil, func(context.Context) { got <- struct{}{} }
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Username: "emitter", Password: "any", Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: noMaintNotifications()})
	defer c.Close()
	eventually(t, "what an emitter publishes arrives", func() bool {
		if err := c.Publish(t.Context(), "socket.io#/#room#", "x").Err(); err != nil {
			t.Fatal(err)
		}
		return len(got) > 0
	})
}

// useOutbox records events of all kinds, also those of a node that died.
func useOutbox(t *testing.T, o Options) {
	t.Helper()
	a, b := newRecorder(t, o), newRecorder(t, o)
	a.recordsMessages(b)
	a.recordsMembers(b)
	a.recordsChanges(b)
	b.outbox.Connect("n1", "ann")
	a.events("connected ann n1")
	b.kill()
	dead, q := b.outbox.queueOf("n1").holds.node, a.outbox.queueOf("n1")
	q.c.do(t, "zadd", q.c.names.outboxNodes(), 1, dead)
	q.have("cn2", true, "bob") // a looks for dead nodes
	a.events("connected bob n2", "disconnected ann n1")
	if err := q.Release(t.Context(), "test", 1); err != notify.ErrFenced {
		t.Error(err)
	}
}

// useEverything calls everything that a client can do.
func useEverything(t *testing.T, o Options) {
	t.Helper()
	room := "room:" + history.NewEpoch()
	a, b := newServant(t, o, 1).awaitReady(t), newServant(t, o, 1).awaitReady(t)
	a.give(t, hub.Order{Body: []byte("x"), Name: "x"}, hub.Answers{Nodes: 1, Ended: 1})
	if _, err := a.Ask(t.Context(), []byte("y")); err != nil {
		t.Error(err)
	}
	newServant(t, o, 1).awaitReady(t).awaitExecuted(t, "x")
	b.awaitExecuted(t, "x")
	a.Count(map[string]int{"ann": 1})
	b.awaitCount(t, "ann", 1)

	c := checker.New(checker.Options{})
	n := newNode(t, c, "node", o)
	n.enter(room)
	if err := n.send(t.Context(), room, `"1"`); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Publish(t.Context(), &hub.Message{Channel: "plain", Content: []byte("1")}, hub.PublishOptions{Key: "k"}); err != nil {
		t.Error(err)
	}
	n.await(t, "the message arrives", func() bool { return n.last[room].Offset == 1 })

	m := newMembers(t, o)
	if err := m.Attach(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	m.setMember(room, "ann", true)
	m.awaitMembers(room, "ann")
	m.setMember(room, "ann", false)
	m.enterAndLeave(room, presence.Member{Key: "bob", Remember: time.Minute})
	if there, err := m.Has(t.Context(), room, "bob", presence.Either); err != nil || there {
		t.Errorf("bob is there: %t, %v", there, err)
	}
	if rooms, err := m.Store.(presence.Forgetter).Forget(t.Context(), "bob"); err != nil || rooms != 1 {
		t.Errorf("bob is forgotten in %d rooms, %v", rooms, err)
	}
	if _, err := m.List(t.Context(), room, presence.Query{Limit: 10, Offline: true}); err != nil {
		t.Error(err)
	}

	l := newLibrary(t, o)
	l.follow(room)
	l.replace(room, `{"a":0}`)
	if out, err := l.propose(room, document.Change{Latest: true}, "a", 1); err != nil || out.Version != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := l.propose(room, document.Change{Key: "k", Epoch: "gone"}, "a", 2); err != nil || out.Err == nil {
		t.Errorf("%+v, %v", out, err)
	}
	l.await(room, "the changes arrive", func(d *followedCopy) bool { return d.version == 2 })
	if snap := newLibrary(t, o).read(room); string(snap.State) != `{"a":1}` {
		t.Errorf("read %+v", snap)
	}
	for _, ttl := range []time.Duration{time.Hour, 0} {
		c := document.Change{Latest: true, Patch: document.Replacement(document.Empty), Budget: document.Budget{Payer: "ann", Share: 1 << 20, Memory: 1 << 20}}
		if out, err := l.Change(t.Context(), room, c, document.Options{TTL: ttl}); err != nil || out.Err != nil {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if page, _, err := l.List(t.Context(), "", "", 10); err != nil || len(page) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if done, err := l.Forget(t.Context(), room, document.Known{}); err != nil || !done {
		t.Errorf("%t, %v", done, err)
	}
	useOutbox(t, o)
}
