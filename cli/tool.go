package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

const (
	defaultHub = "default"
	// keyVariable is the environment variable with the API key for --url. There is no flag for
	// the key itself: other users of the machine can read the arguments of a program.
	keyVariable = "REALTIME_API_KEY"
)

// tool has the values of the common flags.
type tool struct {
	host    Host
	address string // of the admin endpoint
	hub     string
	url     string // of the site's endpoint; empty: the admin endpoint is used
	keyFile string
	json    bool
}

func (t *tool) flags(f *pflag.FlagSet) {
	f.StringVar(&t.address, "address", "", "address of Caddy's admin endpoint (default $CADDY_ADMIN, else localhost:2019)")
	f.StringVar(&t.hub, "hub", defaultHub, "name of the hub, when the admin endpoint is used")
	f.StringVar(&t.url, "url", "", "use the HTTP API of a site instead, such as https://example.com/realtime")
	f.StringVar(&t.keyFile, "key-file", "", "file with the API key for --url (default: the environment variable "+keyVariable+")")
	f.BoolVar(&t.json, "json", false, "print the server's answer as JSON")
}

// site returns the HTTP API that the flags name.
func (t *tool) site() (*site, error) {
	if t.url == "" {
		return t.adminSite("/realtime/hubs/" + url.PathEscape(t.hub))
	}
	base, err := parseURL(t.url)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	key, err := t.key()
	if err != nil {
		return nil, err
	}
	return &site{client: new(http.Client), base: base, keyed: true, key: key, name: base}, nil
}

// adminSite returns what the admin endpoint has below a path.
func (t *tool) adminSite(path string) (*site, error) {
	if t.url != "" {
		return nil, errors.New("this needs Caddy's admin endpoint: leave out --url, and say --address if it is not localhost:2019")
	}
	address := cmp.Or(t.address, os.Getenv("CADDY_ADMIN"), "localhost:2019")
	client, base, err := t.host.Admin(address)
	if err != nil {
		return nil, fmt.Errorf("--address %s: %w", address, err)
	}
	s := &site{client: client, base: base + path, name: "Caddy's admin endpoint at " + address}
	// Caddy compares the origin with its address. Over a socket file there is none to compare.
	if u, err := url.Parse(base); err == nil && u.Port() != "" {
		s.origin = base
	}
	return s, nil
}

// key returns the API key: from the file, or from the environment.
func (t *tool) key() (string, error) {
	if t.keyFile == "" {
		return os.Getenv(keyVariable), nil
	}
	text, err := os.ReadFile(t.keyFile)
	if err != nil {
		return "", fmt.Errorf("--key-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// parseURL checks the URL of an endpoint. The error does not name the flag, which the caller knows.
func parseURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s is not the address of an endpoint, which begins with http:// or https://, such as https://example.com/realtime", s)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("leave out what follows the path in %s", s)
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}
