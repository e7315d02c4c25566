package redis

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// call is one command or script that is sent to Redis.
type call struct {
	// Set by the caller.
	script     *script // nil: args is a command
	keys       []string
	args       []any
	repeatable bool   // may be sent again when its outcome is unknown
	secretKey  string // the key of the secret from which the script computes epochs; empty: none

	size      int
	deadline  time.Time
	abandoned atomic.Bool // no caller waits for it
	done      chan struct{}

	// Set before done is closed.
	result      any
	err         error // nil, or wraps hub.ErrUnavailable
	connErr     error // the error of the connection; then the outcome is unknown
	notExecuted bool  // Redis did not execute it; another try may succeed soon
}

// copyUnsent returns the same call as it was before it was sent.
func (c *call) copyUnsent() *call {
	return &call{script: c.script, keys: c.keys, args: c.args, repeatable: c.repeatable, secretKey: c.secretKey}
}

// failUnfinished ends the calls of a batch whose outcome is unknown.
func failUnfinished(batch []*call) {
	for _, c := range batch {
		select {
		case <-c.done:
		default:
			c.fail(errPanicked)
		}
	}
}

// commandArgs returns the arguments of the command that is sent.
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
		// A slot moves to another server, no server has the slot, or Redis has started from a
		// copy of its data.
		c.notExecuted = goredis.IsTryAgainError(err) || goredis.IsClusterDownError(err) || goredis.HasErrorPrefix(err, "UNSETTLED ")
	default:
		c.err = fmt.Errorf("%w: redis: %v", hub.ErrUnavailable, err)
		c.connErr = err
	}
	close(c.done)
}

func (c *call) fail(err error) { c.finish(nil, err) }

// unexpected returns the error for a reply that no script of this package returns.
func unexpected(result any) error {
	return fmt.Errorf("%w: redis: unexpected reply %.80v", hub.ErrUnavailable, result)
}

// texts returns the strings of a reply.
func texts(reply any) []string {
	list, _ := reply.([]any)
	ss := make([]string, 0, len(list))
	for _, v := range list {
		s, _ := v.(string)
		ss = append(ss, s)
	}
	return ss
}
