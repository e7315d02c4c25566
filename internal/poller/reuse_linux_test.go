package poller

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDescriptorsAreNotReused closes and opens ten thousand connections while others write, read
// and wait. The numbers of their descriptors are used again at once. Each connection carries
// its own name in both directions and nothing else.
func TestDescriptorsAreNotReused(t *testing.T) {
	t.Parallel()
	const total, atOnce = 10_000, 32
	var next atomic.Uint64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for name := next.Add(1); name <= total; name = next.Add(1) {
				carry(t, name)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("nothing rings for some connections: others have deregistered their descriptors")
	}
}

// carry runs one connection.
func carry(t *testing.T, name uint64) {
	c, client := pair(t)
	own := binary.BigEndian.AppendUint64(nil, name)
	h := &namesake{t: t, conn: c, name: name, once: make(chan struct{})}
	if err := c.Start(h); err != nil {
		t.Error(err)
	}
	var all sync.WaitGroup
	all.Go(func() { write(c, own) })
	all.Go(func() { write(c, own) })
	all.Go(func() {
		_, _ = client.TryWrite(own)
		for buf := make([]byte, 8); ; {
			if _, err := io.ReadFull(client, buf); err != nil {
				return
			}
			if got := binary.BigEndian.Uint64(buf); got != name {
				t.Errorf("the client %d got %d", name, got)
			}
		}
	})
	<-h.once
	_ = c.Close() // in the middle of the writes
	all.Wait()
	_ = client.Close()
}

// write writes its name until the connection is closed; not so often that the socket is full.
func write(c *Conn, own []byte) {
	for range 20 {
		if n, err := c.TryWrite(own); err != nil || n < len(own) {
			return
		}
	}
}

// namesake is the Handler of a connection with a name.
type namesake struct {
	t    *testing.T
	conn *Conn
	name uint64
	once chan struct{}
	done bool
}

func (h *namesake) Readable() {
	buf := make([]byte, 8)
	for more := true; more; more = h.conn.Left() {
		n, err := h.conn.TryRead(buf)
		if n == 0 || err != nil {
			return
		}
		if got := binary.BigEndian.Uint64(buf); n != 8 || got != h.name {
			h.t.Errorf("the connection %d got %d", h.name, got)
		}
		if !h.done {
			h.done = true
			close(h.once)
		}
	}
}
