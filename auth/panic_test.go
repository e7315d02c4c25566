package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// carrier is an [http.RoundTripper] without a network. Its first answers are bad.
type carrier struct {
	text string
	bad  int32
	fail func() error
	sent atomic.Int32
}

func (c *carrier) RoundTrip(*http.Request) (*http.Response, error) {
	if c.sent.Add(1) <= c.bad {
		return nil, c.fail()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(c.text))}, nil
}

func newCarrier(t *testing.T) *carrier {
	text, err := json.Marshal(set(t, map[string]any{"a": rsaKey.Public()}))
	if err != nil {
		t.Fatal(err)
	}
	return &carrier{text: string(text)}
}

const address = "https://issuer.example/keys"

// A fetch that panics is a fetch that failed, the first one as well: whoever waits for it
// is told that there are no keys, and the next fetch brings them.
func TestPanicInTheFetchOfAKeySet(t *testing.T) {
	log := panictest.Default(t)
	for name, tc := range map[string]struct {
		fail   func() error
		report func(error)
	}{
		"client": {func() error { panic("bug") }, func(error) {}},
		"report": {func() error { return errors.New("away") }, func(error) { panic("bug") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c := newCarrier(t)
				c.bad, c.fail = 2, tc.fail
				v := verifier(t, Config{JWKS: address, Client: &http.Client{Transport: c}})
				v.Start(ctx, tc.report)
				token := sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())
				if _, err := v.Verify(ctx, token); !errors.Is(err, ErrKeys) {
					t.Errorf("after two fetches that panic: %v", err)
				}
				time.Sleep(unknownKey)
				if _, err := v.Verify(ctx, token); err != nil {
					t.Errorf("after a good fetch: %v", err)
				}
			})
		})
	}
	if got := log.Panics(t, "the fetch of a key set"); len(got) != 4 || got[0] != "bug" {
		t.Errorf("panics: %q", got)
	}
}

// brittleContext panics the first time that a method of keySet asks whether it is over.
type brittleContext struct {
	context.Context
	in    string
	asked atomic.Bool
}

func (c *brittleContext) Done() <-chan struct{} {
	if strings.Contains(string(debug.Stack()), c.in) && !c.asked.Swap(true) {
		panic("context")
	}
	return c.Context.Done()
}

// The set is fetched again and again, also after a panic of what does it.
func TestPanicInTheFetchesOfAKeySet(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := newCarrier(t)
		v := verifier(t, Config{JWKS: address, Client: &http.Client{Transport: c}})
		v.Start(&brittleContext{Context: ctx, in: "(*keySet).refresh"}, func(err error) { t.Error(err) })
		time.Sleep(2*refreshKeys + time.Minute)
		if n := c.sent.Load(); n != 3 {
			t.Errorf("%d fetches in two intervals", n)
		}
		log.Once(t, "the fetches of a key set", "context")
	})
}

// Without the goroutine that fetches again, tokens are verified with the keys of the first
// fetch, and an unknown key still causes one.
func TestPanicInTheStartOfTheFetches(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := newCarrier(t)
		v := verifier(t, Config{JWKS: address, Client: &http.Client{Transport: c}})
		v.Start(&brittleContext{Context: ctx, in: "(*keySet).start"}, func(err error) { t.Error(err) })
		synctest.Wait()
		if _, err := v.Verify(ctx, sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())); err != nil {
			t.Error(err)
		}
		log.Once(t, "the start of the fetches of a key set", "context")
	})
}
