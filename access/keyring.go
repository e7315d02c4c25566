package access

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/internal/renew"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Keyring has the API keys of a route. It reads keys in files again while they are in use,
// so that one key can replace another without a reload. The zero Keyring has no keys.
type Keyring struct {
	// Static after Provision.
	written []writtenKey
	log     *slog.Logger
	files   bool // a key is in a file

	now  atomic.Pointer[apiKeys] // nil without keys
	gate renew.Gate
	said complaint
}

// writtenKey is a key as the configuration has it.
type writtenKey struct {
	place string // in words for errors, which never show a key
	text  string // usually a placeholder
	scope *policy.Scope
	may   string // what the scope says; empty: everything
}

// Of returns the API key that a request has; nil if it has none.
func (k *Keyring) Of(r *http.Request) *Key {
	token, sent := bearer(r)
	if !sent {
		return nil
	}
	return k.match(token)
}

// match returns the key that equals the token; nil if there is none.
func (k *Keyring) match(token string) *Key {
	if k.files {
		k.gate.Look(k.renew)
	}
	keys := k.now.Load()
	if keys == nil {
		return nil
	}
	return keys.match(token)
}

// renew reads the keys again and puts them in force if they differ. Files that can not be
// used, perhaps because they are being written, leave the keys as they are.
func (k *Keyring) renew() error {
	keys, err := k.resolve()
	switch {
	case err == nil && !slices.EqualFunc(keys, *k.now.Load(), Key.equal):
		k.now.Store(&keys)
		k.log.Info("API keys have changed and are in force")
	case k.said.isNew(err):
		k.log.Warn("the API keys can not be read again; those from before stay in force", "error", err)
	}
	return err
}

// resolve returns the keys. A key that is written in two places counts once.
func (k *Keyring) resolve() (keys apiKeys, err error) {
	places := make(map[string]writtenKey)
	for _, w := range k.written {
		key, err := block.Resolve(w.text)
		if err != nil {
			return nil, block.Locate(w.text, fmt.Errorf("%s: %w", w.place, err)) // names the placeholder, not the key
		}
		if strings.TrimSpace(key) != key {
			return nil, fmt.Errorf("%s begins or ends with white space, and so would never be found in a request", w.place)
		}
		other, again := places[key]
		switch {
		case again && (other.may != w.may || !block.InFile(w.text) && !block.InFile(other.text)):
			return nil, fmt.Errorf("%s is the same as %s", w.place, other.place)
		case again:
			continue
		}
		places[key] = w
		keys = append(keys, newAPIKey(key, w.scope))
	}
	return keys, nil
}

// Provision resolves the keys, those that may do everything and those with a scope.
// Errors name the place of a key and never show it.
func (k *Keyring) Provision(full []string, scoped []config.APIKey, log *slog.Logger) error {
	written, err := writtenKeys(full, scoped)
	if err != nil || len(written) == 0 {
		return err
	}
	k.written, k.log = written, log
	k.files = slices.ContainsFunc(written, func(w writtenKey) bool { return block.InFile(w.text) })
	keys, err := k.resolve()
	if err != nil {
		return err
	}
	k.now.Store(&keys)
	for _, w := range written {
		if block.InTheClear(w.text) {
			log.Warn("an API key stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "key", w.place)
		}
	}
	return nil
}

// writtenKeys checks the keys, those that may do everything and those with a scope.
func writtenKeys(full []string, scoped []config.APIKey) (all []writtenKey, err error) {
	if err := config.CheckAPIKeys(full); err != nil {
		return nil, err
	}
	for i, key := range full {
		all = append(all, writtenKey{place: fmt.Sprintf("key %d", i+1), text: key})
	}
	for i, c := range scoped {
		w := writtenKey{place: fmt.Sprintf("key %d with a scope", i+1), text: c.Key, may: fmt.Sprint(c.Allow, c.Manage)}
		if w.scope, err = c.Scope(); err == nil {
			err = config.CheckAPIKeys([]string{c.Key})
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.place, err)
		}
		all = append(all, w)
	}
	return all, nil
}
