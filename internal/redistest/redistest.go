// Package redistest starts redis-server for tests.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// Server is a redis-server of a test, in a process and a directory of its own.
type Server struct {
	// Addr is where it listens, on the loopback address.
	Addr string

	t     testing.TB
	args  []string
	ready string // what it says when it serves
	cmd   *exec.Cmd
	over  <-chan struct{} // closed when cmd is over
}

// Start starts a redis-server on a free port, without persistence unless args say
// otherwise. It ends with the test. If there is no redis-server the test fails.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	addr := freeport.Addr(t)
	_, port, _ := net.SplitHostPort(addr)
	args = append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}, args...)
	return start(t, addr, "eady to accept connections", args...)
}

// StartSentinel starts a Sentinel that watches a server under a name. If the server is
// silent for half a second, it makes a replica the primary.
func StartSentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	addr := freeport.Addr(t)
	_, port, _ := net.SplitHostPort(addr)
	_, masterPort, _ := net.SplitHostPort(master.Addr)
	dir := t.TempDir()
	file := filepath.Join(dir, "sentinel.conf")
	config := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nsentinel monitor %s 127.0.0.1 %s 1\n"+
		"sentinel down-after-milliseconds %[3]s 500\nsentinel failover-timeout %[3]s 3000\n", port, dir, name, masterPort)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, addr, "+monitor master", file, "--sentinel")
}

func start(t testing.TB, addr, ready string, args ...string) *Server {
	t.Helper()
	s := &Server{Addr: addr, t: t, args: args, ready: ready}
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// program returns the server to start: the one in the variable REALTIME_TEST_REDIS_SERVER,
// or else the redis-server or valkey-server of the system.
func program(t testing.TB) string {
	t.Helper()
	candidates := []string{"redis-server", "valkey-server"}
	if name := os.Getenv("REALTIME_TEST_REDIS_SERVER"); name != "" {
		candidates = []string{name}
	}
	for _, name := range candidates {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("this test needs the program %s, 7.0 or later, in the PATH: apt install redis-server, brew install redis, or from redis.io", candidates[0])
	return ""
}

// Restart starts the process again after [Server.Kill], and waits until it serves.
func (s *Server) Restart() {
	s.t.Helper()
	says := &announcement{text: s.ready, made: make(chan struct{})}
	s.cmd = exec.Command(program(s.t), s.args...)
	s.cmd.Stdout = says
	var err error
	if s.over, err = spawn.Start(s.cmd, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-says.made:
	case <-s.over:
		s.t.Fatalf("redis-server ended at once: %s", says.before)
	case <-time.After(20 * time.Second):
		s.t.Fatal("redis-server does not start")
	}
}

// kept is how much is remembered of what a process writes, longer than any announcement.
const kept = 500

// announcement waits for a text in the output of a process.
type announcement struct {
	text string
	made chan struct{} // closed when it was there

	// Owned by the goroutine that writes.
	before []byte // the end of what was written, until the text was there
	there  bool
}

func (a *announcement) Write(p []byte) (int, error) {
	if !a.there {
		a.before = append(a.before, p...)
		if a.there = bytes.Contains(a.before, []byte(a.text)); a.there {
			close(a.made)
		}
		a.before = a.before[max(0, len(a.before)-kept):]
	}
	return len(p), nil
}

// Kill ends the process at once and waits for its end.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // an error means that it is over
	<-s.over
}
