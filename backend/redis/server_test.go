package redis

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// server is a redis-server of a test.
type server struct {
	t    testing.TB
	dir  string
	addr string // what Options.Address takes
	args []string
	cmd  *exec.Cmd
	quit chan struct{} // closed when cmd is over
}

// startServer starts a redis-server without persistence on a free port, or with args
// that say otherwise. It is gone when the test is.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("these tests need the program redis-server, 7.0 or later, in the PATH: apt install redis-server, brew install redis, or from redis.io")
	}
	s := &server{t: t, dir: t.TempDir(), addr: freeAddr(t)}
	_, port, _ := net.SplitHostPort(s.addr)
	s.args = append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--save", "", "--appendonly", "no"}, args...)
	s.start()
	t.Cleanup(s.kill)
	return s
}

func freeAddr(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the process and waits until it accepts connections.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ready, quit := make(chan struct{}), make(chan struct{})
	s.quit = quit
	go func(cmd *exec.Cmd) {
		lines := bufio.NewScanner(out)
		for said := false; lines.Scan(); {
			if !said && strings.Contains(lines.Text(), "eady to accept connections") {
				said = true
				close(ready)
			}
		}
		_ = cmd.Wait() // it is killed
		close(quit)
	}(s.cmd)
	select {
	case <-ready:
	case <-quit:
		s.t.Fatal("redis-server ended at once")
	case <-time.After(20 * time.Second):
		s.t.Fatal("redis-server does not start")
	}
}

// kill ends the process, by its PID, and waits until it is gone.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // an error means that it is over
	<-s.quit
}

// client is a plain one, for what a test does behind the package's back.
func (s *server) client() *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: s.addr, Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: unannounced()})
	s.t.Cleanup(func() { c.Close() })
	return c
}

func (s *server) do(args ...any) any {
	s.t.Helper()
	v, err := s.client().Do(context.Background(), args...).Result()
	if err != nil && err != goredis.Nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// socket is where a server listens that was started with it.
func socket(t testing.TB) string {
	dir, err := os.MkdirTemp("", "rt") // short, as the path of a socket has to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// open makes a client, closed when the test is over.
func open(t testing.TB, o Options) *Client {
	t.Helper()
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
