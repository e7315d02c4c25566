package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// refreshKeys is the time between two fetches of the key set.
	refreshKeys = 10 * time.Minute
	// unknownKey is the time between two fetches that an unknown key id may cause. Anybody
	// can invent key ids.
	unknownKey = 30 * time.Second
	// fetchTimeout and maxKeySet bound a single fetch.
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20
)

// keySet is a set of keys at a URL. While the URL does not answer, or does not answer with
// keys, the keys of the last successful fetch stay in use.
type keySet struct {
	// Static after start.
	url    string
	client *http.Client
	once   sync.Once
	ready  chan struct{} // closed after the first fetch
	keys   *fetched      // may be shared with an earlier set of the URL
	ctx    context.Context
	report func(error)

	mu      sync.Mutex
	running chan struct{} // closed when the fetch under way ends; nil without one
	asked   time.Time     // when an unknown key caused a fetch last
	ignored string        // what was reported last about ignored keys
}

func newKeySet(address string, client *http.Client) (*keySet, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("auth: the URL of the key set can not be parsed: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("auth: the key set's URL must be https (http only for a loopback address), not %q", address)
	}
	if client == nil {
		client = fetcher(u)
	}
	return &keySet{url: address, client: client, ready: make(chan struct{}), keys: new(fetched)}, nil
}

// fetched holds the keys of the last successful fetch.
type fetched struct {
	mu   sync.RWMutex
	keys map[string][]key // by ID; nil before the first good fetch; not changed any more
	away bool             // the last fetch failed
}

func (f *fetched) replace(keys map[string][]key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys, f.away = keys, false
}

func (f *fetched) fail() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
}

// get returns the keys with an id. If there is none, the error is [ErrKeys] when the issuer
// may have a key that was not fetched, and errUnknownKey otherwise.
func (f *fetched) get(id string) ([]key, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	switch keys := f.keys[id]; {
	case len(keys) > 0:
		return keys, nil
	case f.keys == nil, f.away && id != "":
		return nil, ErrKeys
	}
	return nil, errUnknownKey
}

// known reports whether the key that a token names was fetched already. Such a token needs
// no fetch.
func (s *keySet) known(token string) bool {
	if len(token) > maxToken {
		return false
	}
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header map[string]any
	if err != nil || json.Unmarshal(text, &header) != nil {
		return false
	}
	id, _ := header["kid"].(string)
	_, err = s.keys.get(id)
	return err == nil
}

// start starts a goroutine that fetches the set again and again until ctx ends. It does not
// wait for the first fetch, so that a configuration loads while the issuer is away.
func (s *keySet) start(ctx context.Context, report func(error)) {
	s.once.Do(func() {
		s.ctx, s.report = ctx, report
		first := s.fetchOnce()
		go func() {
			defer guard.Recover(nil, "the start of the fetches of a key set")
			<-first
			close(s.ready)
			guard.Loop(ctx.Done(), nil, "the fetches of a key set", s.refresh)
		}()
	})
}

func (s *keySet) refresh() {
	tick := time.NewTicker(refreshKeys)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			<-s.fetchOnce()
		}
	}
}

// fetchOnce starts a fetch, unless one is under way. It returns a channel that is closed at
// the end of the fetch.
func (s *keySet) fetchOnce() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetchLocked()
}

// fetchLocked is fetchOnce with mu held.
func (s *keySet) fetchLocked() <-chan struct{} {
	if s.running != nil {
		return s.running
	}
	done := make(chan struct{})
	s.running = done
	go func() {
		defer guard.Recover(nil, "the fetch of a key set", s.keys.fail, func() { s.fetchEnded(done) })
		s.fetch()
		s.fetchEnded(done)
	}()
	return done
}

func (s *keySet) fetchEnded(done chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	close(done)
}

func (s *keySet) fetch() {
	text, err := fetch(s.ctx, s.client, s.url)
	var keys map[string][]key
	var ignored error
	if err == nil {
		keys, ignored, err = parseSet(text)
	}
	if err != nil {
		s.keys.fail()
		s.report(err)
		return
	}
	s.keys.replace(keys)
	s.reportIgnored(ignored)
}

// reportIgnored reports the ignored keys, once for each set that the issuer serves.
func (s *keySet) reportIgnored(ignored error) {
	text := ""
	if ignored != nil {
		text = ignored.Error()
	}
	s.mu.Lock()
	known := s.ignored == text
	s.ignored = text
	s.mu.Unlock()
	if !known && ignored != nil {
		s.report(ignored)
	}
}

// keyfunc waits for the first fetch and returns the function that selects a token's keys.
func (s *keySet) keyfunc(ctx context.Context) (jwt.Keyfunc, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, ErrKeys
	}
	return func(t *jwt.Token) (any, error) { return s.find(ctx, t) }, nil
}

var errUnknownKey = errors.New("the key set has no key with the kid of the token")

// find returns the keys that a token names. A token without a kid is verified with keys
// without one. Keys with the same kid differ by their algorithm.
func (s *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	name, named := t.Header["kid"]
	id, isText := name.(string)
	if named && (!isText || id == "") {
		return nil, errors.New("the kid of the token must be a string that is not empty")
	}
	keys, err := s.keys.get(id)
	if err != nil && (named || errors.Is(err, ErrKeys)) {
		s.refetch(ctx)
		keys, err = s.keys.get(id)
	}
	if err != nil {
		return nil, err
	}
	return choose(t, keys)
}

// refetch waits for the fetch that is under way. If there is none, and the last one for an
// unknown key was long enough ago, it starts one. The fetch serves all clients: it goes on
// if the client that caused it leaves.
func (s *keySet) refetch(ctx context.Context) {
	s.mu.Lock()
	done := s.running
	if done == nil && time.Since(s.asked) >= unknownKey {
		s.asked = time.Now()
		s.fetchLocked()
		done = s.running
	}
	s.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}
