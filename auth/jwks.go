package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// refreshKeys is how often the key set is fetched.
	refreshKeys = 10 * time.Minute
	// unknownKey bounds how often an unknown key ID makes it be fetched: anybody
	// can invent key IDs.
	unknownKey = 30 * time.Second
	// fetchTimeout and maxKeySet bound a single fetch.
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20
)

// keySet is a set of keys at a URL. What was fetched last stays in use while the
// URL does not answer.
type keySet struct {
	// Static after start.
	url    string
	client *http.Client
	ready  chan struct{} // closed after the first fetch
	keys   *fetched      // may be shared with an earlier set of the URL

	// Written before ready is closed.
	find keyfunc.Keyfunc
	err  error
}

func newKeySet(address string, client *http.Client) (*keySet, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("auth: the key set's URL: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("auth: the key set's URL must be https (http only for a loopback address), not %q", address)
	}
	if client == nil {
		client = fetcher(u.Host)
	}
	return &keySet{url: address, client: client, ready: make(chan struct{}), keys: &fetched{Storage: jwkset.NewMemoryStorage()}}, nil
}

// fetched are the keys as they were fetched last.
type fetched struct {
	jwkset.Storage
	away atomic.Bool // the last fetch failed
}

// KeyReplaceAll is called when a fetch went well.
func (f *fetched) KeyReplaceAll(ctx context.Context, keys []jwkset.JWK) error {
	f.away.Store(false)
	return f.Storage.KeyReplaceAll(ctx, keys)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetcher returns a client that stays on one host and reads little.
func fetcher(host string) *http.Client {
	return &http.Client{
		Timeout:   fetchTimeout,
		Transport: bounded{http.DefaultTransport.(*http.Transport).Clone()},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != host || len(via) > 3 {
				return errors.New("the key set's URL redirects to another host")
			}
			return nil
		},
	}
}

// bounded cuts off responses that are larger than a key set can be.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxKeySet), res.Body}
	}
	return res, err
}

var errKeySet = errors.New("the key set could not be fetched")

// start fetches the set in a goroutine, so that a configuration can be loaded
// while the issuer is away.
func (s *keySet) start(ctx context.Context, report func(error)) {
	go func() {
		defer close(s.ready)
		defer guard.Recover(nil, "the first fetch of a key set", func() { s.err = errKeySet })
		s.find, s.err = s.load(ctx, report)
	}()
}

func (s *keySet) load(ctx context.Context, report func(error)) (keyfunc.Keyfunc, error) {
	store, err := jwkset.NewStorageFromHTTP(s.url, jwkset.HTTPClientStorageOptions{
		Client: s.client, Ctx: ctx, HTTPTimeout: fetchTimeout, RefreshInterval: refreshKeys,
		Storage: s.keys, NoErrorReturnFirstHTTPReq: true,
		RefreshErrorHandler: func(_ context.Context, err error) {
			s.keys.away.Store(true)
			report(err)
		},
	})
	if err != nil {
		return nil, err
	}
	client, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{s.url: store},
		RateLimitWaitMax:  fetchTimeout, // bounds the fetch as well
		RefreshUnknownKID: rate.NewLimiter(rate.Every(unknownKey), 1),
	})
	if err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{
		Ctx: ctx, Storage: client,
		UseWhitelist: []jwkset.USE{jwkset.UseSig, ""}, // not those for encryption
	})
}

// keyfunc waits for the first fetch and returns what selects a token's key.
func (s *keySet) keyfunc(ctx context.Context) (jwt.Keyfunc, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, ErrKeys
	}
	if s.err != nil {
		return nil, ErrKeys
	}
	return s.find1(ctx), nil
}

// find1 selects one key and refuses weak ones. A fetch that an unknown key makes
// necessary is for everybody, and goes on if the client leaves, whose token may be the
// only one for which it is done in a while.
func (s *keySet) find1(ctx context.Context) jwt.Keyfunc {
	find := s.find.KeyfuncCtx(context.WithoutCancel(ctx))
	return func(t *jwt.Token) (any, error) {
		if _, named := t.Header["kid"]; !named {
			return nil, errors.New("the token names no key (kid)")
		}
		key, err := find(t)
		if err != nil {
			return nil, s.explain(ctx, t, err)
		}
		if weak, ok := key.(*rsa.PublicKey); ok && weak.N.BitLen() < minRSA {
			return nil, fmt.Errorf("the RSA key has %d bits, at least %d are needed", weak.N.BitLen(), minRSA)
		}
		return key, nil
	}
}

// explain tells a token with an unknown key from a set that was never fetched, or may
// have the key by now.
func (s *keySet) explain(ctx context.Context, t *jwt.Token, err error) error {
	kid, _ := t.Header["kid"].(string)
	if _, e := s.keys.KeyRead(ctx, kid); errors.Is(e, jwkset.ErrKeyNotFound) && s.keys.away.Load() {
		return ErrKeys
	}
	if keys, all := s.find.Storage().KeyReadAll(ctx); all != nil || len(keys) == 0 {
		return ErrKeys
	}
	return err
}
