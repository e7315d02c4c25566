package gate

import (
	"crypto"
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
	"sync"
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

// says sends bytes, if there are any, and the near end reads them.
func (c *client) says(t *testing.T, text string) {
	t.Helper()
	if text == "" {
		return
	}
	c.readOnce()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// has reports whether the near end has got something from Read.
func (c *client) has() bool { return len(c.read) > 0 }

// hello is a whole record of a handshake.
const hello = "\x16\x03\x01\x00\x04abcd"

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

// A connection whose handshake was answered, or has had its place for too long, waits no more.
func TestThrough(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(c *client){
		"answer":   func(c *client) { go c.near.Write([]byte("x")) },
		"patience": func(*client) { time.Sleep(patience) },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1)
			first, second := dial(t, g), dial(t, g)
			first.says(t, hello)
			end(first)
			time.Sleep(longestRest)
			second.says(t, hello)
			first.says(t, hello)
			if len(first.read) != 2 || !second.has() {
				t.Errorf("%s: the first has read %d times, the second has a place: %v", name, len(first.read), second.has())
			}
			time.Sleep(2 * patience)
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
			first.near.leave(through)
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

// A place is for a whole record. Its parts keep nobody out, and a handshake of two records waits twice.
func TestParts(t *testing.T) {
	t.Parallel()
	for cut := 1; cut <= len(hello); cut++ {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1)
			slow, other := dial(t, g), dial(t, g)
			for _, part := range []string{hello[:cut], hello[cut:]} {
				if n := len(g.places); part != "" && n > 0 {
					t.Errorf("cut at %d: %d places are taken", cut, n)
				}
				slow.says(t, part)
			}
			other.says(t, hello)
			if !slow.has() || other.has() {
				t.Errorf("cut at %d: the first client has a place: %v, the second: %v", cut, slow.has(), other.has())
			}
			slow.says(t, hello) // its second record
			time.Sleep(longestRest)
			synctest.Wait()
			if !other.has() || len(g.places) != 1 {
				t.Errorf("cut at %d: the second client has no place", cut)
			}
			time.Sleep(3 * patience) // the second record waits for the other client
			if n := len(g.places); n > 0 {
				t.Errorf("cut at %d: %d places are taken", cut, n)
			}
		})
	}
}

// counter signs as a server does in a handshake, and counts how many signatures are computed at once.
type counter struct {
	crypto.Signer

	mu        sync.Mutex
	now, most int
}

func (c *counter) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	c.add(1)
	defer c.add(-1)
	time.Sleep(time.Millisecond)
	return c.Signer.Sign(r, digest, o)
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

// No more handshakes are computed at once than there are places, whatever the size of the hello is. With a key of
// X25519MLKEM768, as Go and browsers send it, package tls reads it in two pieces.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	for _, curves := range [][]tls.CurveID{nil, {tls.X25519}} {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		// Thirty clients in this process and -race make handshakes slow.
		l := listener{tcp, gate{make(chan struct{}, 2), time.Minute}, func() {}}
		defer l.Close()
		cert := certificate(t)
		count := &counter{Signer: cert.PrivateKey.(crypto.Signer)}
		cert.PrivateKey = count
		go serve(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				c, err := tls.Dial("tcp", tcp.Addr().String(), &tls.Config{InsecureSkipVerify: true, CurvePreferences: curves})
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.Close()
			})
		}
		all.Wait()
		if count.most != 2 {
			t.Errorf("curves %v: %d handshakes are computed at once", curves, count.most)
		}
	}
}

// serve echoes over TLS what comes on a listener, until it is closed.
func serve(l net.Listener, config *tls.Config) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			s := tls.Server(c, config)
			_, _ = io.Copy(s, s)
			_ = s.Close()
		}()
	}
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
	select {
	case g.places <- struct{}{}: // after the rest of the last one
	case <-time.After(time.Minute):
		t.Error("the place is taken")
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
