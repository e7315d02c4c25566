package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Endpoint is where a server listens, and how it is spoken to.
type Endpoint struct {
	Addr string
	TLS  bool
	Dialect
}

const (
	// perAddress is how many connections share a loopback address, of which each has
	// 28,000 ports towards a server.
	perAddress = 5000
	// patience is how long a handshake may take.
	patience = 30 * time.Second
)

// control prepares a socket before it connects.
type control = func(network, address string, c syscall.RawConn) error

// dial opens the i-th connection. Its handshake must be over within patience.
func (e *Endpoint) dial(ctx context.Context, i int, c control) (net.Conn, error) {
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/perAddress))},
		Control:   c,
		KeepAlive: -1,
	}
	conn, err := d.DialContext(ctx, "tcp4", e.Addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if !e.TLS {
		return conn, nil
	}
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a certificate of the bench
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}
