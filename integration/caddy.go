// Package integration holds what tests of the whole need, and those tests: a real
// Caddy in the test's own process, with this module in it.
//
// Caddy has one configuration for each process, so that only one [Caddy] runs at a
// time. Tests that start one need not care, but gain nothing from t.Parallel, and
// start none in a subtest of a test that has one already.
package integration

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // a Caddy as it is built

	_ "github.com/caddy-realtime/caddy-realtime" // what is tested
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
)

// process is held by the test whose configuration is loaded.
var process sync.Mutex

// Caddy is the Caddy of this process, with one test's configuration.
type Caddy struct {
	t     testing.TB
	store string            // for certificates
	addrs map[string]string // by the word in the Caddyfile; kept over reloads
}

// Start loads a Caddyfile and stops it at the end of the test. A word in double
// braces, such as {{site}}, becomes an address of its own on 127.0.0.1, without a
// scheme: write http://{{site}} for a site without TLS. The admin endpoint is off
// unless the Caddyfile gives it an address, and nothing is written outside of the
// test's own directory.
func Start(t testing.TB, caddyfile string) *Caddy {
	t.Helper()
	process.Lock()
	c := &Caddy{t: t, store: t.TempDir(), addrs: make(map[string]string)}
	t.Cleanup(func() {
		defer process.Unlock()
		c.Stop()
		// Caddy ends its admin endpoint only with the next configuration.
		if err := caddy.Run(&caddy.Config{Admin: &caddy.AdminConfig{Disabled: true}}); err != nil {
			t.Error(err)
		}
		c.Stop()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if t.Failed() {
			t.Logf("Caddy's log:\n%s", caddyLog.take())
		}
	})
	caddyLog.take() // what is left over from another test
	if err := c.Load(caddyfile); err != nil {
		t.Fatal(err)
	}
	return c
}

// Reload loads another Caddyfile in place of the first; addresses stay the same.
func (c *Caddy) Reload(caddyfile string) {
	c.t.Helper()
	if err := c.Load(caddyfile); err != nil {
		c.t.Fatal(err)
	}
}

// Load is Reload for Caddyfiles that may be wrong.
func (c *Caddy) Load(caddyfile string) error {
	c.t.Helper()
	config, err := c.adapt(caddyfile)
	if err != nil {
		return err
	}
	err = caddy.Load(config, true)
	settleListeners(c.addrs)
	// In the background, and at any time from now on, the servers of the configuration
	// before close connections on which nothing happens: a request must not meet that.
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return err
}

// Stop stops Caddy before the test ends.
func (c *Caddy) Stop() {
	c.t.Helper()
	if err := caddy.Stop(); err != nil {
		c.t.Error(err)
	}
}

// Addr gives the address that a word in double braces stands for.
func (c *Caddy) Addr(word string) string {
	c.t.Helper()
	if c.addrs[word] == "" {
		c.t.Fatalf("no {{%s}} in the Caddyfile", word)
	}
	return c.addrs[word]
}

// WaitLog waits until Caddy has logged a line that contains text, since the start
// of the test, and returns the line. Without one the test fails.
func (c *Caddy) WaitLog(text string) string {
	c.t.Helper()
	line, ok := caddyLog.wait(text, 10*time.Second)
	if !ok {
		c.t.Fatalf("nothing like %q was logged", text)
	}
	return line
}

var braces = regexp.MustCompile(`{{(\w+)}}`)

// adapt turns a Caddyfile into a configuration that is fit for a test.
func (c *Caddy) adapt(caddyfile string) ([]byte, error) {
	text := braces.ReplaceAllStringFunc(caddyfile, func(s string) string {
		return c.addr(strings.Trim(s, "{}"))
	})
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return nil, err
	}
	var config map[string]any
	if err := json.Unmarshal(adapted, &config); err != nil {
		return nil, err
	}
	c.confine(config)
	return json.Marshal(config)
}

// confine keeps a configuration away from what is outside of the test.
func (c *Caddy) confine(config map[string]any) {
	admin := child(config, "admin")
	admin["disabled"] = admin["listen"] == nil
	admin["config"] = map[string]any{"persist": false}
	config["storage"] = map[string]any{"module": "file_system", "root": c.store}
	log := child(config, "logging", "logs", "default")
	log["level"] = "DEBUG"
	log["writer"] = map[string]any{"output": "integration"}
	for name := range child(config, "apps", "http", "servers") {
		srv := child(config, "apps", "http", "servers", name)
		listen, _ := srv["listen"].([]any)
		for i, addr := range listen {
			if s, ok := addr.(string); ok && strings.HasPrefix(s, ":") {
				listen[i] = "127.0.0.1" + s // a site's address only says which requests it answers
			}
		}
		// The redirects would listen on port 80.
		child(srv, "automatic_https")["disable_redirects"] = true
	}
	// An HTTPS site is enough to make the authority, without any word of it here.
	child(config, "apps", "pki", "certificate_authorities", "local")["install_trust"] = false
	// Its goroutine would outlive the test by seconds.
	child(config, "apps", "tls")["disable_storage_clean"] = true
}

// child goes down into nested objects and makes those that are missing.
func child(m map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, ok := m[name].(map[string]any)
		if !ok {
			next = make(map[string]any)
			m[name] = next
		}
		m = next
	}
	return m
}

// addr gives a word its address. It is not left to the system to pick a port while
// Caddy listens, because then it would be another one after each reload.
func (c *Caddy) addr(word string) string {
	if c.addrs[word] == "" {
		c.addrs[word] = freeport.Addr(c.t)
	}
	return c.addrs[word]
}
