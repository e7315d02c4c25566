package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseHandleMessage reads
//
//	handle_message <pattern>… {
//		concurrency <n>
//		timeout     <duration>
//		max_answer  <size>
//		<directives…>
//	}
//
// The directives are any of Caddy's; [HandleMessage.ParseRoutes] parses them.
func ParseHandleMessage(d *caddyfile.Dispenser, patterns []string) (c *HandleMessage, err error) {
	c = &HandleMessage{Channels: patterns}
	if c.directives, err = parseDirectives(d, "handle_message", HandleMessageOptions, c); err != nil {
		return nil, err
	}
	_, _, err = c.Compile()
	return c, err
}

// HandleMessageOptions are the options of `handle_message`, beside its directives.
var HandleMessageOptions = block.Options[*HandleMessage]{
	"concurrency": block.Count(func(c *HandleMessage) *int { return &c.Concurrency }),
	"timeout":     block.Duration(func(c *HandleMessage) *caddy.Duration { return &c.Timeout }),
	"max_answer":  block.Size(func(c *HandleMessage) *int64 { return &c.MaxAnswer }),
}

// ParseRoutes parses the directives in the block to [HandleMessage.Routes]. That takes what is
// known only where the directive itself is parsed.
func (c *HandleMessage) ParseRoutes(h httpcaddyfile.Helper) (err error) {
	c.Routes, err = parseRoutes(h, c.directives)
	return err
}

// ParseHandleCall reads
//
//	handle_call {
//		concurrency <n>
//		timeout     <duration>
//		max_answer  <size>
//		<directives…>
//	}
//
// The directives are any of Caddy's; [HandleCall.ParseRoutes] parses them.
func ParseHandleCall(d *caddyfile.Dispenser) (c *HandleCall, err error) {
	c = new(HandleCall)
	if c.directives, err = parseDirectives(d, "handle_call", HandleCallOptions, c); err != nil {
		return nil, err
	}
	_, err = c.Compile()
	return c, err
}

// HandleCallOptions are the options of `handle_call`, beside its directives.
var HandleCallOptions = block.Options[*HandleCall]{
	"concurrency": block.Count(func(c *HandleCall) *int { return &c.Concurrency }),
	"timeout":     block.Duration(func(c *HandleCall) *caddy.Duration { return &c.Timeout }),
	"max_answer":  block.Size(func(c *HandleCall) *int64 { return &c.MaxAnswer }),
}

// ParseRoutes parses the directives in the block to [HandleCall.Routes], like
// [HandleMessage.ParseRoutes].
func (c *HandleCall) ParseRoutes(h httpcaddyfile.Helper) (err error) {
	c.Routes, err = parseRoutes(h, c.directives)
	return err
}
