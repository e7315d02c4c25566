package disk

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Control keeps the standing orders of a hub, which are the revocations, beyond the process.
type Control struct{ store *Store }

// Control executes the orders that the store had when it was opened, and returns what stores
// others. It is called once.
func (s *Store) Control(e hub.Executor) *Control {
	now := time.Now()
	for _, o := range s.standing {
		if o.over(now) {
			continue
		}
		if _, err := e.Execute(o.body, now.Sub(o.issued)); err != nil {
			s.o.Logger.Warn("an order in the store is not understood", "error", err)
		}
	}
	s.standing = nil
	e.Informed()
	return &Control{s}
}

// Order stores an order if it is a standing one, and removes those that it ends. There is no
// other node that could execute it.
func (c *Control) Order(ctx context.Context, o hub.Order) (hub.Answers, error) {
	if o.Name == "" && len(o.Ends) == 0 {
		return hub.Answers{}, nil
	}
	if len(o.Name) > bbolt.MaxKeySize {
		return hub.Answers{}, fmt.Errorf("%w: its name has %d bytes", hub.ErrNotStored, len(o.Name))
	}
	p := &ordering{order: o, now: time.Now()}
	err := c.store.do(ctx, p)
	if err == nil {
		err = p.err
	}
	if err != nil {
		return hub.Answers{}, fmt.Errorf("%w: %w", hub.ErrNotStored, err)
	}
	return hub.Answers{}, nil
}

// ordering is the operation that stores an order.
type ordering struct {
	order hub.Order
	now   time.Time
	err   error
}

func (p *ordering) write(w *work) error {
	for _, name := range p.order.Ends {
		if err := w.orders.Delete([]byte(name)); err != nil {
			return err
		}
	}
	if p.order.Name == "" {
		return nil
	}
	o := savedOrder{issued: p.now, body: p.order.Body}
	if p.order.Lasts > 0 {
		o.until = p.now.Add(p.order.Lasts)
	}
	return w.orders.Put([]byte(p.order.Name), o.encode())
}

// removeOver removes orders that last no longer.
func (w *work) removeOver(now time.Time) error {
	var over [][]byte
	err := w.orders.ForEach(func(name, value []byte) error {
		o, err := decodeOrder(value)
		if o.over(now) {
			over = append(over, append([]byte(nil), name...))
		}
		return err
	})
	for _, name := range over {
		if err == nil {
			err = w.orders.Delete(name)
		}
	}
	return err
}

func (p *ordering) finish(err error) { p.err = err }

// savedOrder is a standing order in the file.
type savedOrder struct {
	issued, until time.Time // until is zero if the order lasts for ever
	body          []byte
}

func (o *savedOrder) over(now time.Time) bool { return !o.until.IsZero() && !now.Before(o.until) }

func (o *savedOrder) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(o.issued.UnixNano()))
	until := uint64(0)
	if !o.until.IsZero() {
		until = uint64(o.until.UnixNano())
	}
	return append(binary.AppendUvarint(b, until), o.body...)
}

func decodeOrder(b []byte) (o savedOrder, err error) {
	d := decoder{rest: b}
	o.issued = time.Unix(0, int64(d.number()))
	if until := d.number(); until != 0 {
		o.until = time.Unix(0, int64(until))
	}
	o.body = append([]byte(nil), d.rest...)
	return o, d.err()
}
