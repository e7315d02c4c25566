package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// When Redis starts from an older copy of its data, it has lost rooms whose messages were
// delivered. The epoch of a room without messages is a hash of its name and a secret. With the
// same secret a lost room would start again with its old epoch, and two messages would have one
// position. So Redis gets another secret when it has restarted.
//
// A node notices the restart by the scripts. Redis knows scripts only as long as its process
// lives. If it does not know replaceSecretScript, it has restarted. Another way would be the
// run id of INFO, but the documented access list does not allow INFO.
//
// A server has one secret for each prefix and for each of its partitions of a cluster. It must
// get another secret for each of them. So the scripts that use a secret have its key in their
// text, and a hash of their own for each secret. Otherwise the first partition that sends a
// script would make the server know the scripts of all others. When a partition moves to
// another server, that server does not know its scripts either, and the partition gets another
// secret although nothing is lost. That costs its rooms without messages the settle time, but
// no epoch.
//
// From version 7.4 on, Redis keeps only the 500 scripts that were used last, of those that came
// by EVAL. A partition has four scripts with its secret. So a server with more than about 100
// partitions would forget some of them and get new secrets again and again. SCRIPT LOAD would
// prevent that, but the documented access list does not allow it.
//
// Redis can not distinguish a lost room from a room that never had messages. The nodes can. A
// node with subscribers in a room compares the room after it has subscribed again. If it saw
// the room without messages, it sends the epoch that it knows, and the room keeps that epoch.
// During the settle time no other room without a log gets an epoch: calls for it fail and are
// repeated, as while Redis is away. After it, a room for which no node sent an epoch gets one
// from the new secret. If one node saw a message of a lost room and another node did not, the
// comparison of the first one gives the room another epoch.

// settleTime is how long nodes have to reconnect to a restarted Redis. It is longer than
// maxDelay, after which the last of them tries to connect.
const settleTime = maxDelay + time.Second

// replaceSecrets gives Redis another secret if it has restarted. calls are the calls whose
// scripts Redis does not know. Errors are ignored: the calls that follow will fail too.
func (b *batcher) replaceSecrets(ctx context.Context, calls []*call, how sendMode) {
	done := make(map[string]bool)
	for _, c := range calls {
		if c.secretKey == "" || done[c.secretKey] {
			continue
		}
		done[c.secretKey] = true
		// The secret is read first. If another node replaces it after that, this node does not.
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
