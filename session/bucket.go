package session

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// bucket is a token bucket that is made when it is first needed and made anew,
// full, when its rate changes. It has no lock of its own.
type bucket struct {
	rate    policy.Rate
	limiter *rate.Limiter
}

// take takes one token. If there is none it takes nothing and gives the time after
// which there will be one.
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

// wait is how long it takes until there is a token.
func (b *bucket) wait(now time.Time) time.Duration {
	tokens := b.limiter.TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return untilToken(tokens, b.rate.PerSecond)
}

// full reports whether the bucket says nothing that a new one would not say.
func (b *bucket) full(now time.Time) bool {
	return b.limiter == nil || b.limiter.TokensAt(now) >= float64(b.limiter.Burst())
}

// untilToken is how long it takes from this many tokens to a whole one: rounded up
// to milliseconds, the unit of the protocol, and at most an hour.
func untilToken(tokens, perSecond float64) time.Duration {
	ms := math.Ceil((1 - tokens) / perSecond * 1000)
	return time.Duration(max(1, min(ms, 3_600_000))) * time.Millisecond
}

// maxCallers bounds the buckets of callers without a connection, which have no end
// at which they could be dropped. Each takes about 200 bytes.
const maxCallers = 1 << 16

// buckets are token buckets by key. The ones that are full again are dropped now
// and then, which loses nothing.
type buckets[K comparable] struct {
	limit int // greatest number; static

	// Guarded by mu.
	mu      sync.Mutex
	all     map[K]*bucket
	sweepAt int // number of buckets at which to look for full ones
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

// wait is how long it takes until there is a token, and takes none.
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

// sweep makes room for further buckets. When too many are in use some are forgotten,
// whichever come: refusing new keys instead would let a caller with many of them
// lock out the others, and what it gains by being forgotten is one burst. It is an
// eighth of them, because to look at all of them for each new key would be the most
// costly thing that a caller can have done.
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
