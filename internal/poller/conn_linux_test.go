package poller

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func send(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

// A handler gets what arrives before and after Start, in pieces of its buffer, and the end.
func TestReadable(t *testing.T) {
	t.Parallel()
	c, client := ends(t)
	send(t, client, "early")
	l := listen(t, c)
	var got strings.Builder
	for _, s := range []string{"", "later", "and", "last"} {
		send(t, client, s)
		want := got.Len() + len(s)
		if s == "" {
			want = len("early")
		}
		for got.Len() < want {
			got.WriteString(<-l.got)
		}
	}
	send(t, client, "!")
	_ = client.Close()
	for s := range l.got {
		got.WriteString(s)
	}
	if got.String() != "earlylaterandlast!" {
		t.Errorf("read %q", got.String())
	}
}

// The end of a stream is found that has arrived together with the last bytes: one edge
// announces both, and the read of the bytes does not fill its buffer.
func TestEndBehindBytes(t *testing.T) {
	t.Parallel()
	for range 50 {
		c, client := pair(t)
		if _, err := client.TryWrite([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		l := listen(t, c)
		if s := <-l.got; s != "x" {
			t.Errorf("read %q", s)
		}
		if s, more := <-l.got; more {
			t.Errorf("read %q, want the end", s)
		}
		_ = c.Close()
	}
}

// gather is a Handler that reads a message of ten bytes and waits for its end.
type gather struct {
	conn *Conn
	got  chan error
}

func (g *gather) Readable() {
	_ = g.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := io.ReadFull(g.conn, make([]byte, 10))
	_ = g.conn.SetReadDeadline(time.Time{})
	g.got <- err
}

// A read that waits gets what arrives, its deadline, and the end of the connection.
func TestBlockedRead(t *testing.T) {
	t.Parallel()
	c, client := ends(t)
	g := &gather{c, make(chan error, 1)}
	if err := c.Start(g); err != nil {
		t.Fatal(err)
	}
	send(t, client, "01234")
	send(t, client, "56789")
	if err := <-g.got; err != nil {
		t.Error(err)
	}
	send(t, client, "01234")
	if err := <-g.got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want the deadline", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	closed := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		closed <- err
	}()
	_ = c.Close()
	if err := <-closed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want a closed connection", err)
	}
}

// fill writes until the socket is full, and returns how many bytes that were.
func fill(t *testing.T, c *Conn) (total int) {
	t.Helper()
	for chunk := bytes.Repeat([]byte("x"), 64<<10); ; {
		n, err := c.TryWrite(chunk)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return total
		}
		total += n
	}
}

// A full socket says when there is space, when that takes too long, and when it is closed.
func TestWhenWritable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		within time.Duration
		do     func(c *Conn, client net.Conn)
		want   error
	}{
		"space":   {time.Minute, func(_ *Conn, client net.Conn) { _, _ = io.Copy(io.Discard, client) }, nil},
		"timeout": {10 * time.Millisecond, func(*Conn, net.Conn) {}, os.ErrDeadlineExceeded},
		"at once": {0, func(*Conn, net.Conn) {}, os.ErrDeadlineExceeded},
		"close":   {time.Minute, func(c *Conn, _ net.Conn) { _ = c.Close() }, net.ErrClosed},
		"gone":    {time.Minute, func(_ *Conn, client net.Conn) { _ = client.Close() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, client := ends(t)
			fill(t, conn)
			got := make(chan error, 2)
			conn.WhenWritable(c.within, func(err error) { got <- err })
			go c.do(conn, client)
			if err := <-got; !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if len(got) > 0 {
				t.Error("called twice")
			}
		})
	}
}

// A closed connection takes and gives nothing.
func TestClosed(t *testing.T) {
	t.Parallel()
	c, _ := ends(t)
	_, _ = c.Close(), c.Close()
	buf := make([]byte, 1)
	_, tried := c.TryRead(buf)
	_, read := c.Read(buf)
	_, wrote := c.TryWrite(buf)
	late := make(chan error, 1)
	c.WhenWritable(time.Minute, func(err error) { late <- err })
	for name, err := range map[string]error{
		"TryRead": tried, "Read": read, "TryWrite": wrote, "WhenWritable": <-late,
		"CloseWrite": c.CloseWrite(), "Start": c.Start(nil),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is no bare socket is left alone.
func TestTakesSocketsOnly(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	if Take(a) != nil || Takes(struct{ net.Conn }{b}) {
		t.Error("taken")
	}
}

// below is a wrapper that says what is below it.
type below struct{ net.Conn }

func (b below) Bare() net.Conn { return b.Conn }

// The poller takes a socket below a wrapper of this module, with and without TLS, and no other one.
func TestTakesBelowAWrapper(t *testing.T) {
	t.Parallel()
	_, socket := ends(t)
	if !Takes(below{socket}) || Takes(struct{ net.Conn }{socket}) {
		t.Errorf("it takes %v, and below another wrapper %v", Takes(below{socket}), Takes(struct{ net.Conn }{socket}))
	}
	if NewWatch(tls.Server(below{socket}, new(tls.Config))) == nil {
		t.Error("nothing watches the bytes below TLS")
	}
}
