package realtime

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/backend/redis"
)

// RedisConfig lets several nodes share the rooms of a hub through one Redis, 7.0 or
// later. It can not be changed by a reload; that takes a restart.
type RedisConfig struct {
	// Address is `<host>:<port>`, or the path of a Unix socket, which begins with a
	// slash. Placeholders are replaced. Default: `localhost:6379`.
	Address string `json:"address,omitempty"`

	// Username is that of a Redis ACL. Placeholders are replaced. Default: none,
	// which Redis takes as `default`.
	Username string `json:"username,omitempty"`

	// Password authenticates with Redis. Placeholders are replaced, so that it need
	// not stand in the configuration. Default: none.
	Password string `json:"password,omitempty"`

	// Database is the number of the database. Default: 0.
	Database int `json:"database,omitempty"`

	// Prefix begins the name of every key and channel in Redis. Hubs with the same
	// prefix share their rooms. Default: `rt:`, and for a hub with a name
	// `rt:<hub>:`.
	Prefix string `json:"prefix,omitempty"`

	// TLS encrypts the connections to Redis. Default: they are plain.
	TLS *RedisTLSConfig `json:"tls,omitempty"`
}

// RedisTLSConfig says how the connections to Redis are encrypted. The certificate of
// Redis is always verified.
type RedisTLSConfig struct {
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

// store is where the rooms of a hub are kept: in this process, or in a Redis.
type store struct {
	// redis is nil without one, else the options that are in force.
	redis *redis.Options
	// config is what the options were made of, placeholders replaced.
	config RedisConfig
	tls    RedisTLSConfig
}

// check finds what is wrong whatever placeholders turn out to be.
func (c *RedisConfig) check() error {
	switch {
	case c == nil:
		return nil
	case c.TLS != nil && (c.TLS.Cert == "") != (c.TLS.Key == ""):
		return errors.New("tls: 'cert' and 'key' need each other")
	}
	o := redis.Options{Database: c.Database, Prefix: c.Prefix}
	if !strings.Contains(c.Address, "{") { // no placeholder
		o.Address = c.Address
	}
	return o.Validate()
}

// compile makes the options, for which files are read.
func (c *RedisConfig) compile(read readFile) (s store, err error) {
	if err := c.check(); c == nil || err != nil || read == nil {
		return store{}, err
	}
	s.config = *c
	s.config.TLS = nil
	if c.TLS != nil {
		s.tls = *c.TLS
	}
	repl := caddy.NewReplacer()
	for name, value := range map[string]*string{
		"address": &s.config.Address, "username": &s.config.Username, "password": &s.config.Password,
		"ca": &s.tls.CA, "cert": &s.tls.Cert, "key": &s.tls.Key, "server_name": &s.tls.ServerName,
	} {
		if *value == "" {
			continue
		}
		if *value, err = repl.ReplaceOrErr(*value, true, true); err != nil { // the error names the placeholder, not its value
			return store{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	s.redis = &redis.Options{
		Address: s.config.Address, Username: s.config.Username, Password: s.config.Password,
		Database: s.config.Database, Prefix: s.config.Prefix,
	}
	if err := s.redis.Validate(); err != nil {
		return store{}, err
	}
	if c.TLS != nil {
		if s.redis.TLS, err = s.tls.compile(read); err != nil {
			return store{}, fmt.Errorf("tls: %w", err)
		}
	}
	return s, nil
}

func (c *RedisTLSConfig) compile(read readFile) (*tls.Config, error) {
	t := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		text, err := read(c.CA)
		if err != nil {
			return nil, err
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
		return nil, err
	}
	key, err := read(c.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	t.Certificates = []tls.Certificate{pair}
	return t, err
}

// forHub fills in what depends on the name of the hub.
func (s *store) forHub(name string) {
	if s.redis != nil && s.redis.Prefix == "" && name != defaultHub {
		s.redis.Prefix = "rt:" + name + ":"
	}
}

// same reports that a hub on s need not be made anew for o. What files contain is
// not compared.
func (s store) same(o store) bool {
	return (s.redis == nil) == (o.redis == nil) && s.config == o.config && s.tls == o.tls
}
