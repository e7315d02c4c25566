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

// Redis lets several nodes share the rooms of a hub through Redis, 7.0 or later. A reload
// can not change it; that takes a restart.
type Redis struct {
	// Addresses are `<host>:<port>`, or paths of Unix sockets, which start with a slash.
	// Several addresses alone are independent servers, and each has a share of the
	// channels; they must be in the same order on all nodes. With `sentinel` they are the
	// addresses of the Sentinels, with `cluster` those of some servers of the cluster. May
	// contain placeholders. Default: `localhost:6379`.
	Addresses []string `json:"addresses,omitempty"`

	// Sentinel makes the node ask Redis Sentinel for the address of the primary. Default:
	// the addresses are those of Redis.
	Sentinel *RedisSentinel `json:"sentinel,omitempty"`

	// Cluster spreads the channels over a Redis Cluster. Default: the addresses are those
	// of independent servers.
	Cluster *RedisCluster `json:"cluster,omitempty"`

	// Username is that of a Redis ACL. May contain placeholders. Default: none, which
	// Redis takes as `default`.
	Username string `json:"username,omitempty"`

	// Password authenticates with Redis. May contain placeholders such as
	// {env.REDIS_PASSWORD}, so that it need not stand in the configuration. Default: none.
	Password string `json:"password,omitempty"`

	// Database is the number of the database. A cluster has only database 0. Default: 0.
	Database int `json:"database,omitempty"`

	// Prefix starts the name of every key and channel in Redis. Hubs with the same prefix
	// share their rooms. Default: `rt:`, and for a hub with a name `rt:<hub>:`.
	Prefix string `json:"prefix,omitempty"`

	// TLS encrypts the connections to Redis and to Sentinels. Default: they are plain.
	TLS *RedisTLS `json:"tls,omitempty"`
}

// RedisSentinel says what to ask Sentinels.
type RedisSentinel struct {
	// Master is the name by which the Sentinels know the primary. May contain
	// placeholders. Required.
	Master string `json:"master"`

	// Username and Password authenticate with the Sentinels, which do not know those of
	// Redis. May contain placeholders. Default: none.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// RedisCluster says how the channels are spread over a Redis Cluster.
type RedisCluster struct {
	// Partitions is the number of parts into which the channels are divided. Each part is
	// on one server, and costs every node a connection. There are at least as many as
	// primaries, at most 1024. All nodes must have the same number: nodes with different
	// numbers do not see each other's rooms. Default: 16.
	Partitions int `json:"partitions,omitempty"`
}

// RedisTLS says how the connections to Redis are encrypted. The certificate of Redis is
// always verified.
type RedisTLS struct {
	// CA is a PEM file with the certificates that may have signed that of Redis. Default:
	// the certificates that the system trusts.
	CA string `json:"ca,omitempty"`

	// Cert and Key are PEM files with which this node authenticates. Either needs the
	// other. Default: the node does not authenticate.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`

	// ServerName is the name in the certificate of Redis. Default: the host of the
	// address.
	ServerName string `json:"server_name,omitempty"`
}

// check reports what is wrong whatever the values of the placeholders are.
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

// options returns the options of the backend, without TLS.
func (c *Redis) options() *redis.Options {
	o := &redis.Options{Username: c.Username, Password: c.Password, Database: c.Database, Prefix: c.Prefix}
	switch {
	case c.Sentinel != nil:
		o.Sentinels, o.Master = c.Addresses, c.Sentinel.Master
		o.SentinelUsername, o.SentinelPassword = c.Sentinel.Username, c.Sentinel.Password
	case c.Cluster != nil:
		if o.Cluster = c.Addresses; len(o.Cluster) == 0 {
			o.Cluster = []string{redis.DefaultAddress}
		}
		o.Partitions = c.Cluster.Partitions
	case len(c.Addresses) == 1:
		o.Address = c.Addresses[0]
	default:
		o.Shards = c.Addresses
	}
	return o
}

// compile checks the options and, unless read is nil, makes those of the backend.
func (c *Redis) compile(read ReadFile) (s node.Store, err error) {
	if err := c.check(); c == nil || err != nil || read == nil {
		return node.Store{}, err
	}
	resolved, err := c.resolve()
	if err != nil {
		return node.Store{}, err
	}
	s.Written, s.Redis = resolved, resolved.options()
	s.Option = strings.TrimSpace("redis " + strings.Join(resolved.Addresses, " "))
	if len(c.Addresses) > 0 {
		s.Place = block.Place(c.Addresses[0])
	}
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

// resolve returns a copy with the placeholders replaced.
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

// SetHub sets what depends on the name of the hub: the default of [Redis.Prefix], and the owner
// of a [Store].
func SetHub(s *node.Settings, hub string) {
	if o := s.Store.Disk; o != nil {
		o.Hub = hub
	}
	if o := s.Store.Redis; o != nil && o.Prefix == "" && hub != DefaultHub {
		o.Prefix = redis.DefaultPrefix + hub + ":"
	}
}
