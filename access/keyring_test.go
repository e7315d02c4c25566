package access

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/config"
)

// write puts a text in the place of a file at once, as who rotates a secret should.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// API keys in files change while the route is in use; what can not be used changes
// nothing and is said once.
func TestAPIKeysInFiles(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		keys := new(Keyring)
		write(t, first, "old\n")
		write(t, second, "old\n")
		if err := keys.Provision([]string{"{file." + first + "}", "{file." + second + "}"}, nil, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			first, second string
			wait          time.Duration
			good, bad     string
			warnings      int
		}{
			{"old", "old", 0, "old", "new", 0},
			{"new", "old", time.Second, "new old", "none", 0},
			{"new", "new", time.Second, "new", "old", 0},
			{"", "new", time.Second, "new", "old", 1},
			{"", "new", 10 * time.Second, "new", "old", 1},
			{" newer\t", "new", 10 * time.Second, "new", "newer", 2},
			{"newest", "newest", 10 * time.Second, "newest", "new", 2},
		} {
			write(t, first, step.first)
			write(t, second, step.second)
			time.Sleep(step.wait)
			for _, key := range strings.Fields(step.good) {
				if keys.match(key) == nil {
					t.Errorf("with %q and %q %q is refused", step.first, step.second, key)
				}
			}
			if keys.match(step.bad) != nil {
				t.Errorf("with %q and %q %q is accepted", step.first, step.second, step.bad)
			}
			if n := strings.Count(log.String(), "level=WARN"); n != step.warnings {
				t.Errorf("%d warnings, want %d: %s", n, step.warnings, &log)
			}
		}
		if strings.Contains(log.String(), "newest") {
			t.Errorf("a key is in the log: %s", &log)
		}
	})
}

// Two keys that are written differently and are the same are a mistake, unless files say
// so in the course of a rotation; a key never has two scopes.
func TestSameAPIKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write(t, file, "same")
	t.Setenv("REALTIME_TEST_SAME_KEY", "same")
	inFile, inEnv := "{file."+file+"}", "{env.REALTIME_TEST_SAME_KEY}"
	scoped := func(key string, may ...string) config.APIKey {
		return config.APIKey{Key: key, Allow: map[string][]string{"publish": may}}
	}
	for name, tc := range map[string]struct {
		full   []string
		scoped []config.APIKey
		ok     bool
	}{
		"in a file and in a variable": {[]string{inFile, inEnv}, nil, true},
		"in a variable":               {[]string{inEnv, "same"}, nil, false},
		"with a scope":                {[]string{inFile}, []config.APIKey{scoped(inEnv, "a")}, false},
		"with the same scope":         {nil, []config.APIKey{scoped(inFile, "a"), scoped(inEnv, "a")}, true},
		"with two scopes":             {nil, []config.APIKey{scoped(inFile, "a"), scoped(inEnv, "b")}, false},
	} {
		if err := new(Keyring).Provision(tc.full, tc.scoped, slog.New(slog.DiscardHandler)); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The keys for tokens change with their files.
func TestTokenKeysInFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	ed := func() string {
		public, _, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	long := strings.Repeat("x", 32)
	for name, tc := range map[string]struct {
		config     *config.Token
		one, other string
		bad        []string
		warnings   int // one for each error that differs from the last
	}{
		"hmac":       {&config.Token{HMAC: []string{"{file." + file + "}", "{file." + file + "} of others"}}, long + "1", long + "2", []string{"", "short"}, 2},
		"public_key": {&config.Token{PublicKey: []string{file}}, ed(), ed(), []string{"", "no key", ed()[:40]}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				write(t, file, tc.one)
				v, err := newVerifier(tc.config, os.ReadFile, slog.New(slog.NewTextHandler(&log, nil)))
				if err != nil {
					t.Fatal(err)
				}
				steps := append([]string{tc.one, tc.other, tc.other}, tc.bad...)
				for _, text := range append(steps, tc.other, tc.one) {
					write(t, file, text)
					time.Sleep(10 * time.Second)
					_, _ = v.Verify(t.Context(), "a.b.c")
				}
				if n := strings.Count(log.String(), "are in force"); n != 2 {
					t.Errorf("%d changes, want 2: %s", n, &log)
				}
				if n := strings.Count(log.String(), "level=WARN"); n != tc.warnings {
					t.Errorf("%d warnings, want %d: %s", n, tc.warnings, &log)
				}
				if strings.Contains(log.String(), "short") || strings.Contains(log.String(), long) {
					t.Errorf("a secret is in the log: %s", &log)
				}
			})
		})
	}
}
