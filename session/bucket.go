package session

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// bucket is a token bucket. It is created when it is first used, and again, full, when its
// rate changes. It has no lock of its own.
type bucket struct {
	rate    policy.Rate
	limiter *rate.Limiter
}

// take takes one token. If there is none, it takes nothing and returns the time until there
// will be one.
func (b *bucket) take(r policy.Rate, now time.Time) (wait time.Duration) {
	if r.IsZero() {
		return 0
	}
	if b.limiter == nil || b.rate != r {
		b.rate, b.limiter = r, rate.NewLimiter(rate.Limit(r.PerSecond), r.Size())
	}
	if b.limiter.AllowN(now, 1) {
		return 0
	}
	return b.wait(now)
}

// wait returns the time until there is a token.
func (b *bucket) wait(now time.Time) time.Duration {
	tokens := b.limiter.TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return untilToken(tokens, b.rate.PerSecond)
}

// full reports whether the bucket is full, like a new one.
func (b *bucket) full(now time.Time) bool {
	return b.limiter == nil || b.limiter.TokensAt(now) >= float64(b.limiter.Burst())
}

// untilToken returns the time from this many tokens to a whole one. It is rounded up to
// milliseconds, the unit of the protocol, and is an hour at most.
func untilToken(tokens, perSecond float64) time.Duration {
	ms := math.Ceil((1 - tokens) / perSecond * 1000)
	return time.Duration(max(1, min(ms, 3_600_000))) * time.Millisecond
}

// maxCallers bounds the buckets of callers without a connection. No event says that such a
// caller is gone and that its bucket can be dropped. A bucket takes about 200 bytes.
const maxCallers = 1 << 16

// buckets are token buckets by key. Full ones are dropped now and then: a new one would be
// the same.
type buckets[K comparable] struct {
	limit int // greatest number; static

	// Guarded by mu.
	mu      sync.Mutex
	all     map[K]*bucket
	sweepAt int // number of buckets at which sweep runs
}

func (b *buckets[K]) take(k K, r policy.Rate, now time.Time) (wait time.Duration) {
	if r.IsZero() {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.all[k]
	if one == nil {
		one = b.add(k, now)
	}
	return one.take(r, now)
}

// wait returns the time until there is a token. It takes none.
func (b *buckets[K]) wait(k K, r policy.Rate, now time.Time) time.Duration {
	if r.IsZero() {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if one := b.all[k]; one != nil && one.rate == r {
		return one.wait(now)
	}
	return 0
}

func (b *buckets[K]) add(k K, now time.Time) *bucket {
	if b.all == nil {
		b.all, b.sweepAt = make(map[K]*bucket), min(16, b.limit)
	}
	if len(b.all) >= b.sweepAt {
		b.sweep(now)
	}
	one := new(bucket)
	b.all[k] = one
	return one
}

// sweep makes room for more buckets. It drops the full ones. If too many are left, it also
// drops any eighth of the limit. To reject new keys instead would let a caller with many
// keys lock out the others; a caller whose bucket is dropped gains only one burst. sweep
// drops an eighth at once, because a search through all buckets for every new key would be
// the most expensive thing that a caller can cause.
func (b *buckets[K]) sweep(now time.Time) {
	for k, one := range b.all {
		if one.full(now) {
			delete(b.all, k)
		}
	}
	for k := range b.all {
		if len(b.all) <= b.limit-max(1, b.limit/8) {
			break
		}
		delete(b.all, k)
	}
	b.sweepAt = min(max(16, 2*len(b.all)), b.limit)
}
