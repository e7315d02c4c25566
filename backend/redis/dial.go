package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// isDial reports that an error is of making a connection.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// dialOnce makes the subscribed connection. go-redis would replace a broken one by
// itself, subscribe to everything in a single command and say nothing; a second dial
// fails here, so that it can not.
type dialOnce struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu   sync.Mutex
	used bool
	conn net.Conn
	over bool // close was called
}

var errConnUsed = errors.New("redis: the connection is over")

func (d *dialOnce) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	used := d.used || d.over
	d.used = true
	d.mu.Unlock()
	if used {
		return nil, errConnUsed
	}
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		conn.Close()
		return nil, errConnUsed
	}
	d.conn = conn
	return conn, nil
}

// close ends the connection at once, whatever waits for it.
func (d *dialOnce) close() {
	defer guard.Recover(nil, "the end of a subscription") // callers have more to end
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.conn != nil {
		d.conn.Close()
	}
}

// subscriber makes the client of one subscribed connection. Its dialer is that of the
// commands' pool, which knows the way: through TLS, or to whom Sentinel names.
func (c *shard) newSubscriber(ctx context.Context) (*goredis.Client, *dialOnce, error) {
	pool, err := c.primary.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	d := &dialOnce{dial: pool.Options().Dialer}
	o := plainOptions(c.o)
	o.Network, o.Addr, o.Dialer, o.TLSConfig = pool.Options().Network, pool.Options().Addr, d.Dial, nil
	o.PoolSize = 1
	return goredis.NewClient(o), d, nil
}

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
	checker replyChecker
}

func (c *checkedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.checker.checkBytes(p[:n]); bad != nil {
		_ = c.Conn.Close() // of a connection that is of no use
		return 0, bad
	}
	return n, err
}

func (c *checkedConn) Write(p []byte) (int, error) {
	c.checker.noteCommand(p)
	return c.Conn.Write(p)
}

// checkedSocket is one whose socket go-redis can look at, to see whether it still stands.
type checkedSocket struct {
	*checkedConn
	socket syscall.Conn
}

// SyscallConn implements [syscall.Conn].
func (s checkedSocket) SyscallConn() (syscall.RawConn, error) { return s.socket.SyscallConn() }
