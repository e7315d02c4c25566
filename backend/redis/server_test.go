package redis

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// server is the Redis of a test.
type server struct {
	*redistest.Server
	t testing.TB
}

func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	return &server{redistest.Start(t, args...), t}
}

// do sends a command directly, not through this package.
func (s *server) do(args ...any) any {
	s.t.Helper()
	c := goredis.NewClient(&goredis.Options{
		Addr: s.Addr, Protocol: 2, DisableIdentity: true, ReadTimeout: time.Minute, MaintNotificationsConfig: noMaintNotifications(),
	})
	defer c.Close()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil && err != goredis.Nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// socket returns a path for a Unix socket. A path in the test's directory may be too long.
func socket(t testing.TB) string {
	dir, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// open makes a client with a log, and closes it when the test ends.
func open(t testing.TB, o Options) *Client {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
