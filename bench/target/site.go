package target

import (
	"context"
	"os/exec"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// Site is what a workload needs of this server. {app} in its lines stands for the address
// of the app.
type Site struct {
	Plain  bool   // the room has neither presence nor history
	Bare   bool   // in the place of the endpoint is a handler that only parks connections
	Lines  string // other options of the endpoint
	Routes string // of the site, beside the endpoint
	App    string // an address that [NewApp] has chosen
	Redis  bool   // the rooms are in a Redis of their own
	Store  string // its address, which [Caddy] chooses
}

// usualRoom is what most workloads measure.
const usualRoom = `			history 100 1h
			presence {
				grace 5s
			}
`

// NewApp returns an address for an app.
func NewApp() (string, error) { return freeAddr() }

func (s *Site) lines() string {
	room := usualRoom
	if s.Plain {
		room = ""
	}
	lines := strings.ReplaceAll(s.Lines, "{app}", s.App)
	if s.Store != "" {
		lines += "\t\tredis " + s.Store + "\n"
	}
	return lines + "\t\troom bench:* {\n\t\t\tsubscribe anyone\n\t\t\tpublish anyone\n" + room + "\t\t}\n"
}

func (s *Site) routes() string { return strings.ReplaceAll(s.Routes, "{app}", s.App) }

const redisProgram = "redis-server"

// MissingRedis says what has to be installed for a site with Redis; empty if nothing is.
func MissingRedis() string {
	if _, err := exec.LookPath(redisProgram); err != nil {
		return "install Debian's package redis-server"
	}
	return ""
}

// withStore starts a Redis for a server whose site needs one. It ends after the server.
func withStore(start func(context.Context, Options) (*Server, error)) func(context.Context, Options) (*Server, error) {
	return func(ctx context.Context, o Options) (*Server, error) {
		if !o.Site.Redis {
			return start(ctx, o)
		}
		store, err := startRedis(ctx, &o)
		if err != nil {
			return nil, err
		}
		s, err := start(ctx, o)
		if err != nil {
			store.Stop()
			return nil, err
		}
		stop := s.Stop
		s.Redis, s.Stop = store.PID(), func() { stop(); store.Stop() }
		return s, nil
	}
}

// startRedis starts a Redis and notes its address in the site.
func startRedis(ctx context.Context, o *Options) (*proc.Child, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	o.Site.Store = addr
	_, port, _ := strings.Cut(addr, ":")
	return proc.Start(ctx, addr, exec.Command(redisProgram, "--bind", "127.0.0.1", "--port", port,
		"--dir", o.Dir, "--save", "", "--appendonly", "no"))
}
