package auth

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var (
	flooder = netip.MustParseAddr("192.0.2.1")
	others  = []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3"), netip.MustParseAddr("2001:db8::")}
)

// One address asks as much as it likes of an application that takes almost as long as
// it may. Everybody else is answered at once.
func TestGuardGivesAddressesTheirShare(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		o := &oracle{answer: func(ctx context.Context, _ Question) (Answer, error) {
			select {
			case <-time.After(2500 * time.Millisecond):
				return Answer{}, nil
			case <-ctx.Done():
				return Answer{}, ctx.Err()
			}
		}}
		g := NewGuard(o, GuardOptions{})
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					_, _ = g.Authorize(ctx, Question{User: string(rune(0x4000 + i)), Channel: time.Now().String(), From: flooder})
				}
			})
		}
		synctest.Wait()
		if n := o.calls.Load(); n != 16 {
			t.Errorf("one address asks %d questions at a time", n)
		}
		for range 4 {
			var asking sync.WaitGroup
			for i, from := range append(others, others...) {
				asking.Go(func() {
					began := time.Now()
					_, err := g.Authorize(t.Context(), Question{User: string(rune(0x4000 + i)), Channel: time.Now().String(), From: from})
					if took := time.Since(began); err != nil || took != 2500*time.Millisecond {
						t.Errorf("another address: %v after %v", err, took)
					}
				})
			}
			asking.Wait()
		}
		stop()
		all.Wait()
		if g.turns.taken != 0 || len(g.turns.lines) != 0 || g.turns.queued.Len() != 0 {
			t.Errorf("left behind: %d turns, %d lines, %d queued", g.turns.taken, len(g.turns.lines), g.turns.queued.Len())
		}
	})
}

// Where all turns are taken, by however many addresses, a newcomer waits for no more
// than one turn of each of them.
func TestTurnsGoAround(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		turns := newTurns(4)
		begin := func(from netip.Addr) <-chan struct{} {
			got := make(chan struct{})
			go func() {
				if turns.take(t.Context(), from) {
					close(got)
				}
			}()
			synctest.Wait()
			return got
		}
		has := func(ch <-chan struct{}) bool {
			synctest.Wait()
			select {
			case <-ch:
				return true
			default:
				return false
			}
		}
		nowhere := netip.Addr{}
		for range 4 { // who has no address may have all
			if !has(begin(nowhere)) {
				t.Fatal("there is no turn")
			}
		}
		first, second, third := begin(flooder), begin(flooder), begin(others[0])
		turns.give(nowhere)
		if !has(first) || has(second) || has(third) {
			t.Error("not the one who has waited longest")
		}
		turns.give(nowhere)
		if !has(third) || has(second) {
			t.Error("an address has two of four turns")
		}
		turns.give(nowhere) // which nobody may have
		turns.give(flooder)
		if !has(second) {
			t.Error("nobody gets the turn of one who is through")
		}
	})
}

// Who does not wait any more gets no turn, and takes none away.
func TestTurnsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		turns := newTurns(1)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if !turns.take(over, flooder) {
			t.Error("a turn that is free is not taken")
		}
		if turns.take(over, others[0]) || turns.take(over, flooder) {
			t.Error("there are two turns")
		}
		// However the two meet, no turn is lost.
		for range 200 {
			ctx, leave := context.WithCancel(t.Context())
			got := make(chan bool)
			go func() { got <- turns.take(ctx, others[1]) }()
			synctest.Wait()
			go leave()
			turns.give(flooder)
			if <-got {
				turns.give(others[1])
			}
			if !turns.take(over, flooder) {
				t.Fatal("a turn is lost")
			}
		}
		turns.give(flooder)
		if len(turns.lines) != 0 || turns.taken != 0 {
			t.Errorf("left behind: %d turns, %d lines", turns.taken, len(turns.lines))
		}
	})
}

// Tokens of one address that wait for keys leave room for those of others.
func TestVerifierGivesAddressesTheirShare(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		v, err := New(Config{JWKS: "https://issuer.example/keys"}) // and nobody fetches them
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for range 10 * maxVerifying {
			all.Go(func() { _, _ = v.VerifyFrom(ctx, flooder, "x") })
		}
		synctest.Wait()
		other, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, err := v.VerifyFrom(other, others[0], "x"); !errors.Is(err, ErrKeys) {
			t.Errorf("another address: %v, want a look for the keys", err)
		}
		if _, err := v.VerifyFrom(other, flooder, "x"); !errors.Is(err, ErrBusy) {
			t.Errorf("the address itself: %v", err)
		}
		cancel()
		all.Wait()
	})
}

// Tokens with invented keys, from many addresses, keep nobody out whose key is known.
func TestKnownKeyNeedsNoTurn(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"a": rsaKey.Public()})
	v := started(t, i)
	token := sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for range maxVerifying { // all turns are taken, as if all waited for the issuer
		v.turns.take(t.Context(), netip.Addr{})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := v.VerifyFrom(ctx, others[0], token); err != nil {
		t.Errorf("a known key: %v", err)
	}
	if _, err := v.VerifyFrom(ctx, others[0], sign(t, jwt.SigningMethodRS256, rsaKey, kid("b"), good())); !errors.Is(err, ErrBusy) {
		t.Errorf("an invented key: %v, want %v", err, ErrBusy)
	}
}

// A caller that finds too many others waiting gets no turn, and leaves nothing behind.
func TestTurnsBoundWhoWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		turns := NewTurns(1, 4)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if !turns.Take(over, flooder) {
			t.Fatal("no turn is free")
		}
		ctx, stop := context.WithCancel(t.Context())
		got := make(chan bool, 10)
		for _, from := range []netip.Addr{flooder, flooder, others[0], others[1], others[2], flooder} {
			go func() { got <- turns.Take(ctx, from) }()
			synctest.Wait()
		}
		if len(got) != 2 || <-got || <-got { // the second and the third one of the flooder
			t.Errorf("%d callers did not wait", len(got))
		}
		stop()
		for range 4 {
			if <-got {
				t.Error("there are two turns")
			}
		}
		turns.Give(flooder)
		if u := turns.turns; u.waits != 0 || u.taken != 0 || len(u.lines) != 0 {
			t.Errorf("left behind: %d waiting, %d turns, %d lines", u.waits, u.taken, len(u.lines))
		}
	})
}
