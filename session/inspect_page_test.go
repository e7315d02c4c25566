package session

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A list of exactly as many items as the page may have is complete, whether one node has them or several.
func TestInspectedPageThatIsJustFull(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, _ *intercom) {
		in := &nodes[0].registry.Inspection
		check := func(total int) {
			t.Helper()
			for _, limit := range []int{total, total + 1} {
				p, e := in.Connections(t.Context(), ConnectionQuery{Sort: sortByAge, Limit: limit})
				if e != nil || len(p.Connections) != total || p.Next != "" || p.Any != (total > 0) {
					t.Errorf("%d connections in a page of %d: %d, next %q, any %v, %v", total, limit, len(p.Connections), p.Next, p.Any, e)
				}
				c := in.Channels(t.Context(), ChannelQuery{Limit: limit})
				if len(c.Channels) != total || c.More {
					t.Errorf("%d channels in a page of %d: %d, more %v", total, limit, len(c.Channels), c.More)
				}
			}
		}
		check(0)
		for i, w := range []*world{nodes[0], nodes[0], nodes[1], nodes[2]} {
			if e := w.connect("").subscribe(protocol.Subscribe{Channel: fmt.Sprint("c", i)}); e != nil {
				t.Fatal(e)
			}
			check(i + 1)
		}
		p, e := in.Connections(t.Context(), ConnectionQuery{Sort: sortByAge})
		if e != nil || len(p.Connections) != 0 || !p.Any || p.Next != "" {
			t.Errorf("an empty page: %+v, %v", p, e)
		}
	})
}

// dam is a transport that takes nothing until it is closed.
type dam struct{ *wire }

func (d dam) Write([]byte) error { <-d.closed; return hub.ErrClosed }

// Connections are listed with what waits for them, the fullest queue first, over all nodes and pages.
func TestInspectedQueues(t *testing.T) {
	threeNodes(t, func(t *testing.T, nodes []*world, _ *intercom) {
		var ids []string
		for i, n := range []int{1, 3, 2, 4} {
			d := dam{newWire()}
			c, e := nodes[i%3].dial(named("ann"), func(o *Options) { o.Transport = d })
			if e != nil {
				t.Fatal(e)
			}
			synctest.Wait() // the transport has the greeting
			for range n {
				c.Conn().Send(hub.Gap{Channel: "c"})
			}
			ids = append(ids, c.Conn().ID())
			time.Sleep(time.Millisecond)
		}
		in := &nodes[0].registry.Inspection
		want := []string{ids[3], ids[1], ids[2], ids[0]}
		for limit := 1; limit < 6; limit++ {
			var got []string
			last := math.MaxInt
			for q := (ConnectionQuery{Sort: sortByQueue, Limit: limit}); ; {
				p, e := in.Connections(t.Context(), q)
				if e != nil {
					t.Fatal(e)
				}
				for _, c := range p.Connections {
					if c.Queue.Bytes <= 0 || c.Queue.Bytes >= last {
						t.Errorf("%d bytes after %d", c.Queue.Bytes, last)
					}
					last = c.Queue.Bytes
					got = append(got, c.Connection)
				}
				if q.After = p.Next; p.Next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: %v, want %v", limit, got, want)
			}
		}
		p, e := in.Connections(t.Context(), ConnectionQuery{Sort: sortByAge, Limit: 9})
		if e != nil || len(p.Connections) != 4 || p.Connections[0].Queue.Bytes <= 0 || p.Connections[1].Queue.Messages != p.Connections[0].Queue.Messages+2 {
			t.Errorf("by age: %+v, %v", p, e)
		}
	})
}

// What a node estimates of an item is no less than what it sends, whatever has to be escaped.
func TestInspectedSizes(t *testing.T) {
	t.Parallel()
	long, most := strings.Repeat(`"`, 200), math.MaxInt
	connection := ConnectionInfo{
		Connection: "aaaaaaaaaaaaaaaa", Node: "aaaaaaaa", User: long, Address: strings.Repeat("f", 39), Transport: "websocket", Dialect: "socketio",
		Realm: long, Since: math.MaxInt64, Expires: math.MaxInt64, Subscriptions: most, Queue: QueueInfo{most, most},
	}
	for range maxShownChannels {
		connection.Channels = append(connection.Channels, long)
	}
	alone := connection
	alone.Channels = []string{"a"}
	for name, item := range map[string]interface{ size() int }{
		"channel": ChannelInfo{"a", most, &most}, "long channel": ChannelInfo{long, most, &most}, "connection": alone, "connection with channels": connection,
		"user": ConnectionInfo{User: long}, "realm": ConnectionInfo{Realm: long},
	} {
		body, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		if n := item.size(); n <= len(body) || n > 2*len(body)+400 {
			t.Errorf("%s: estimated at %d bytes, it has %d", name, n, len(body))
		}
	}
}

