package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/node"
)

// Redis lets several nodes share the rooms of a hub through Redis, 7.0 or
// later. It can not be changed by a reload; that takes a restart.
type Redis struct {
	// Addresses are `<host>:<port>`, or paths of Unix sockets, which begin with a
	// slash. Several alone are as many independent Redis, of which each has its share
	// of the channels; they stand in the same order on all nodes. With `sentinel` they
	// are those of the Sentinels, and with `cluster` those of some of its servers.
	// Placeholders are replaced. Default: `localhost:6379`.
	Addresses []string `json:"addresses,omitempty"`

	// Sentinel has Sentinels asked which Redis is the primary. Default: the addresses
	// are those of Redis.
	Sentinel *RedisSentinel `json:"sentinel,omitempty"`

	// Cluster spreads the channels over a Redis Cluster. Default: the addresses are
	// those of servers that know nothing of each other.
	Cluster *RedisCluster `json:"cluster,omitempty"`

	// Username is that of a Redis ACL. Placeholders are replaced. Default: none,
	// which Redis takes as `default`.
	Username string `json:"username,omitempty"`

	// Password authenticates with Redis. Placeholders are replaced, so that it need
	// not stand in the configuration. Default: none.
	Password string `json:"password,omitempty"`

	// Database is the number of the database. A cluster has no other than 0.
	// Default: 0.
	Database int `json:"database,omitempty"`

	// Prefix begins the name of every key and channel in Redis. Hubs with the same
	// prefix share their rooms. Default: `rt:`, and for a hub with a name
	// `rt:<hub>:`.
	Prefix string `json:"prefix,omitempty"`

	// TLS encrypts the connections to Redis, and to Sentinels. Default: they are
	// plain.
	TLS *RedisTLS `json:"tls,omitempty"`
}

// RedisSentinel says what to ask Sentinels.
type RedisSentinel struct {
	// Master is the name under which they watch the primary. Placeholders are
	// replaced.
	Master string `json:"master"`

	// Username and Password authenticate with the Sentinels, which do not know those
	// of Redis. Placeholders are replaced. Default: none.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// RedisCluster says how the channels are spread over a Redis Cluster.
type RedisCluster struct {
	// Partitions is into how many parts the channels are divided, of which each is on
	// one server; at least as many as there are primaries, at most 1024. Each costs
	// every node a connection. It is the same number on all nodes: nodes with
	// different ones do not see each other's rooms. Default: 16.
	Partitions int `json:"partitions,omitempty"`
}

// RedisTLS says how the connections to Redis are encrypted. The certificate of
// Redis is always verified.
type RedisTLS struct {
	// CA is a PEM file with the certificates that may have signed that of Redis.
	// Default: those that the system trusts.
	CA string `json:"ca,omitempty"`

	// Cert and Key are PEM files with which this node authenticates. Default: it
	// does not.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`

	// ServerName is the name in the certificate of Redis. Default: the host of the
	// address.
	ServerName string `json:"server_name,omitempty"`
}

// check finds what is wrong whatever placeholders turn out to be.
func (c *Redis) check() error {
	switch {
	case c == nil:
		return nil
	case c.TLS != nil && (c.TLS.Cert == "") != (c.TLS.Key == ""):
		return errors.New("tls: 'cert' and 'key' need each other")
	case c.Sentinel != nil && c.Cluster != nil:
		return errors.New("there is either 'sentinel' or 'cluster'")
	case c.Sentinel != nil && c.Sentinel.Master == "":
		return errors.New("'sentinel' needs the name of the primary")
	case c.Sentinel != nil && len(c.Addresses) == 0:
		return errors.New("'sentinel' needs the addresses of the Sentinels")
	case c.Cluster != nil && c.Database != 0:
		return errors.New("a cluster has no other database than 0")
	}
	known := *c
	known.Addresses = slices.DeleteFunc(slices.Clone(c.Addresses), func(a string) bool { return strings.Contains(a, "{") }) // placeholders
	return known.options().Validate()
}

// options are what the backend goes by, TLS aside.
func (c *Redis) options() *redis.Options {
	o := &redis.Options{Username: c.Username, Password: c.Password, Database: c.Database, Prefix: c.Prefix}
	switch {
	case c.Sentinel != nil:
		o.Sentinels, o.Master = c.Addresses, c.Sentinel.Master
		o.SentinelUsername, o.SentinelPassword = c.Sentinel.Username, c.Sentinel.Password
	case c.Cluster != nil:
		if o.Cluster = c.Addresses; len(o.Cluster) == 0 {
			o.Cluster = []string{"localhost:6379"}
		}
		o.Partitions = c.Cluster.Partitions
	case len(c.Addresses) == 1:
		o.Address = c.Addresses[0]
	default:
		o.Shards = c.Addresses
	}
	return o
}

// compile makes the options, for which files are read.
func (c *Redis) compile(read ReadFile) (s node.Store, err error) {
	if err := c.check(); c == nil || err != nil || read == nil {
		return node.Store{}, err
	}
	resolved, err := c.resolve()
	if err != nil {
		return node.Store{}, err
	}
	s.Written, s.Redis = resolved, resolved.options()
	if err := s.Redis.Validate(); err != nil {
		return node.Store{}, err
	}
	if resolved.TLS != nil {
		if s.Redis.TLS, err = resolved.TLS.compile(read); err != nil {
			return node.Store{}, fmt.Errorf("tls: %w", err)
		}
	}
	return s, nil
}

// resolve gives a copy with the placeholders replaced.
func (c *Redis) resolve() (*Redis, error) {
	r := *c
	r.Addresses = slices.Clone(c.Addresses)
	texts := map[string]*string{"username": &r.Username, "password": &r.Password}
	for i := range r.Addresses {
		texts[fmt.Sprintf("address %d", i+1)] = &r.Addresses[i]
	}
	if c.Sentinel != nil {
		sentinel := *c.Sentinel
		r.Sentinel = &sentinel
		texts["sentinel"], texts["sentinel: username"], texts["sentinel: password"] = &sentinel.Master, &sentinel.Username, &sentinel.Password
	}
	if c.TLS != nil {
		t := *c.TLS
		r.TLS = &t
		texts["tls: ca"], texts["tls: cert"], texts["tls: key"], texts["tls: server_name"] = &t.CA, &t.Cert, &t.Key, &t.ServerName
	}
	repl := caddy.NewReplacer()
	for name, text := range texts {
		if *text == "" {
			continue
		}
		resolved, err := repl.ReplaceOrErr(*text, true, true)
		if err != nil { // the error names the placeholder, not its value
			return nil, block.Locate(*text, fmt.Errorf("%s: %w", name, err))
		}
		*text = resolved
	}
	return &r, nil
}

func (c *RedisTLS) compile(read ReadFile) (*tls.Config, error) {
	t := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		text, err := read(c.CA)
		if err != nil {
			return nil, block.Locate(c.CA, err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: no certificate", c.CA)
		}
	}
	if c.Cert == "" {
		return t, nil
	}
	cert, err := read(c.Cert)
	if err != nil {
		return nil, block.Locate(c.Cert, err)
	}
	key, err := read(c.Key)
	if err != nil {
		return nil, block.Locate(c.Key, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	t.Certificates = []tls.Certificate{pair}
	return t, err
}

// Name fills in what of the settings depends on the name of the hub.
func Name(s *node.Settings, hub string) {
	if redis := s.Store.Redis; redis != nil && redis.Prefix == "" && hub != DefaultHub {
		redis.Prefix = "rt:" + hub + ":"
	}
}
