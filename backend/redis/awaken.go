package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// A Redis that comes back from an older copy of its data has lost rooms whose messages
// were delivered. Such a room would begin again with the same epoch, because that is a
// hash of its name and a secret, and two messages would have one position. Redis keeps
// scripts for as long as its process lives: if it knows awakenScript no more, it has
// begun anew, and gets another secret before anything else is done. Rooms that are empty
// then see one gap too many. The alternative, the run id of INFO, needs a right that the
// documented access list does not give.

// awaken gives Redis another secret if it has begun anew. calls are those whose scripts it
// does not know. Errors are left to the calls that come next.
func (b *batcher) awaken(ctx context.Context, calls []*call, how manner) {
	done := make(map[string]bool)
	for _, c := range calls {
		if c.secret == "" || done[c.secret] {
			continue
		}
		done[c.secret] = true
		ask := &call{script: awakenScript, keys: []string{c.secret}, args: []any{""}}
		if err := b.single(ctx, ask, how); goredis.HasErrorPrefix(err, "NOSCRIPT") {
			ask.args = []any{history.NewEpoch()}
			_ = b.single(ctx, ask, manner{true, how.follow})
		}
	}
}

// single sends one call and returns its error.
func (b *batcher) single(ctx context.Context, c *call, how manner) error {
	pipe, err := b.pipeline(ctx, how)
	if err != nil {
		return err
	}
	cmd := goredis.NewCmd(ctx, c.words(how.full, b.to.sharded())...)
	_ = pipe.Process(ctx, once{cmd}) // which only takes it down
	began := time.Now()
	_, err = pipe.Exec(ctx)
	b.judge(err, began)
	return cmd.Err()
}