// A page is cut before it is too large. It always has an item, so that whoever asks comes on.
func TestInspectedPageIsCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sizes []int
		left  int
	}{
		"nothing":          {nil, 0},
		"just full":        {[]int{maxAnswer - 1, 1}, 2},
		"a byte too large": {[]int{maxAnswer, 1}, 1},
		"one that is huge": {[]int{2 * maxAnswer, 1}, 1},
		"a huge last one":  {[]int{1, 2 * maxAnswer}, 1},
	} {
		p := page[int]{Items: c.sizes}.fit(func(n int) int { return n })
		if len(p.Items) != c.left || p.More != (c.left < len(c.sizes)) {
			t.Errorf("%s: %d items are left, more %v", name, len(p.Items), p.More)
		}
	}
}

// The merged list ends where the first of the nodes has not told everything.
func TestMergedChannels(t *testing.T) {
	t.Parallel()
	of := func(more bool, names ...string) page[ChannelInfo] {
		p := page[ChannelInfo]{More: more}
		for _, name := range names {
			p.Items = append(p.Items, ChannelInfo{Channel: name, Connections: 1})
		}
		return p
	}
	for name, c := range map[string]struct {
		pages []page[ChannelInfo]
		want  string
		more  bool
	}{
		"complete":                {[]page[ChannelInfo]{of(false, "b", "d"), of(false, "c")}, "b c d", false},
		"the first ends early":    {[]page[ChannelInfo]{of(true, "b", "c"), of(true, "b", "d", "z")}, "b c", true},
		"the second ends early":   {[]page[ChannelInfo]{of(true, "b", "d", "z"), of(true, "b", "c")}, "b c", true},
		"only one is complete":    {[]page[ChannelInfo]{of(false, "b", "z"), of(true, "c")}, "b c", true},
		"one that has told none":  {[]page[ChannelInfo]{of(true), of(false, "b")}, "", true},
		"none, where pages start": {[]page[ChannelInfo]{of(false, "a"), of(true)}, "a", true},
	} {
		list, more := mergeChannels(c.pages, "a")
		var got []string
		for _, info := range list {
			got = append(got, info.Channel)
		}
		if strings.Join(got, " ") != c.want || more != c.more {
			t.Errorf("%s: %v, more %v", name, got, more)
		}
	}
}

// The nodes add up the connections of a channel. Each counts all of its members, some later than others.
func TestMergedChannel(t *testing.T) {
	t.Parallel()
	of := func(n int) *int { return &n }
	for _, c := range []struct{ a, b, want *int }{{nil, nil, nil}, {of(3), nil, of(3)}, {nil, of(3), of(3)}, {of(3), of(5), of(5)}, {of(5), of(3), of(5)}} {
		got := addChannel(ChannelInfo{"c", 1, c.a}, ChannelInfo{"c", 2, c.b})
		if got.Connections != 3 || (got.Members == nil) != (c.want == nil) || got.Members != nil && *got.Members != *c.want {
			t.Errorf("%+v", got)
		}
	}
}

// The same for connections, in either order.
func TestMergedConnections(t *testing.T) {
	t.Parallel()
	of := func(more bool, ids ...string) page[ConnectionInfo] {
		p := page[ConnectionInfo]{More: more}
		for _, id := range ids {
			p.Items = append(p.Items, ConnectionInfo{Connection: id, Since: int64(id[0]), Queue: QueueInfo{Bytes: 200 - int(id[0])}})
		}
		return p
	}
	for name, c := range map[string]struct {
		pages []page[ConnectionInfo]
		want  string
		more  bool
	}{
		"complete":              {[]page[ConnectionInfo]{of(false, "b", "d"), of(false, "c")}, "b c d", false},
		"the first ends early":  {[]page[ConnectionInfo]{of(true, "b", "c"), of(true, "d", "z")}, "b c", true},
		"the second ends early": {[]page[ConnectionInfo]{of(true, "d", "z"), of(true, "b", "c")}, "b c", true},
		"only one is complete":  {[]page[ConnectionInfo]{of(false, "b", "z"), of(true, "c")}, "b c", true},
	} {
		for _, sort := range []string{sortByAge, sortByQueue} {
			list, more := mergeConnections(c.pages, ConnectionQuery{Sort: sort})
			var got []string
			for _, info := range list {
				got = append(got, info.Connection)
			}
			if strings.Join(got, " ") != c.want || more != c.more {
				t.Errorf("%s, by %s: %v, more %v", name, sort, got, more)
			}
		}
	}
}
