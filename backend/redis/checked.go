package redis

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// dialFunc makes a connection.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialChecked gives the dialer of go-redis, over whose connections comes nothing but
// replies of Redis.
func dialChecked(timeout time.Duration, config *tls.Config) dialFunc {
	dial := goredis.NewDialer(&goredis.Options{DialTimeout: timeout, TLSConfig: config})
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c := &checkedConn{Conn: conn}
		if s, ok := conn.(syscall.Conn); ok {
			return checkedSocket{c, s}, nil
		}
		return c, nil
	}
}

// checkedConn is a connection that ends when something comes that is no reply of Redis.
// As with every connection here, one goroutine reads at a time.
type checkedConn struct {
	net.Conn
	replies replies
}

func (c *checkedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.replies.feed(p[:n]); bad != nil {
		_ = c.Conn.Close() // of a connection that is of no use
		return 0, bad
	}
	return n, err
}

func (c *checkedConn) Write(p []byte) (int, error) {
	c.replies.sent(p)
	return c.Conn.Write(p)
}

// checkedSocket is one whose socket go-redis can look at, to see whether it still stands.
type checkedSocket struct {
	*checkedConn
	socket syscall.Conn
}

// SyscallConn implements [syscall.Conn].
func (s checkedSocket) SyscallConn() (syscall.RawConn, error) { return s.socket.SyscallConn() }
