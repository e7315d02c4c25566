package gate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// client is the far end of a connection that passes a gate, and what the near end has read.
type client struct {
	net.Conn
	near *conn
	read chan string
}

// dial connects a client to a gate. The near end reads until an error.
func dial(t *testing.T, g gate) *client {
	near, far := net.Pipe()
	c := &client{far, &conn{Conn: near, gate: g}, make(chan string, 10)}
	t.Cleanup(func() { _ = far.Close() })
	return c
}

// readOnce reads once at the near end.
func (c *client) readOnce() {
	go func() {
		p := make([]byte, 100)
		n, _ := c.near.Read(p)
		c.read <- string(p[:n])
	}()
	synctest.Wait()
}

// says sends bytes, which the near end reads.
func (c *client) says(t *testing.T, text string) {
	t.Helper()
	c.readOnce()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// has reports whether the near end has got something from Read.
func (c *client) has() bool { return len(c.read) > 0 }

const hello = "\x16\x03\x01"

// One handshake is computed after the other. An answer, the end, the next read and a wait that is too long give the place back.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(first *client){
		"answer":   func(c *client) { go c.near.Write([]byte("x")) },
		"end":      func(c *client) { _ = c.near.Close() },
		"read":     func(c *client) { c.readOnce() },
		"patience": func(*client) { time.Sleep(patience) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(1)
				first, second, third := dial(t, g), dial(t, g), dial(t, g)
				first.says(t, hello)
				second.says(t, hello)
				if !first.has() || second.has() {
					t.Fatalf("the first client has a place: %v, the second: %v", first.has(), second.has())
				}
				third.says(t, "GET / HTTP/1.1\r\n")
				if !third.has() {
					t.Error("a client without TLS waits")
				}
				leave(first)
				time.Sleep(longestRest)
				synctest.Wait()
				if !second.has() {
					t.Error("the second client has no place")
				}
				time.Sleep(2 * patience)
				if n := len(g.places); n > 0 {
					t.Errorf("%d places are taken", n)
				}
			})
		})
	}
}

// A place rests for twice as long as a handshake took, and not for ever after a long one.
func TestRest(t *testing.T) {
	t.Parallel()
	for took, rest := range map[time.Duration]time.Duration{
		time.Millisecond:      2 * time.Millisecond,
		10 * time.Millisecond: 3 * time.Millisecond,
		patience:              3 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1)
			first, second := dial(t, g), dial(t, g)
			first.says(t, hello)
			second.says(t, hello)
			time.Sleep(took)
			first.near.leave()
			time.Sleep(rest - time.Microsecond)
			synctest.Wait()
			if second.has() {
				t.Errorf("the place of a handshake of %v does not rest", took)
			}
			time.Sleep(time.Microsecond)
			synctest.Wait()
			if !second.has() {
				t.Errorf("the place of a handshake of %v rests for longer than %v", took, rest)
			}
			time.Sleep(2 * patience)
		})
	}
}

// A client that has sent a part of a handshake keeps nobody out, and one that has got through waits no more.
func TestHalfHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		slow, other := dial(t, g), dial(t, g)
		slow.says(t, hello)
		slow.readOnce() // for the rest
		time.Sleep(longestRest)
		synctest.Wait()
		if n := len(g.places); n > 0 {
			t.Errorf("%d places are taken", n)
		}
		other.says(t, hello)
		if !other.has() {
			t.Error("the other client waits")
		}
		_, _ = io.WriteString(slow.Conn, hello)
		synctest.Wait()
		if len(slow.read) != 2 {
			t.Error("a client that has got through waits")
		}
		time.Sleep(patience)
	})
}

// TLS passes the gate, as many times as there are connections, and the socket below is found.
func TestTLS(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(1)
	l := listener{tcp, g, func() { t.Error("behind TLS") }}
	defer l.Close()
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if _, ok := rawtcp.Bare(c).(*net.TCPConn); !ok {
				t.Errorf("the socket is %T", rawtcp.Bare(c))
			}
			go func() {
				s := tls.Server(c, config)
				_, _ = io.Copy(s, s)
				_ = s.Close()
			}()
		}
	}()
	for range 20 {
		c, err := tls.Dial("tcp", tcp.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if n := len(g.places); n > 0 {
		t.Errorf("%d places are taken", n)
	}
}

// Behind TLS the wrapper says that it bounds nothing, and changes nothing.
func TestBehindTLS(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	warned := false
	l := listener{tls.NewListener(tcp, &tls.Config{Certificates: []tls.Certificate{certificate(t)}}), newGate(1), func() { warned = true }}
	defer l.Close()
	far, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(*tls.Conn); !ok || !warned {
		t.Errorf("%T, warned %v", c, warned)
	}
}

func TestPanicAtAPlace(t *testing.T) {
	log := panictest.Default(t)
	(*conn)(nil).expire()
	log.Once(t, "a place for a TLS handshake", "runtime error: invalid memory address or nil pointer dereference")
}

func TestCaddyfile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"realtime_handshakes":           "",
		"realtime_handshakes 3":         "",
		"realtime_handshakes 0":         "from 1 on, at Testfile:1",
		"realtime_handshakes many":      "from 1 on, at Testfile:1",
		"realtime_handshakes 1 2":       "wrong argument count",
		"realtime_handshakes {\n\tx\n}": "has no block",
	} {
		h := new(Handshakes)
		err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
		if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil && h.AtOnce != strings.Count(text, "3")*3 {
			t.Errorf("%s: %d", text, h.AtOnce)
		}
	}
	if err := (&Handshakes{AtOnce: -1}).Validate(); err == nil {
		t.Error("a negative number is valid")
	}
}

// certificate makes a key and a certificate for 127.0.0.1.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
