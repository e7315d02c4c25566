package redis

import (
	"context"
	"errors"
	"net"
	"sync"

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

var errSpent = errors.New("redis: the connection is over")

func (d *dialOnce) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	used := d.used || d.over
	d.used = true
	d.mu.Unlock()
	if used {
		return nil, errSpent
	}
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		conn.Close()
		return nil, errSpent
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
func (c *shard) subscriber(ctx context.Context) (*goredis.Client, *dialOnce, error) {
	pool, err := c.to.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	d := &dialOnce{dial: pool.Options().Dialer}
	o := plainOptions(c.o)
	o.Network, o.Addr, o.Dialer, o.TLSConfig = pool.Options().Network, pool.Options().Addr, d.Dial, nil
	o.PoolSize = 1
	return goredis.NewClient(o), d, nil
}
