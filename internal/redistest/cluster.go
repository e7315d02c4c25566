package redistest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
)

// slots is how many a cluster has.
const slots = 16384

// Cluster is a Redis Cluster of a test.
type Cluster struct {
	// Servers are the primaries, each with an equal range of slots, and then as many
	// replicas, one for each of them, if there are any.
	Servers []*Server

	t testing.TB
}

// StartCluster starts a cluster. A replica takes over from a primary that was silent for a
// second. The cluster ends with the test. In args, FreePort stands for a free port, another
// one for each server.
func StartCluster(t testing.TB, primaries int, replicas bool, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	n := primaries
	if replicas {
		n *= 2
	}
	var first string // port of the bus of the first server
	for i := range n {
		_, bus, _ := net.SplitHostPort(freeport.Addr(t))
		if i == 0 {
			first = bus
		}
		own := slices.Clone(args)
		for i := range own {
			if own[i] == FreePort {
				_, own[i], _ = net.SplitHostPort(freeport.Addr(t))
			}
		}
		c.Servers = append(c.Servers, Start(t, append([]string{
			"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-announce-ip", "127.0.0.1",
			"--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0",
		}, own...)...))
	}
	for i, s := range c.Servers[:primaries] {
		s.Do("cluster", "addslotsrange", fmt.Sprint(i*slots/primaries), fmt.Sprint((i+1)*slots/primaries-1))
	}
	for i, s := range c.Servers {
		s.Do("cluster", "set-config-epoch", fmt.Sprint(i+1))
	}
	host, port, _ := net.SplitHostPort(c.Servers[0].Addr)
	if tls := c.Servers[0].option("--tls-port"); tls != "" {
		port = tls
	}
	var met time.Time
	c.await("all know each other", func(s *Server) bool {
		// A server that can not meet another one within a second, because the machine is
		// busy, gives up.
		if time.Since(met) > 2*time.Second {
			met = time.Now()
			for _, other := range c.Servers[1:] {
				other.Do("cluster", "meet", host, port, first)
			}
		}
		return s.info("cluster", "cluster_known_nodes") == fmt.Sprint(n) && s.info("cluster", "cluster_slots_ok") == fmt.Sprint(slots)
	})
	for i, s := range c.Servers[primaries:] {
		s.Do("cluster", "replicate", c.Servers[i].id())
	}
	c.await("it serves", func(s *Server) bool {
		return s.info("cluster", "cluster_state") == "ok" && (s.info("replication", "role") == "master" || s.info("replication", "master_link_status") == "up")
	})
	return c
}

// FreePort is an argument of [StartCluster].
const FreePort = "<free port>"

// Addrs returns the addresses of all servers.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, s := range c.Servers {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}

// TLSAddr returns the address on which the first server expects TLS.
func (c *Cluster) TLSAddr() string { return "127.0.0.1:" + c.Servers[0].option("--tls-port") }

// option returns the value of an argument, or an empty string.
func (s *Server) option(name string) string {
	if i := slices.Index(s.args, name); i >= 0 {
		return s.args[i+1]
	}
	return ""
}

// await waits until so returns true for every server.
func (c *Cluster) await(what string, so func(*Server) bool) {
	c.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for _, s := range c.Servers {
		for !so(s) {
			if time.Now().After(end) {
				c.t.Fatalf("the cluster does not come to this: %s", what)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// Of returns the index of the primary that has a slot, as server 0 knows it.
func (c *Cluster) Of(slot int) int {
	c.t.Helper()
	ranges, _ := c.Servers[0].Do("cluster", "slots").([]any)
	for _, r := range ranges {
		r := r.([]any)
		if int64(slot) < r[0].(int64) || int64(slot) > r[1].(int64) {
			continue
		}
		port := strconv.FormatInt(r[2].([]any)[1].(int64), 10)
		for i, s := range c.Servers {
			if strings.HasSuffix(s.Addr, ":"+port) {
				return i
			}
		}
	}
	c.t.Fatalf("nobody has slot %d", slot)
	return 0
}

// Move moves a slot with its keys from one primary to another, as redis-cli does. It calls
// moved when the keys are there and the slot is not yet.
func (c *Cluster) Move(slot, from, to int, moved func()) {
	c.t.Helper()
	a, b, text := c.Servers[from], c.Servers[to], strconv.Itoa(slot)
	b.Do("cluster", "setslot", text, "importing", a.id())
	a.Do("cluster", "setslot", text, "migrating", b.id())
	host, port, _ := net.SplitHostPort(b.Addr)
	for {
		keys, _ := a.Do("cluster", "getkeysinslot", text, "100").([]any)
		if len(keys) == 0 {
			break
		}
		migrate := []string{"migrate", host, port, "", "0", "5000", "keys"}
		for _, key := range keys {
			migrate = append(migrate, key.(string))
		}
		a.Do(migrate...)
	}
	moved()
	for _, s := range []*Server{b, a} {
		s.Do("cluster", "setslot", text, "node", b.id())
	}
}

func (s *Server) id() string {
	s.t.Helper()
	id, _ := s.Do("cluster", "myid").(string)
	return id
}

// info returns a line of the server's information about a subject.
func (s *Server) info(subject, line string) string {
	s.t.Helper()
	command := []string{"info", subject}
	if subject == "cluster" {
		command = []string{"cluster", "info"}
	}
	text, _ := s.Do(command...).(string)
	for l := range strings.Lines(text) {
		if name, value, _ := strings.Cut(strings.TrimSpace(l), ":"); name == line {
			return value
		}
	}
	return ""
}
