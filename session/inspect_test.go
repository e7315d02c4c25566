package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// intercom lets one node ask others.
type intercom struct {
	cable
	t       *testing.T
	others  []*Registry
	missing atomic.Int64
	asked   atomic.Int64 // questions
	garbled bool         // no reply is understood
}

func (c *intercom) Node() string { return "a" }

func (c *intercom) Ask(_ context.Context, question []byte) (hub.Replies, error) {
	if c.away {
		return hub.Replies{}, hub.ErrUnavailable
	}
	c.asked.Add(1)
	all := hub.Replies{Missing: int(c.missing.Load())}
	for i, r := range c.others {
		body, err := r.Respond(question)
		if err != nil || len(body) > hub.MaxReply {
			c.t.Errorf("%s is answered with %d bytes, %v", question, len(body), err)
		}
		if c.garbled {
			body = []byte(`"newer"`)
		}
		all.Replies = append(all.Replies, hub.Reply{Node: fmt.Sprint(i), Body: body})
	}
	return all, nil
}

// threeNodes are nodes of which the first can ask the others.
func threeNodes(t *testing.T, test func(t *testing.T, nodes []*world, c *intercom)) {
	inBubble(t, Limits{}, nil, func(t *testing.T, a *world) {
		c := &intercom{t: t}
		nodes := []*world{a, newWorld(t, Limits{}, open("*")...), newWorld(t, Limits{}, open("*")...)}
		a.rules(open("*")...)
		c.others = []*Registry{nodes[1].registry, nodes[2].registry}
		c.to = nodes[1].registry
		a.registry.WithControl(func(e hub.Executor) Control {
			e.Informed()
			return c
		})
		test(t, nodes, c)
	})
}

// The pages of a list that several nodes have are complete and in order, however long they are.
func TestInspectedPages(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, _ *intercom) {
		wantChannels, wantConns := make(map[string]int), make(map[string]bool)
		for i := range 30 {
			w := nodes[i*i%3]
			c := w.connect(fmt.Sprint("user", i%7))
			time.Sleep(time.Duration(i%3) * time.Millisecond) // some are of the same age
			for _, channel := range []string{fmt.Sprint("c", i%11), fmt.Sprint("d", i)} {
				if e := c.subscribe(protocol.Subscribe{Channel: channel}); e != nil {
					t.Fatal(e)
				}
				wantChannels[channel]++
			}
			wantConns[c.Conn().ID()] = true
		}
		synctest.Wait() // until all is written: a queue that changes between two pages moves its connection
		in := &nodes[0].registry.Inspection
		for limit := 1; limit < 42; limit += 3 {
			got, last := make(map[string]int), ""
			for after, more := "", true; more; after = last {
				p := in.Channels(t.Context(), ChannelQuery{After: after, Limit: limit})
				for _, c := range p.Channels {
					if c.Channel <= last {
						t.Errorf("%q comes after %q", c.Channel, last)
					}
					got[c.Channel], last = c.Connections, c.Channel
				}
				more = p.More
				if p.Nodes != 3 || p.Partial {
					t.Errorf("%+v", p.Coverage)
				}
			}
			if !reflect.DeepEqual(got, wantChannels) {
				t.Errorf("limit %d: %v, want %v", limit, got, wantChannels)
			}
			for _, sort := range []string{sortByAge, sortByQueue} {
				seen := make(map[string]bool)
				for q := (ConnectionQuery{Sort: sort, Limit: limit}); ; {
					p, e := in.Connections(t.Context(), q)
					if e != nil {
						t.Fatal(e)
					}
					for _, c := range p.Connections {
						if seen[c.Connection] {
							t.Errorf("%s is on two pages", c.Connection)
						}
						seen[c.Connection] = true
					}
					if q.After = p.Next; p.Next == "" {
						break
					}
				}
				if !reflect.DeepEqual(seen, wantConns) {
					t.Errorf("by %s, limit %d: %d connections, want %d", sort, limit, len(seen), len(wantConns))
				}
			}
		}
	})
}

