package drills

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const clusterSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		redis {env.REALTIME_TEST_REDIS}
		limits {
			queue 4096 8MiB
		}
		room news:* {
			subscribe anyone
			publish anyone
			history 5000
		}
		room brief:* {
			subscribe anyone
			history 100 3s
		}
		room chat:* {
			subscribe anyone
			presence {
				grace 200ms
			}
		}
		` + documentRoom + `
	}
}
`

// documentRoom is what older versions do not take together with Redis.
const documentRoom = `room doc:* {
			subscribe anyone
			publish anyone
			document
		}`

// lease is after which silence a node counts as dead.
const lease = 10 * time.Second

// cluster is nodes in processes of their own that share a Redis, each over a proxy.
type cluster struct {
	t     *testing.T
	redis *redistest.Server
	nodes []*clusterNode
}

type clusterNode struct {
	*integration.Process
	link *faultproxy.Proxy
	base string // URL of the realtime path
}

// startCluster starts three nodes.
func startCluster(t *testing.T, redisArgs ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, redis: redistest.Start(t, redisArgs...)}
	for range 3 {
		link := faultproxy.Start(t, c.redis.Addr)
		c.add(link, integration.StartProcess(t, clusterSite, clusterEnv(link.Addr())...))
	}
	return c
}

func clusterEnv(redis string) []string {
	return []string{"REALTIME_TEST_KEY=" + appKey, "REALTIME_TEST_REDIS=" + redis}
}

func (c *cluster) add(link *faultproxy.Proxy, p *integration.Process) {
	c.nodes = append(c.nodes, &clusterNode{p, link, "http://" + p.Addr("site") + "/rt"})
}

// bases are the URLs of all nodes, beginning with one of them.
func (c *cluster) bases(first int) (urls []string) {
	for i := range c.nodes {
		urls = append(urls, c.nodes[(first+i)%len(c.nodes)].base)
	}
	return urls
}

// do sends a command to Redis, past the proxies.
func (c *cluster) do(args ...any) (any, error) {
	r := goredis.NewClient(&goredis.Options{
		Addr: c.redis.Addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1, ReadTimeout: time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	defer r.Close()
	return r.Do(context.Background(), args...).Result()
}

// crowd begins a drill on the cluster: on each node WebSockets that are in all rooms
// together, event streams that are in some of them, and publishers over WebSocket
// and HTTP, one message and several at once.
func (c *cluster) crowd(rooms int, o checker.Options) *drill {
	c.t.Helper()
	d := newDrill(c.t, c.nodes[0].base, o)
	d.away = true
	channels := channelsOf("news", rooms)
	for i, node := range c.nodes {
		for part := range slices.Chunk(channels, 50) {
			d.subscriber(part...).others = c.bases(i)
		}
		for k := range 4 {
			few := 10 * ((i + len(c.nodes)*k) % (rooms / 10))
			d.streamer(false, channels[few:few+10]...).others = c.bases(i)
		}
		name := func(way string) string { return fmt.Sprint(way, i) }
		ws := &byWS{base: node.base, away: true, cutEvery: 97}
		one, many := newHTTP(node.base, appKey, false), newHTTP(node.base, appKey, true)
		one.away, many.away = true, true
		d.publisher(&publisher{name: name("ws"), way: ws, pick: turns(channels, 1), pause: 5 * time.Millisecond})
		d.publisher(&publisher{name: name("http"), way: one, pick: turns(channels, 1), pause: 5 * time.Millisecond})
		d.publisher(&publisher{name: name("batch"), way: many, pick: turns(channels, 3), pause: 10 * time.Millisecond})
	}
	for _, s := range d.subscribers {
		d.following.Go(func() { d.comeBack(s) })
	}
	d.gathered()
	return d
}

// subscriptions is how many there are when everybody is connected.
func (d *drill) subscriptions() (n int) {
	for _, s := range d.subscribers {
		n += len(s.channels)
	}
	return n
}

// goOn waits until so many messages more are acknowledged.
func (d *drill) goOn(more int) {
	d.t.Helper()
	enough := d.acked() + more
	until(d.t, "publishing goes on", func() bool { return d.acked() >= enough })
}

// summary is the report in a few words.
func summary(d *drill, r *checker.Report) string {
	faults := 0
	for _, n := range r.Counts {
		faults += n
	}
	return fmt.Sprintf("%d acknowledged in %d rooms, %d deliveries to %d subscribers, %d publishes tried again; %d faults, %d gaps",
		r.Acked, r.Channels, r.Delivered, r.Subscribers, d.retries(), faults, r.Gaps)
}
