package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// LaravelEcho lets pages with Laravel Echo and its broadcaster `socket.io` subscribe to channels.
type LaravelEcho struct {
	// Concurrency is how many channels the app is asked about at a time, of which a quarter may come
	// from one address. 16 times as many may wait for their turn. Default: 64, which zero means
	// as well.
	Concurrency int `json:"concurrency,omitempty"`

	// Timeout is how long an answer may take, including the wait for a turn. Default: 5s, which
	// zero means as well.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// MaxAnswer is the greatest size of an answer, in bytes. Default: 65536 (64KiB), which zero
	// means as well.
	MaxAnswer int64 `json:"max_answer,omitempty"`

	// Routes answer a POST request for /broadcasting/auth with the form fields channel_name and
	// socket_id. Authorization, X-CSRF-TOKEN and X-XSRF-TOKEN are those that the page gives Echo.
	// Required.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [LaravelEcho.ParseRoutes] parses them.
	directives caddyfile.Segment
}

// parseLaravelEcho reads
//
//	laravel_echo {
//		concurrency <n>
//		timeout     <duration>
//		max_answer  <size>
//		<directives…>
//	}
//
// The directives are any of Caddy's; [LaravelEcho.ParseRoutes] parses them.
func parseLaravelEcho(d *caddyfile.Dispenser, _ []string, s *SocketIO) (err error) {
	c := new(LaravelEcho)
	s.LaravelEcho = c
	if c.directives, err = parseDirectives(d, "laravel_echo", laravelEchoOptions, c); err != nil {
		return err
	}
	_, err = c.Compile()
	return err
}

var laravelEchoOptions = block.Options[*LaravelEcho]{
	"concurrency": block.Count(func(c *LaravelEcho) *int { return &c.Concurrency }),
	"timeout":     block.Duration(func(c *LaravelEcho) *caddy.Duration { return &c.Timeout }),
	"max_answer":  block.Size(func(c *LaravelEcho) *int64 { return &c.MaxAnswer }),
}

// ParseRoutes parses the directives in the block to [LaravelEcho.Routes], like
// [HandleMessage.ParseRoutes].
func (c *LaravelEcho) ParseRoutes(h httpcaddyfile.Helper) (err error) {
	c.Routes, err = parseRoutes(h, c.directives)
	return err
}

// Compile checks the block.
func (c *LaravelEcho) Compile() (Handling, error) {
	return handling(c.Concurrency, c.Timeout, c.MaxAnswer, c.Routes)
}