// A node that has more than it may send says so, and nothing is lost.
func TestInspectedPageThatIsTooLarge(t *testing.T) {
	p := page[ChannelInfo]{}
	for i := range 5000 {
		p.Items = append(p.Items, ChannelInfo{Channel: fmt.Sprintf("%0200d", i)})
	}
	cut := p.fit(func(c ChannelInfo) int { return 2*len(c.Channel) + 64 })
	body, err := json.Marshal(cut)
	if err != nil || len(body) > hub.MaxReply || !cut.More || len(cut.Items) < 100 {
		t.Errorf("%d of %d items in %d bytes, %v", len(cut.Items), len(p.Items), len(body), err)
	}
	short := page[ChannelInfo]{Items: []ChannelInfo{{Channel: fmt.Sprintf("%0200d", 4999)}}}
	list, more := mergeChannels([]page[ChannelInfo]{cut, short}, "")
	if !more || len(list) != len(cut.Items) {
		t.Errorf("merged to %d, more %v", len(list), more)
	}
}

func TestInspectedConnections(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		old, e := nodes[1].dial(&Principal{Subject: policy.Subject{User: "ann"}, IP: netip.MustParseAddr("::ffff:198.51.100.7"), Realm: "/rt"})
		if e != nil {
			t.Fatal(e)
		}
		time.Sleep(time.Minute)
		young, anonymous := nodes[2].connect("ann"), nodes[0].connect("")
		if e := old.subscribe(protocol.Subscribe{Channel: "a"}); e != nil {
			t.Fatal(e)
		}
		synctest.Wait()
		in := &nodes[0].registry.Inspection
		user, none := "ann", ""
		for name, tt := range map[string]struct {
			q    ConnectionQuery
			want []*client
		}{
			"user":      {ConnectionQuery{User: &user}, []*client{old, young}},
			"anonymous": {ConnectionQuery{User: &none}, []*client{anonymous}},
			"network":   {ConnectionQuery{Address: "198.51.100.0/24"}, []*client{old}},
			"address":   {ConnectionQuery{Address: "198.51.100.7"}, []*client{old}},
			"another":   {ConnectionQuery{Address: "198.51.100.8"}, nil},
			"channel":   {ConnectionQuery{Channel: "a"}, []*client{old}},
			"node":      {ConnectionQuery{Node: "a"}, []*client{anonymous}},
			"transport": {ConnectionQuery{Transport: "sse"}, nil},
		} {
			tt.q.Sort, tt.q.Limit = sortByAge, 10
			p, e := in.Connections(t.Context(), tt.q)
			var got, want []string
			for _, c := range p.Connections {
				got = append(got, c.Connection)
			}
			for _, c := range tt.want {
				want = append(want, c.Conn().ID())
			}
			if e != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v, want %v", name, got, e, want)
			}
		}
		info, found, cov := in.Connection(t.Context(), old.Conn().ID())
		want := ConnectionInfo{
			Connection: old.Conn().ID(), Node: nodes[1].registry.Inspection.Node().Name, User: "ann", Address: "198.51.100.7", Transport: "websocket", Dialect: "native",
			Realm: "/rt", Since: old.since().UnixMilli(), Channels: []string{"a"}, Subscriptions: 1,
		}
		if !found || cov.Nodes != 3 || !reflect.DeepEqual(info, want) {
			t.Errorf("%+v %+v, want %+v", info, cov, want)
		}
		for _, q := range []ConnectionQuery{{Sort: "size"}, {Sort: sortByAge, Address: "x"}, {Sort: sortByAge, After: "x"}} {
			if _, e := in.Connections(t.Context(), q); codeOf(e) != protocol.InvalidMessage {
				t.Errorf("%+v: %v", q, e)
			}
		}
		c.missing.Store(2)
		if s := in.Stats(t.Context()); s.Gauges["connections"] != 3 || len(s.ByNode) != 3 || s.Missing != 2 || !s.Partial {
			t.Errorf("%+v", s)
		}
		c.away = true
		if s := in.Stats(t.Context()); s.Gauges["connections"] != 1 || s.Nodes != 1 || !s.Partial {
			t.Errorf("%+v", s)
		}
	})
}

