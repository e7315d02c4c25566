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

// isDial reports whether an error happened while a connection was made.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// dialOnce makes one subscribed connection. go-redis would replace a broken connection without
// notice, and subscribe to everything in a single command. A second dial fails here, which
// prevents that.
type dialOnce struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// beforeRead is called on the reader's goroutine whenever it has handled everything that
	// has arrived. callsBeforeRead says that the connection does so; it is set by Dial.
	beforeRead      func()
	callsBeforeRead bool

	mu   sync.Mutex
	used bool
	conn net.Conn
	over bool // close was called
}

var errConnUsed = errors.New("redis: the connection has ended")

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
	if c, ok := conn.(interface{ onRead(before func()) }); ok {
		c.onRead(d.beforeRead)
		d.callsBeforeRead = true
	}
	return conn, nil
}

// close ends the connection at once, even while a read or write waits.
func (d *dialOnce) close() {
	defer guard.Recover(nil, "the end of a subscription") // the callers have more to end
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.conn != nil {
		d.conn.Close()
	}
}

// newSubscriber makes the go-redis client of one subscribed connection. It uses the dialer of
// the command pool, which knows TLS and asks the Sentinels for the address. beforeRead is called
// before each read from the connection.
func (c *shard) newSubscriber(ctx context.Context, beforeRead func()) (*goredis.Client, *dialOnce, error) {
	pool, err := c.primary.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	d := &dialOnce{dial: pool.Options().Dialer, beforeRead: beforeRead}
	o := plainOptions(c.o)
	o.Network, o.Addr, o.Dialer, o.TLSConfig = pool.Options().Network, pool.Options().Addr, d.Dial, nil
	o.PoolSize = 1
	return goredis.NewClient(o), d, nil
}

// dialFunc makes a connection.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialChecked returns a dialer of go-redis whose connections pass on only valid replies of
// Redis.
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

// checkedConn is a connection that ends when something arrives that is no reply of Redis. As
// with every connection here, one goroutine reads at a time.
type checkedConn struct {
	net.Conn
	checker replyChecker
	before  func() // see onRead; nil for none
}

// onRead has before called at the start of each Read. It is called before the first one.
func (c *checkedConn) onRead(before func()) { c.before = before }

func (c *checkedConn) Read(p []byte) (int, error) {
	if c.before != nil {
		c.before()
	}
	n, err := c.Conn.Read(p)
	if bad := c.checker.checkBytes(p[:n]); bad != nil {
		_ = c.Conn.Close() // nothing can use the connection any more
		return 0, bad
	}
	return n, err
}

func (c *checkedConn) Write(p []byte) (int, error) {
	c.checker.noteCommand(p)
	return c.Conn.Write(p)
}

// checkedSocket is a checkedConn whose socket go-redis can inspect, to see whether the
// connection is still open.
type checkedSocket struct {
	*checkedConn
	socket syscall.Conn
}

// SyscallConn implements [syscall.Conn].
func (s checkedSocket) SyscallConn() (syscall.RawConn, error) { return s.socket.SyscallConn() }
