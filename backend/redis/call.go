package redis

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// call is one command or script on its way.
type call struct {
	// Set by the caller.
	script     *script // nil: args is a command
	keys       []string
	args       []any
	repeatable bool   // it may be repeated when its outcome is unknown
	secretKey  string // the key of the secret that the script makes epochs of; empty: none

	size      int
	deadline  time.Time
	abandoned atomic.Bool // nobody waits for it
	done      chan struct{}

	// Set before done is closed.
	result      any
	err         error // hub.ErrUnavailable in it, or nil
	connErr     error // what the connection said; the outcome is unknown then
	notExecuted bool  // it was not executed, and may be soon
}

// repeated is the same call as if it had not been sent.
func (c *call) copyUnsent() *call {
	return &call{script: c.script, keys: c.keys, args: c.args, repeatable: c.repeatable, secretKey: c.secretKey}
}

// abandon ends the calls of a batch whose outcome is unknown.
func failUnfinished(batch []*call) {
	for _, c := range batch {
		select {
		case <-c.done:
		default:
			c.fail(errPanicked)
		}
	}
}

// words are what goes over the wire.
func (c *call) commandArgs(full, sharded bool) []any {
	if c.script == nil {
		if sharded && c.args[0] == "publish" {
			return append([]any{"spublish"}, c.args[1:]...)
		}
		return c.args
	}
	s := c.script
	if sharded {
		s = s.sharded
	}
	s = s.forSecret(c.secretKey)
	words := make([]any, 0, 3+len(c.keys)+len(c.args))
	if full {
		words = append(words, "eval", s.source)
	} else {
		words = append(words, "evalsha", s.hash)
	}
	words = append(words, len(c.keys))
	for _, k := range c.keys {
		words = append(words, k)
	}
	return append(words, c.args...)
}

func (c *call) finish(result any, err error) {
	var answer goredis.Error
	switch {
	case err == nil || errors.Is(err, goredis.Nil):
		c.result = result
	case errors.As(err, &answer):
		c.err = fmt.Errorf("%w: redis: %v", hub.ErrUnavailable, err)
		// A slot is on its way to another server, or none has it, or Redis has begun anew.
		c.notExecuted = goredis.IsTryAgainError(err) || goredis.IsClusterDownError(err) || goredis.HasErrorPrefix(err, "UNSETTLED ")
	default:
		c.err = fmt.Errorf("%w: redis: %v", hub.ErrUnavailable, err)
		c.connErr = err
	}
	close(c.done)
}

func (c *call) fail(err error) { c.finish(nil, err) }

// unexpected is the error for a reply that no script of this package gives.
func unexpected(result any) error {
	return fmt.Errorf("%w: redis: unexpected reply %.80v", hub.ErrUnavailable, result)
}

// texts are the strings of a reply.
func texts(reply any) []string {
	list, _ := reply.([]any)
	ss := make([]string, 0, len(list))
	for _, v := range list {
		s, _ := v.(string)
		ss = append(ss, s)
	}
	return ss
}
