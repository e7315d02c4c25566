// Package target starts the servers that are measured: this project's Caddy, nginx with
// nchan, and two programs of the bench.
package target

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// Options is how a server is started.
type Options struct {
	Dir  string // for its files
	TLS  bool
	Ping time.Duration // how often it pings; its own default if 0
	Site Site          // of this server
}

// Server is one that runs.
type Server struct {
	client.Endpoint
	PID   int
	Redis int    // the process of its Redis, 0 if it has none
	App   string // the address of its app, at which nothing listens yet; empty if it has none
	// Collect makes it collect its garbage and give back what is free; nil if it has none.
	Collect func(context.Context) error
	// Profile writes a profile of its next seconds into a file; nil if it can not.
	Profile func(ctx context.Context, kind, file string, d time.Duration) error
	Stop    func()
}

// Target is a kind of server.
type Target struct {
	Name string
	// Missing says what has to be installed; empty if nothing is.
	Missing func() string
	Start   func(context.Context, Options) (*Server, error)
}

// running is the server of a child process.
func running(c *proc.Child, addr string, o Options, d client.Dialect) *Server {
	return &Server{Endpoint: client.Endpoint{Addr: addr, TLS: o.TLS, Dialect: d}, PID: c.PID(), Stop: c.Stop}
}

// freeAddr returns an address that nothing listens at.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// put writes a file of a server, and returns its path.
func put(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// none is for targets that need nothing.
func none() string { return "" }

// certificate makes a key pair in the folder, and returns the two files.
func certificate(dir string) (cert, key string, err error) {
	certPEM, keyPEM, err := selfSigned()
	if err != nil {
		return "", "", err
	}
	if _, err := tls.X509KeyPair([]byte(certPEM), []byte(keyPEM)); err != nil {
		return "", "", err
	}
	if cert, err = put(dir, "cert.pem", certPEM); err == nil {
		key, err = put(dir, "key.pem", keyPEM)
	}
	if err != nil {
		err = fmt.Errorf("certificate: %w", err)
	}
	return cert, key, err
}
