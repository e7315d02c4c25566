package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// A Redis that comes back from an older copy of its data has lost rooms whose messages
// were delivered. Such a room would begin again with the same epoch, because that is a
// hash of its name and a secret, and two messages would have one position. Redis keeps
// scripts for as long as its process lives: if it knows awakenScript no more, it has
// begun anew, and gets another secret before anything else is done. The alternative, the
// run id of INFO, needs a right that the documented access list does not give.
//
// A server has one secret for each prefix and for each partition of a cluster that is
// there, and must get another one for each of them. So the scripts that use a secret have
// a text, and a hash, of their own for each secret: what one partition sends does not make
// the server know the scripts of another one. A server that gets a partition from another
// server does not know its scripts either, and the partition gets another secret although
// nothing is lost. That costs its rooms without messages the time of settling, and no epoch.
//
// Redis can not tell a room that it lost from one that was always empty. The nodes can:
// those that have subscribers in a room compare it after they are subscribed again. A node
// that saw the room without messages tells its epoch, and the room keeps that epoch. Until
// settling is over, a room without a log can not begin otherwise: calls for it fail and
// are repeated, as while Redis is away. A room for which no node spoke gets an epoch of
// the new secret. If one node saw a message of a lost room and another one did not, the
// first one's comparison gives the room another epoch.

// settling is how long nodes have to come back to a Redis that has begun anew: longer than
// maxDelay, after which the last of them tries to connect.
const settleTime = maxDelay + time.Second

// awaken gives Redis another secret if it has begun anew. calls are those whose scripts it
// does not know. Errors are left to the calls that come next.
func (b *batcher) replaceSecrets(ctx context.Context, calls []*call, how sendMode) {
	done := make(map[string]bool)
	for _, c := range calls {
		if c.secretKey == "" || done[c.secretKey] {
			continue
		}
		done[c.secretKey] = true
		// It is read first: if another node replaces it after that, this one does not.
		old, err := b.sendOne(ctx, &call{args: []any{"get", c.secretKey}}, how)
		if err != nil && !errors.Is(err, goredis.Nil) {
			continue
		}
		before, _ := old.(string)
		ask := &call{script: replaceSecretScript, secretKey: c.secretKey, keys: []string{c.secretKey}, args: []any{"", "", 0}}
		if _, err := b.sendOne(ctx, ask, how); goredis.HasErrorPrefix(err, "NOSCRIPT") {
			ask.args = []any{history.NewEpoch(), before, settleTime.Milliseconds()}
			_, _ = b.sendOne(ctx, ask, sendMode{true, how.redirect})
		}
	}
}