func TestQuestionNotUnderstood(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		for _, body := range []string{`{}`, `{`, `{"newer":true}`, `null`} {
			if reply, err := w.registry.Respond([]byte(body)); err == nil {
				t.Errorf("%s is answered with %s", body, reply)
			}
		}
	})
}

// The figures that the console plots and an operator looks for are counted.
func TestStatsCountMessages(t *testing.T) {
	inBubble(t, Limits{}, open("chat"), func(t *testing.T, w *world) {
		ann := w.connect("ann")
		ann.say(`{"type":"subscribe","id":1,"payload":{"channel":"chat"}}`)
		ann.say(`{"type":"message","id":2,"payload":{"channel":"chat","content":"hello"}}`)
		ann.say(`{"type":"message","id":3,"payload":{"channel":"nowhere","content":"hello"}}`)
		synctest.Wait()
		s := w.registry.Inspection.Stats(t.Context())
		for name, want := range map[string]float64{
			"messages_published": 1, "messages_published_websocket": 1, "messages_published_api": 0,
			"published_bytes": 7, "deliveries": 1, "received_messages": 3, "rejections": 1,
			"gaps_slow": 0, "recoveries_hit": 0, "slow_closes": 0, "rate_limited_connection": 0,
		} {
			if got, there := s.Counters[name]; got != want || !there {
				t.Errorf("%s: %v (%v), want %v", name, got, there, want)
			}
		}
		if bytes, there := s.Gauges["queue_bytes"]; bytes != 0 || !there || s.Counters["sent_bytes"] == 0 {
			t.Errorf("%+v, %+v", s.Gauges, s.Counters)
		}
	})
}

// Figures of several kinds of connections, and of two policies that drop messages, are added up.
func TestFiguresAreAddedUp(t *testing.T) {
	t.Parallel()
	s := NodeStats{Gauges: make(map[string]float64), Counters: make(map[string]float64)}
	s.addHub(hub.Stats{Slow: map[hub.Slow]uint64{hub.SlowDropOldest: 1, hub.SlowLatest: 2, hub.SlowDisconnect: 4}})
	s.addConns(hub.ConnStats{Kinds: map[hub.Kind]hub.KindStats{
		{Transport: "websocket"}: {QueuedMessages: 1, QueuedBytes: 10, Sent: hub.Sent{Messages: 100, Bytes: 1000}},
		{Transport: "sse"}:       {QueuedMessages: 2, QueuedBytes: 20, Sent: hub.Sent{Messages: 200, Bytes: 2000}},
	}})
	for name, want := range map[string]float64{"slow_drops": 3, "slow_closes": 4, "deliveries": 300, "sent_bytes": 3000} {
		if got := s.Counters[name]; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if s.Gauges["queue_messages"] != 3 || s.Gauges["queue_bytes"] != 30 {
		t.Errorf("%v", s.Gauges)
	}
}

// A connection is found on any node, and each id that no node has is not.
func TestInspectedConnectionByID(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, c *intercom) {
		in := &nodes[0].registry.Inspection
		here, there := nodes[0].connect("ann").Conn().ID(), nodes[2].connect("bob").Conn().ID()
		for _, step := range []struct {
			id, user string
			nodes    int
		}{{here, "ann", 1}, {there, "bob", 3}, {"aaaaaaaaaaaaaaaa", "", 3}, {strings.Repeat("a", maxConnectionID+1), "", 1}} {
			info, found, cov := in.Connection(t.Context(), step.id)
			if found != (step.user != "") || info.User != step.user || cov.Nodes != step.nodes {
				t.Errorf("%s: %+v, %v, %+v", step.id, info, found, cov)
			}
		}
		c.garbled = true
		if _, found, cov := in.Connection(t.Context(), there); found || cov.Missing != 2 || !cov.Partial {
			t.Errorf("replies that are not understood: %v, %+v", found, cov)
		}
	})
}
