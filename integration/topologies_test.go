package integration

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// shared is [sharedSite] with another line for Redis.
func shared(redis string) string {
	return strings.Replace(sharedSite, "redis {env.REALTIME_TEST_REDIS}", redis, 1)
}

// pair are two nodes in processes of their own.
type pair struct {
	t       *testing.T
	a, b    string // URLs
	streams map[string]*roomStream
	sent    int
}

// startPair starts nodes, with a stream from the second one of several rooms.
func startPair(t *testing.T, site string, env ...string) *pair {
	t.Helper()
	p := &pair{t: t, streams: make(map[string]*roomStream)}
	for _, base := range []*string{&p.a, &p.b} {
		*base = "http://" + StartProcess(t, site, env...).Addr("site") + "/rt"
	}
	for i := range 8 {
		channel := fmt.Sprint("chat:", i)
		p.streams[channel] = follow(t, p.b, "ben", channel)
	}
	return p
}

// deliver publishes at one node, until it is accepted, and waits at the other.
func (p *pair) deliver() {
	p.t.Helper()
	p.sent++
	for channel, stream := range p.streams {
		key := fmt.Sprint(channel, ".", p.sent)
		for over := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			res, body := request(p.t, "POST", p.a+"/channels/"+channel+"/messages", `{"content": "`+key+`"}`, "X-User", "ann", "Idempotency-Key", key)
			if res.StatusCode == http.StatusOK {
				break
			}
			if res.StatusCode != http.StatusServiceUnavailable || time.Now().After(over) {
				p.t.Fatalf("publishing is answered with %s: %s", res.Status, body)
			}
		}
		stream.until(key)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false)
	for _, s := range cluster.Servers {
		s.Do("acl", "setuser", "realtime", "on", ">cluster-secret", "~rt:*", "&rt:*", "+@all")
	}
	addrs := cluster.Addrs()
	p := startPair(t, shared(`redis {env.REALTIME_TEST_REDIS} `+addrs[1]+` {
			cluster 6
			username realtime
			password {env.REALTIME_TEST_PASSWORD}
		}`), "REALTIME_TEST_REDIS="+addrs[0], "REALTIME_TEST_PASSWORD=cluster-secret")
	p.deliver()
	for _, s := range cluster.Servers {
		if keys := s.Do("dbsize"); keys == int64(0) {
			t.Errorf("nothing is on %s", s.Addr)
		}
	}
	for channel, stream := range p.streams {
		ann := follow(t, p.a, "ann", channel)
		stream.until(`"entered":["ann"]`)
		ann.end()
		stream.until(`"left":["ann"]`)
	}
}

func TestSeveralRedis(t *testing.T) {
	t.Parallel()
	one, two := redistest.Start(t), redistest.Start(t)
	p := startPair(t, shared("redis "+one.Addr+" "+two.Addr))
	p.deliver()
	for _, s := range []*redistest.Server{one, two} {
		if keys := s.Do("dbsize"); keys == int64(0) {
			t.Errorf("nothing is on %s", s.Addr)
		}
	}
}

// The primary dies that Sentinel has named, and the nodes go on with another one. The
// access list for the Sentinel is that of the documentation.
func TestSentinel(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	host, port, _ := net.SplitHostPort(primary.Addr)
	replica := redistest.Start(t, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	sentinel := redistest.StartSentinel(t, "main", primary)
	for _, s := range []*redistest.Server{primary, replica} {
		s.Do("acl", "setuser", "realtime", "on", ">redis-secret", "~rt:*", "&rt:*", "+@all")
	}
	sentinel.Do(append([]string{"acl", "setuser", "watcher", "on", ">sentinel-secret"}, watcherRights(t)...)...)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("sentinel-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for over := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		known, _ := sentinel.Do("sentinel", "replicas", "main").([]any)
		text, _ := replica.Do("info", "replication").(string)
		if len(known) > 0 && strings.Contains(text, "master_link_status:up") {
			break
		}
		if time.Now().After(over) {
			t.Fatal("the replica is not in step")
		}
	}
	p := startPair(t, shared(`redis `+sentinel.Addr+` {
			sentinel {env.REALTIME_TEST_MASTER} {
				username watcher
				password {file.`+password+`}
			}
			username realtime
			password {env.REALTIME_TEST_PASSWORD}
		}`), "REALTIME_TEST_MASTER=main", "REALTIME_TEST_PASSWORD=redis-secret")
	p.deliver()
	primary.Kill()
	began := time.Now()
	p.deliver()
	t.Logf("after the death of the primary all was delivered in %v", time.Since(began))
	if log := sentinel.Do("acl", "log"); len(log.([]any)) > 0 {
		t.Errorf("the Sentinel refused: %v", log)
	}
}

// watcherRights are the words of the access list in the documentation, behind the
// password.
func watcherRights(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile("../docs/clustering.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\nACL SETUSER watcher on >secret (.*?)```").FindSubmatch(doc)
	if found == nil {
		t.Fatal("the documentation has no access list for Sentinels")
	}
	return strings.Fields(string(found[1]))
}
